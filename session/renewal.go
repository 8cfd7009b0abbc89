package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gosatchel/satchel/store"
)

// markerLifetime is how long it is known of an id that its session has ended.
// After that it is an id like any other that nobody knows.
const markerLifetime = time.Minute

// renew moves the session to a new id: it creates the new record first, then
// puts a marker in place of the old one. The cookie goes out only after that. So
// there is no moment at which the visitor has nothing, and none at which both
// ids work after this has returned.
func (a *attempt) renew() error {
	old := persisted{a.ident, a.base}
	err := a.create()
	if err != nil {
		return err
	}
	created := a.next
	for n := 0; ; n++ {
		marker := endedRecord(old.record, old.record.user)
		marker.moved = true
		done, current, err := a.swap(old.ident, old.record, marker)
		if errors.Is(err, store.ErrUnconfirmed) {
			// If the marker is there, the new record is all that the visitor has. A
			// failover may bring the old id back; to drop the new one is certain loss.
			if here, lost := a.find(old.ident.id); lost == nil && here != nil && here.ended {
				a.t.log(slog.LevelWarn, "session: the old id has ended, and replicas have not confirmed it", "error", err)
				done, err = true, nil
			}
		}
		switch {
		case err != nil:
		case done:
			a.next = created
			a.unindex(old)
			return nil
		case current == nil || current.ended:
			err = endedBy(current)
		default:
			old.record = current
			err = a.carryOver(created, current)
			created = a.next
		}
		if err != nil {
			a.discard()
			return err
		}
		a.pause(n)
	}
}

// carryOver brings the new record up to date with what somebody committed under
// the old id.
func (a *attempt) carryOver(created, current *record) error {
	if err := a.rebase(current); err != nil {
		return err
	}
	a.next.version = newVersion()
	a.next.follow(created)
	if err := a.index(a.ident.id, created, a.next); err != nil {
		return err
	}
	done, current, err := a.swap(a.ident, created, a.next)
	if err == nil && !done {
		err = endedBy(current) // with "end all" for its user
	}
	return err
}

// discard removes the new record of a commit that failed. Nobody has its id; it
// would only lie about until it expires. What could not be removed stays listed.
func (a *attempt) discard() {
	cleaning := patience{Context: a.ctx, until: a.until}
	defer cleaning.end()
	if a.m.store.remove(&cleaning, a.ident.id) == nil {
		a.unindex(persisted{a.ident, a.next})
	}
}

// endedRecord returns the marker that takes the place of r, which may be nil, of
// user. In the place of a marker it lives no longer than that would have. It keeps the
// history, so that a commit that came before the end, and got no answer, can still be
// found.
func endedRecord(r *record, user string) *record {
	marker := newRecord(markerLifetime)
	if r != nil && r.ended {
		marker.deadline = r.deadline
	}
	marker.ended = true
	marker.user = user // which says what the marker is worth
	marker.version = newVersion()
	marker.follow(r)
	return marker
}

// end puts a marker in place of the session of user, or "", whatever others commit
// meanwhile. A session without a record is one that is about to be created. Where there
// is a marker already, it is written again, since it may be one that the store could not
// confirm (store.ErrUnconfirmed).
func (a *attempt) end(s persisted, user string) error {
	for n := 0; ; n++ {
		done, current, err := a.swap(s.ident, s.record, endedRecord(s.record, user))
		switch {
		case err != nil:
			return err
		case done:
			a.unindex(s)
			return nil
		case current == nil || current.moved:
			return endedBy(current)
		}
		s.record = current
		if current.ended { // somebody else is at it too
			a.pause(firstPause + n)
		} else {
			a.pause(n)
		}
	}
}

// destroy ends the session and drops what was to be changed in it. If the store
// fails, the next commit tries again.
func (t *transaction) destroy(ctx context.Context) error {
	a := t.attempt(ctx, "destroy")
	defer a.writing.end()
	if err := t.lockCommits(a); err != nil {
		return err
	}
	defer t.unlockCommits()

	t.mu.Lock()
	t.accessed = true
	t.departed, t.renounce = true, t.oldCookies()
	switch err := t.readonly; {
	case err == nil:
	case errors.Is(err, ErrUnknown):
		t.readonly = nil // whatever became of the commit, this is to end
	case err == ErrEnded:
		t.readonly = nil // somebody else has signed out; what comes after begins a new session
		t.ending, t.endedElsewhere = t.endedElsewhere, nil
		t.hasEnded = true
		t.mu.Unlock()
		return t.failing(t.finishEnding(a))
	default:
		t.departed, t.renounce = false, nil
		t.fault = err // or the response could say "signed out"
		t.mu.Unlock()
		return err
	}
	if t.saved != nil {
		t.ending, t.hasEnded = &persisted{t.ident, t.saved}, false
		t.obsolete = t.obsolete || t.held
	}
	t.ident, t.saved, t.view, t.pending, t.fault = identity{}, nil, nil, nil, nil
	t.presented, t.held, t.tookOver = false, false, false
	t.undos = nil // what it took was the session's, and goes with it
	t.revision++
	t.mu.Unlock()

	return t.failing(t.finishEnding(a))
}

// failing remembers why destroy failed, if it did.
func (t *transaction) failing(err error) error {
	if err != nil {
		t.mu.Lock()
		t.failure = err
		t.mu.Unlock()
	}
	return err
}

// finishEnding ends the session that destroy left to be ended, if there is one, and
// before it what the old library's cookies could bring back.
func (t *transaction) finishEnding(a *attempt) error {
	t.mu.Lock()
	s, hasEnded, cookies, r := t.ending, t.hasEnded, t.renounce, t.request
	t.mu.Unlock()
	own := ""
	if s != nil {
		own = s.ident.id
	}
	for _, cookie := range cookies {
		if err := a.renounce(r, cookie, own); err != nil {
			return err
		}
	}
	t.mu.Lock()
	t.renounce = nil
	t.mu.Unlock()
	if s == nil {
		return nil
	}
	err := a.end(*s, s.record.user)
	if isStoreError(err) {
		return err
	}
	if hasEnded && err == errGone {
		err = nil // and even its marker is gone
	}
	t.mu.Lock()
	t.ending = nil
	if err != nil {
		// The visitor has the new id by now, so the cookie is not ours to expire,
		// and a page that says "signed out" would not be true.
		t.obsolete, t.departed, t.readonly, t.fault = false, false, err, err
	}
	t.mu.Unlock()
	return err
}
