package session

import (
	"errors"
	"log/slog"
	"slices"
)

// The view is what a request sees of its session: what is saved, with its own
// changes. It is replaced, never changed, so it can be looked at without a lock.

// read returns the encoded value of a key, or nil.
func (t *transaction) read(name string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accessed = true
	t.noteRead(name)
	if t.view == nil {
		return nil
	}
	return t.view.values.get(name)
}

func (t *transaction) noteRead(name string) {
	if slices.Contains(t.reads, name) {
		return
	}
	if t.reads == nil {
		t.reads = t.fewReads[:0]
	}
	t.reads = append(t.reads, name)
}

// hasRead reports whether the request has read a key.
func (t *transaction) hasRead(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.reads, name)
}

// look returns the view; nil if there is no session.
func (t *transaction) look() *record {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accessed = true
	return t.view
}

// maxRuns bounds how often a function of the app runs for one change, so that one
// which itself changes the session, and so always has to run again, comes to an end.
const maxRuns = 1000

// change applies c to the view, and keeps it for the next commit.
func (t *transaction) change(c change) {
	for n := 0; ; n++ {
		t.mu.Lock()
		ok, err := t.admit(c)
		view, revision := t.view, t.revision
		t.mu.Unlock()
		if err != nil {
			t.refuse(named(c, err))
		}
		if !ok {
			return
		}

		// No lock is held here: an Update runs the app's code, which may read other keys.
		next := t.successor(view)
		changed, err := apply(c, next, t.manager.options.MaxBytes)

		t.mu.Lock()
		if t.revision != revision && n < maxRuns {
			t.mu.Unlock()
			continue // another goroutine of this request was faster
		}
		switch {
		case t.revision != revision:
			err = named(c, errMeddling)
		case err != nil:
		case !changed:
			// What a fork has looked at and left alone counts as read.
			t.noteRead(valueOf(c))
		default:
			t.view = next
			t.revision++
			t.pending = compact(t.pending, c)
		}
		t.mu.Unlock()
		if err != nil {
			t.refuse(err)
		}
		return
	}
}

// admit reports whether c can be made now, and if not, why, where anybody has to know.
func (t *transaction) admit(c change) (bool, error) {
	t.accessed = true
	if signsIn(c) && !t.sealed && errors.Is(t.readonly, ErrEnded) {
		t.readonly = nil // a sign-in on an ended id begins a new session
	}
	switch {
	case t.sealed:
		return false, ErrDone
	case t.readonly != nil:
		return false, t.readonly
	case t.view == nil && !begins(c):
		return false, nil
	case t.headersSent && (t.saved == nil || changesCookie(c)):
		return false, ErrHeadersSent
	}
	return true, nil
}

// refuse remembers why a change could not be made, for the next commit to fail
// with. Where no commit may come that somebody sees, it goes to the log as well.
func (t *transaction) refuse(err error) {
	t.mu.Lock()
	switch {
	case t.sealed && t.outer == nil:
		t.tooLate = err // no fault of what the handler itself has changed
	case t.fault == nil:
		t.fault = err
	}
	late := t.sealed || t.headersSent
	t.mu.Unlock()
	if late {
		t.log(slog.LevelError, "session: a change came too late and is lost", "error", err)
	}
}

// successor returns a record to make changes to, which is like r, or new if r is nil.
func (t *transaction) successor(r *record) *record {
	if r == nil {
		return newRecord(t.manager.options.AnonymousLifetime)
	}
	return r.clone()
}

// replay returns what becomes of current when changes are made to it.
func (t *transaction) replay(changes []change, current *record) (*record, error) {
	next := t.successor(current)
	for _, c := range changes {
		if _, err := apply(c, next, t.manager.options.MaxBytes); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// rebase makes the view stand on what is saved now.
func (t *transaction) rebase() {
	for {
		t.mu.Lock()
		base, pending, revision := t.saved, slices.Clone(t.pending), t.revision
		if len(pending) == 0 {
			t.view = base
			t.revision++
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()

		view, err := t.replay(pending, base)

		t.mu.Lock()
		if t.revision == revision {
			if err != nil {
				t.fault, t.pending, view = err, nil, base
			}
			t.view = view
			t.revision++
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
	}
}
