package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gosatchel/satchel/store"
)

// Info describes one of a user's sessions.
type Info struct {
	// Ref names the session to Revoke. It is random, made at sign-in, stays the
	// same over renewals, and is no secret: nobody can act as the user with it.
	Ref string

	Created time.Time // when the user signed in, first if more than once
	Expires time.Time // when it ends at the latest

	// LastSeen is when it was used last, give or take the interval at which idle
	// timeouts are extended: a minute or a tenth of the timeout, whichever is
	// shorter. It is zero for a session without an idle timeout, and now for one
	// that ends before its idle timeout could.
	LastSeen time.Time

	// Current says that it is the session that the request was made in.
	Current bool

	// UserAgent is what the browser called itself at sign-in. It can be anything.
	UserAgent string
}

// Sessions returns user's sessions, the latest sign-in first. It takes a small
// fixed number of round trips, and its cost grows with user's sessions alone: with
// how many they are, and how large. Where that can get out of hand, set
// Options.MaxPerUser and Options.MaxBytes; all of it has to come within
// Options.StoreTimeout.
//
// ctx needs no session, except for Info.Current. A program that only lists or
// revokes has a Manager with the store of the app's, and the same options where they
// have a part in the cookie's name (Cookie.Name, Domain, Path, Insecure) or in LastSeen
// (IdleTimeout); best it has the same Options. With another cookie name it finds
// nothing. The error is a *[StoreError], or [ErrNoIndex].
func (m *Manager) Sessions(ctx context.Context, user string) ([]Info, error) {
	looking := patience{Context: ctx, until: time.Now().Add(m.options.StoreTimeout)}
	defer looking.end()
	all, err := m.owned(&looking, user)
	if err != nil {
		return nil, listingFailed(err)
	}
	current := m.currentRef(ctx, user)
	now := time.Now()
	all = slices.DeleteFunc(all, func(l listed) bool { return !l.alive(now) })
	slices.SortFunc(all, latestFirst)
	var infos []Info
	for _, l := range all {
		if slices.ContainsFunc(infos, func(i Info) bool { return i.Ref == l.ref }) {
			continue // another id of one that is being renewed
		}
		r := l.record
		info := Info{Ref: l.ref, Created: r.created, Expires: r.deadline, Current: l.ref == current, UserAgent: r.agent}
		if idle := m.idleTimeout(r); idle > 0 {
			// The store was told to keep it idle from then, unless the deadline is sooner.
			info.LastSeen = now
			if until := now.Add(l.left); until.Before(r.deadline.Add(-time.Second)) {
				info.LastSeen = until.Add(-idle)
			}
			if info.LastSeen.After(now) {
				info.LastSeen = now // the idle timeout was longer once
			}
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// Revoke ends the session of user that is called ref, from the very next request
// on, everywhere, and also if it is renewed at the same time. Its browser reads an
// empty session from then on; for a minute it can't change anything (ErrEnded) but
// sign in. The error is store.ErrNotFound if user has no such session, or a
// *[StoreError], after which it may still be there.
//
// It takes a small fixed number of round trips.
func (m *Manager) Revoke(ctx context.Context, user, ref string) error {
	ended, err := m.revoke(ctx, user, "", func(r string) bool { return r == ref })
	if err == nil && ended == 0 {
		return store.ErrNotFound
	}
	return err
}

// RevokeAll ends all sessions of user, from the very next request on, everywhere.
// None that is renewed at the same time gets away; a sign-in at the same time is
// ended too, or happened after. It takes some round trips for each session, within
// Options.StoreTimeout each, and goes on to the next one as long as ctx is not done. After
// a *[StoreError] some may still be there.
//
// It ends the session of the request that calls it too, if that is user's. To keep that
// one, after a password was changed for example, use [RevokeOthers].
func (m *Manager) RevokeAll(ctx context.Context, user string) error {
	_, err := m.revoke(ctx, user, "", func(string) bool { return true })
	return err
}

// RevokeOthers ends all sessions of the user who is signed in, except the one of
// ctx (OWASP ASVS 7.4.3, after a password was changed). It fails if nobody is
// signed in; with ErrEnded, and nothing done, if the session of ctx was ended
// meanwhile, so that of two that want to end each other the first one wins; and
// otherwise like [Manager.RevokeAll].
func RevokeOthers(ctx context.Context) error {
	t := within(ctx)
	if err := t.direct(); err != nil {
		return err
	}
	r := t.look()
	if r == nil || r.user == "" {
		if err := t.err(); err != nil {
			return err
		}
		return errors.New("session: RevokeOthers: nobody is signed in")
	}
	mine := ""
	if saved := t.signedIn(); saved != nil && saved.user == r.user {
		mine = saved.ref
	}
	_, err := t.manager.revoke(ctx, r.user, mine, func(ref string) bool { return ref != r.ref })
	return err
}

// signedIn returns what is saved of the session, which can be older than what this
// request wants of it.
func (t *transaction) signedIn() *record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.saved
}

// currentRef returns the ref of ctx's session if it is one of user's, or "".
func (m *Manager) currentRef(ctx context.Context, user string) string {
	for t := innermost(ctx); t != nil; t = t.enclosing {
		if t.manager != m {
			continue
		}
		if r := t.look(); r != nil && r.user == user {
			return r.ref
		}
	}
	return ""
}

// maxPasses bounds how often revoke looks whether it has ended all.
const maxPasses = 100

// revoke ends the sessions of user whose ref is chosen, until there is none: a
// renewal can list a new id while it works. It returns how many there were. If mine
// is not "", the session of that ref has to be alive.
func (m *Manager) revoke(ctx context.Context, user, mine string, chosen func(ref string) bool) (ended int, err error) {
	for pass := range maxPasses {
		looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.options.StoreTimeout)
		all, err := m.owned(looking, user)
		cancel()
		if err != nil {
			return ended, listingFailed(err)
		}
		now := time.Now()
		if pass == 0 && mine != "" && !slices.ContainsFunc(all, func(l listed) bool { return l.ref == mine && l.alive(now) }) {
			return 0, ErrEnded
		}
		found := 0
		for _, l := range all {
			if !chosen(l.ref) || l.record != nil && l.record.moved {
				continue
			}
			was, err := m.endListed(ctx, l, user)
			if err != nil {
				return ended, err
			}
			if was && (l.record == nil || !l.record.ended) {
				found++
			}
			if ctx.Err() != nil {
				return ended + found, &StoreError{"revoke", context.Cause(ctx)}
			}
		}
		if found == 0 {
			return ended, nil
		}
		ended += found
	}
	return ended, &StoreError{"revoke", errors.New("the user's sessions keep being renewed")}
}

// endListed ends the session of an entry, and reports whether there was one to
// end. If it has ended and is still listed, its marker may be one that the store has not
// confirmed, so that is written again. One that is just being created finds the marker
// in its place, and is not; if the store has no room for that marker, it is created
// after all of this, and stays listed.
func (m *Manager) endListed(ctx context.Context, l listed, user string) (bool, error) {
	a := m.attempt(ctx, "revoke")
	defer a.writing.end()
	err := a.end(persisted{identity{id: l.id}, l.record}, user)
	switch {
	case errors.Is(err, store.ErrDamaged):
		if err = m.store.Delete(&a.writing, l.id); err != nil { // nobody can use it, and it is in the way
			return false, &StoreError{a.op, err}
		}
	case errors.Is(err, store.ErrNotApplied) && l.record == nil:
		return false, nil
	case isStoreError(err):
		return false, err
	}
	if err != nil || l.record == nil {
		a.unindex(persisted{identity{id: l.id}, &record{user: user}})
	}
	return true, nil
}

func listingFailed(err error) error {
	if errors.Is(err, ErrNoIndex) {
		return err
	}
	return &StoreError{"list", err}
}
