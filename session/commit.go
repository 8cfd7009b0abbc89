package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// errRerun tells Transact that what its function had read or changed was changed
// by somebody else. Nothing was written.
var errRerun = errors.New("session: run it again")

// commit makes the pending changes durable, and with them those of fork, which
// may be nil. One commit of a transaction runs at a time; changes made meanwhile
// wait for the next one.
//
// If the store is known to have refused, everything stays as it is, and the next
// commit tries again; only fork's changes are dropped. See giveUp.
func (t *transaction) commit(ctx context.Context, fork *transaction) (err error) {
	if fork == nil {
		t.mu.Lock()
		dirty := t.dirty()
		t.mu.Unlock()
		if !dirty {
			return nil
		}
	}
	a := t.attempt(ctx, "commit")
	defer a.writing.end()
	if err := t.lockCommits(a); err != nil {
		return err
	}
	defer func() {
		t.mu.Lock()
		if err != nil && err != errRerun {
			t.failure = err
		}
		t.mu.Unlock()
		t.unlockCommits()
	}()

	if err := t.finishEnding(a); err != nil {
		return err
	}
	t.mu.Lock()
	switch {
	case fork != nil && t.sealed:
		t.mu.Unlock()
		return ErrDone
	case fork != nil && fork.begun != t.revision:
		t.mu.Unlock()
		return errRerun
	}
	changes, view := t.pending, t.view
	if fork != nil {
		changes, view = slices.Concat(t.pending, fork.pending), fork.view
	}
	if late := t.headersSent && (t.saved == nil && len(changes) > 0 || slices.ContainsFunc(changes, changesCookie)); late && t.fault == nil {
		t.fault = ErrHeadersSent
	}
	if err := t.fault; err != nil {
		t.pending, t.fault = nil, nil
		t.view = t.saved
		t.revision++
		t.mu.Unlock()
		return err
	}
	if len(changes) == 0 || t.stored(view, changes) {
		t.pending, t.view = nil, t.saved
		t.revision++
		t.adopt(fork)
		t.mu.Unlock()
		return nil
	}
	t.inflight, t.pending = t.pending, nil
	a.fork, a.own = fork, t.inflight
	a.first = *view // the values are shared, and stay as they are
	a.ident, a.base, a.next = t.ident, t.saved, &a.first
	a.signsIn = slices.ContainsFunc(changes, signsIn)
	store := a.overwrite
	switch {
	case t.saved == nil:
		store = a.create
	case slices.ContainsFunc(changes, renews):
		store = a.renew
	}
	t.mu.Unlock()

	err = store()
	t.conclude(a, err)
	return err
}

// giveUp drops what an earlier commit of this request failed to store or to end.
// A handler that answers such a failure with a 5xx has told the client that
// nothing was saved, and trying once more could make that untrue.
func (t *transaction) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if isStoreError(t.failure) {
		t.pending, t.ending, t.fault = nil, nil, nil
		t.view = t.saved
		t.revision++
	}
}

// dirty reports whether there is something to commit, or being committed.
func (t *transaction) dirty() bool {
	return len(t.pending) > 0 || t.inflight != nil || t.fault != nil || t.ending != nil
}

// stored reports whether there is no need to write view, because the changes
// cancelled each other out.
func (t *transaction) stored(view *record, changes []change) bool {
	if slices.ContainsFunc(changes, renews) {
		return false
	}
	if t.saved == nil {
		return view.user == "" && len(view.values) == 0
	}
	return view.sameAs(t.saved)
}

// conclude brings t up to date with what became of an attempt.
func (t *transaction) conclude(a *attempt, err error) {
	t.mu.Lock()
	waiting := t.inflight
	t.inflight = nil
	switch {
	case err == nil:
		before := t.saved
		t.left = 0
		if a.ident.token != t.ident.token || before == nil ||
			!before.deadline.Equal(a.next.deadline) || before.remembered != a.next.remembered {
			t.presented = false
		}
		t.ident, t.saved = a.ident, a.next
		if errors.Is(t.readonly, ErrEnded) {
			t.readonly = nil // a sign-in has begun a new session
		}
		if a.next.ended { // by somebody else, right after
			t.endedByOthers(endedBy(a.next))
		}
		t.adopt(a.fork)
	case errors.Is(err, ErrEnded):
		t.endedByOthers(err)
	case errors.Is(err, ErrUnknown):
		t.pending, t.readonly = nil, err
	case err == errRerun:
		t.saved = a.base
		t.pending = append(waiting, t.pending...)
	case isStoreError(err):
		t.pending = append(waiting, t.pending...)
	case a.fork != nil:
		t.pending = append(waiting, t.pending...)
	default: // the merged session is too large, or an Update failed on what others had stored
		t.pending = nil
	}
	t.mu.Unlock()
	t.rebase()
}

// adopt takes over from a fork that was committed what is to be undone if the
// response shows nothing.
func (t *transaction) adopt(fork *transaction) {
	if fork != nil {
		t.undos = append(t.undos, fork.undos...)
	}
}

// endedByOthers leaves t with an empty session that can't be written, and the
// browser's cookie as it is.
func (t *transaction) endedByOthers(err error) {
	t.ident, t.saved, t.pending, t.readonly = identity{}, nil, nil, err
}

func isStoreError(err error) bool {
	var failed *StoreError
	return errors.As(err, &failed)
}

// touch extends the idle timeout of a session that was only read, if it got
// stale enough to be worth a round trip. A failure costs the visitor nothing
// now, so it is no reason to fail the request.
func (t *transaction) touch(ctx context.Context) {
	m := t.manager
	t.mu.Lock()
	id, saved, left := t.ident.id, t.saved, t.left
	t.mu.Unlock()
	if saved == nil || left == 0 || m.idleTimeout(saved) == 0 {
		return
	}
	ttl := m.timeToLive(saved)
	if ttl <= 0 || ttl-left < touchInterval(m.idleTimeout(saved)) {
		return
	}
	touching := patience{Context: context.WithoutCancel(ctx), until: time.Now().Add(m.options.StoreTimeout)}
	defer touching.end()
	if err := m.store.Touch(&touching, id, saved.version, ttl); err != nil {
		t.log(slog.LevelWarn, "session: the idle timeout could not be extended", "error", &StoreError{"touch", err})
		return
	}
	t.mu.Lock()
	t.left = ttl
	t.mu.Unlock()
}

// logOverwritten reports the Sets among changes that are about to overwrite what
// somebody else committed since this request read the key.
func (t *transaction) logOverwritten(changes []change, before, current *record) {
	for _, c := range changes {
		set, ok := c.(setValue)
		if !ok || !set.read {
			continue
		}
		if was, is := before.values.get(set.name), current.values.get(set.name); string(was) != string(is) {
			t.log(slog.LevelWarn, "session: Set after Get overwrote a concurrent change; use Update", "key", set.name)
		}
	}
}
