package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"slices"
	"time"

	"github.com/gosatchel/satchel/store"
)

// The index lists a user's sessions. What keeps it complete: an id is listed
// before its record is written, and unlisted after a marker has taken its place.
// So it may list a session that is not there yet or any more, and never misses
// one that is.

// owner is the name under which user's sessions are listed. Like an id it is
// another one for each cookie name.
func (m *Manager) owner(user string) string {
	buf := append([]byte(m.options.Cookie.Name), 0, 'u', 0) // no token contains a zero byte
	sum := sha256.Sum256(append(buf, user...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// index lists id before next is written there in place of prev, unless it is
// listed already, and for as long.
func (a *attempt) index(id string, prev, next *record) error {
	if a.m.indexer == nil || next.user == "" {
		return nil
	}
	if prev != nil && prev.user == next.user && !next.deadline.After(prev.deadline) {
		return nil
	}
	// A minute longer, so that it is never the entry that expires first.
	ttl := min(time.Until(next.deadline), math.MaxInt64-time.Minute) + time.Minute
	if err := a.m.indexer.Index(&a.writing, a.m.owner(next.user), next.ref, id, ttl); err != nil {
		return &StoreError{a.op, err}
	}
	return nil
}

// unindex removes the entry of a session that has ended. If it fails, the entry
// goes with the next listing.
func (a *attempt) unindex(s persisted) {
	if a.m.indexer == nil || s.record == nil || s.record.user == "" {
		return
	}
	cleaning := patience{Context: a.ctx, until: a.until}
	defer cleaning.end()
	a.m.indexer.Unindex(&cleaning, a.m.owner(s.record.user), s.ident.id)
}

// listed is one entry of a user's index.
type listed struct {
	ref, id string
	record  *record // nil if there is none yet, or none any more
	left    time.Duration
}

// alive reports whether there is a session behind the entry.
func (l listed) alive(now time.Time) bool {
	return l.record != nil && !l.record.ended && now.Before(l.record.deadline)
}

// owned returns the entries of user's sessions.
//
// A renewal can come between the moment that the store looks at the list and the
// one that it looks at a record: then there is the marker of an id whose successor
// is not in the list. It has been listed before the marker was written, so another
// look finds it.
func (m *Manager) owned(ctx context.Context, user string) ([]listed, error) {
	var known []string
	for {
		all, err := m.listedOnce(ctx, user)
		if err != nil {
			return nil, err
		}
		moved := len(known)
		for _, l := range all {
			if l.record != nil && l.record.moved && !slices.Contains(known, l.id) {
				known = append(known, l.id)
			}
		}
		if len(known) == moved {
			return all, nil
		}
	}
}

func (m *Manager) listedOnce(ctx context.Context, user string) ([]listed, error) {
	if m.indexer == nil {
		return nil, ErrNoIndex
	}
	entries, err := m.indexer.Owned(ctx, m.owner(user))
	if err != nil {
		return nil, err
	}
	all := make([]listed, len(entries))
	for i, e := range entries {
		all[i] = listed{ref: e.Ref, id: e.ID, left: e.Record.TTL}
		if e.Record.Version == (store.Version{}) {
			continue
		}
		r, err := decodeRecord(e.Record.Data)
		if err != nil {
			// What can't be read must still be listed, and ended.
			r = &record{user: user, ref: e.Ref, deadline: time.Now().Add(e.Record.TTL)}
		}
		r.version = e.Record.Version
		all[i].record = r
	}
	return all, nil
}

// limit ends the oldest sessions of the user who signs in, if there are more than
// Options.MaxPerUser. It comes after the new record is there and before anybody
// has its id: of sign-ins at the same time, the last to look sees them all.
func (a *attempt) limit() error {
	for again := a.m.options.MaxPerUser > 0; again; {
		surplus, err := a.surplus()
		if err != nil {
			return err
		}
		again = false
		for _, l := range surplus {
			err := a.end(persisted{identity{id: l.id}, l.record}, a.next.user)
			if isStoreError(err) {
				return err
			}
			again = again || err != nil // it was renewed meanwhile
		}
	}
	return nil
}

// latestFirst sorts live sessions by when their users have signed in last. All who
// look have to agree on the order.
func latestFirst(x, y listed) int {
	return cmp.Or(y.record.authenticated.Compare(x.record.authenticated), cmp.Compare(x.ref, y.ref))
}

// surplus returns the sessions that are too many. It fails with ErrEnded if the
// new one is among them, since others have signed in after it.
func (a *attempt) surplus() (surplus []listed, err error) {
	all, err := a.m.owned(&a.writing, a.next.user)
	if err != nil {
		return nil, &StoreError{a.op, err}
	}
	now := time.Now()
	all = slices.DeleteFunc(all, func(l listed) bool { return !l.alive(now) })
	slices.SortFunc(all, latestFirst)
	var kept []string
	for _, l := range all {
		switch {
		case slices.Contains(kept, l.ref): // another id of one that is being renewed
		case len(kept) < a.m.options.MaxPerUser:
			kept = append(kept, l.ref)
		case l.ref == a.next.ref:
			return nil, ErrEnded
		default:
			surplus = append(surplus, l)
		}
	}
	return surplus, nil
}
