package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// errRerun tells Transact that what its function had read or changed was changed
// by somebody else. Nothing was written.
var errRerun = errors.New("session: run it again")

// errPanicked concludes a commit in which a function of the app has panicked.
var errPanicked = errors.New("session: a function of an Update has panicked")

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
		if err != errRerun {
			t.failure = err
		}
		t.mu.Unlock()
		t.unlockCommits()
	}()

	if err := t.finishEnding(a); err != nil {
		return err
	}
	store, err := t.stage(ctx, a, fork)
	if store == nil {
		return err
	}
	concluded := false
	defer func() {
		if !concluded { // an Update has panicked, on what others had stored
			t.conclude(a, errPanicked)
		}
	}()
	err = store(a)
	concluded = true
	t.conclude(a, err)
	return err
}

// stage hands the changes over to a, and returns how they are to be stored; nil if
// there is nothing to store, or something speaks against it.
func (t *transaction) stage(ctx context.Context, a *attempt, fork *transaction) (store func(*attempt) error, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changes, view := t.pending, t.view
	if fork != nil {
		if t.sealed {
			return nil, ErrDone
		}
		if fork.begun != t.revision {
			return nil, errRerun
		}
		changes, view = slices.Concat(t.pending, fork.pending), fork.view
	}
	if t.headersSent && t.fault == nil && (t.saved == nil && len(changes) > 0 || slices.ContainsFunc(changes, changesCookie)) {
		t.fault = ErrHeadersSent
	}
	if err := t.fault; err != nil {
		if fork == nil {
			t.reset() // otherwise it stays for a commit that is about it
		}
		return nil, err
	}
	if err := ctx.Err(); err != nil && t.saved != nil && slices.ContainsFunc(changes, renews) {
		// Nobody would get the new id, and the old one would have ended.
		t.reset()
		return nil, fmt.Errorf("session: not renewed, since the client has gone: %w", err)
	}
	if len(changes) == 0 || t.stored(view, changes) {
		t.reset()
		t.adopt(fork)
		return nil, nil
	}
	t.inflight, t.pending = t.pending, nil
	a.fork, a.own = fork, t.inflight
	a.first = *view // the values are shared, and stay as they are
	a.ident, a.base, a.next = t.ident, t.saved, &a.first
	a.signsIn = slices.ContainsFunc(changes, signsIn)
	switch {
	case t.saved == nil:
		return (*attempt).create, nil
	case slices.ContainsFunc(changes, renews):
		return (*attempt).renew, nil
	}
	return (*attempt).overwrite, nil
}

// reset forgets every change that is not being committed.
func (t *transaction) reset() {
	t.pending, t.fault = nil, nil
	t.view = t.saved
	t.revision++
}

// giveUp drops what an earlier commit of this request failed to store or to end.
// A handler that answers such a failure with a 5xx has told the client that
// nothing was saved, and trying once more could make that untrue.
func (t *transaction) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if isStoreError(t.failure) {
		if t.ending != nil || t.renounce != nil {
			t.ending, t.renounce, t.obsolete, t.departed = nil, nil, false, false // the session is still there
		}
		t.reset()
	}
}

// dirty reports whether there is something to commit, or being committed.
func (t *transaction) dirty() bool {
	return len(t.pending) > 0 || t.inflight != nil || t.fault != nil || t.ending != nil || t.renounce != nil
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
	if dropped := errors.Is(err, ErrEnded) || errors.Is(err, ErrUnknown); dropped && a.fork != nil && len(waiting) > 0 && t.fault == nil {
		// Whoever ran the Transact is told, but not whoever made these changes.
		t.fault = err
	}
	switch {
	case err == nil:
		before := t.saved
		t.left = 0
		if a.ident.token != t.ident.token || before == nil ||
			!before.deadline.Equal(a.next.deadline) || before.remembered != a.next.remembered {
			t.presented, t.tookOver = false, false
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
	if t.saved != nil {
		t.endedElsewhere = &persisted{t.ident, t.saved}
	}
	t.ident, t.saved, t.pending, t.readonly = identity{}, nil, nil, err
}

func isStoreError(err error) bool {
	var failed *StoreError
	return errors.As(err, &failed)
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
