package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gosatchel/satchel/internal/exchange"
)

// A transaction is one request's view of its session, and what the request wants
// to change of it. Handlers start goroutines, so all of it is guarded by a
// mutex, which is never held while the app's code or the store runs.
//
// Inside Transact a transaction is forked: the fork has an outer one, begins
// with its view, and hands over its changes in one piece or not at all.
type transaction struct {
	manager   *Manager
	enclosing *transaction  // of the manager around this one, if any
	inner     *transaction  // of the manager inside this one, if any
	outer     *transaction  // in a fork
	request   *http.Request // nil for a Do

	mu    sync.Mutex
	ident identity
	saved *record       // the state in the store, as far as we know; nil if there is none
	left  time.Duration // that it had to live when it was loaded; 0 if we wrote it
	view  *record       // saved with the changes; nil if there is neither

	pending  []change   // not committed yet
	inflight []change   // being committed
	revision int        // counts the states of view
	begun    int        // in a fork: the revision of outer that it began with
	ending   *persisted // a session that Destroy could not end yet

	reads    []string // the keys that were read, at first in fewReads
	fewReads [2]string
	readUser bool
	accessed bool

	readonly error // why nothing can be changed
	fault    error // the first change that could not be made since the last commit
	failure  error // of the last commit that failed
	tooLate  error // the first change that came after the handler had returned

	headersSent bool
	sealed      bool // the handler has returned
	held        bool // the browser came with the cookie of this session
	presented   bool // and that is still the cookie of ident
	obsolete    bool // the browser's cookie is that of a session that this request ended

	undos  []func(context.Context)
	locals map[any]any

	committing turn
}

// persisted is a session as it is in the store.
type persisted struct {
	ident  identity
	record *record
}

var _ exchange.Exchange = (*transaction)(nil)

func (t *transaction) begin(m *Manager, ctx context.Context) {
	t.manager, t.enclosing = m, innermost(ctx)
}

// nest tells the managers around this one's of t, and refuses one that would be
// taken for this one by its cookie.
func (t *transaction) nest() {
	if e := t.enclosing; e != nil {
		e.mu.Lock()
		e.inner = t
		e.mu.Unlock()
	}
	for e := t.enclosing; e != nil; e = e.enclosing {
		if name := t.manager.options.Cookie.Name; name == e.manager.options.Cookie.Name {
			refuse("two nested managers both use the cookie %q; give one of them another Options.Cookie.Name", name)
		}
	}
}

// fork returns the transaction of one run of a Transact in t.
func (t *transaction) fork() *transaction {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accessed = true
	return &transaction{
		manager: t.manager, enclosing: t.enclosing, outer: t, request: t.request,
		ident: t.ident, saved: t.view, view: t.view, begun: t.revision,
		readonly: t.readonly, headersSent: t.headersSent, sealed: t.sealed,
		presented: t.presented,
	}
}

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
		if !t.admit(c) {
			t.mu.Unlock()
			return
		}
		view, revision := t.view, t.revision
		t.mu.Unlock()

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
			t.refuse(named(c, errMeddling))
		case err != nil:
			t.refuse(err)
		case !changed:
			// What a fork has looked at and left alone counts as read.
			t.noteRead(valueOf(c))
		default:
			t.view = next
			t.revision++
			t.pending = compact(t.pending, c)
		}
		t.mu.Unlock()
		return
	}
}

// admit reports whether c can be made now. If not, it has seen to what follows.
func (t *transaction) admit(c change) bool {
	t.accessed = true
	if t.sealed {
		t.refuse(named(c, ErrDone))
		return false
	}
	if signsIn(c) && errors.Is(t.readonly, ErrEnded) {
		t.readonly = nil // a sign-in on an ended id begins a new session
	}
	if t.readonly != nil {
		t.refuse(named(c, t.readonly))
		return false
	}
	if t.view == nil && !begins(c) {
		return false
	}
	if t.headersSent && (t.saved == nil || changesCookie(c)) {
		t.refuse(named(c, ErrHeadersSent))
		return false
	}
	return true
}

// refuse remembers why a change could not be made, for the next commit to fail
// with. Where no commit may come that somebody sees, it goes to the log as well.
func (t *transaction) refuse(err error) {
	switch {
	case t.sealed && t.outer == nil:
		t.tooLate = err // no fault of what the handler itself has changed
	case t.fault == nil:
		t.fault = err
	}
	if t.sealed || t.headersSent {
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

// drop forgets every change that is not committed.
func (t *transaction) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending, t.fault = nil, nil
	t.view = t.saved
	t.revision++
}

// refuseAll makes the session read-only from now on.
func (t *transaction) refuseAll(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readonly == nil {
		t.readonly = err
	}
}

// inside returns the transaction of the manager inside t's, or nil.
func (t *transaction) inside() *transaction {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inner
}

// seal refuses further changes, since the handler has returned, and reports
// whether there are some to commit.
func (t *transaction) seal() (dirty bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
	return t.dirty()
}

// err is session.Err.
func (t *transaction) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, err := range []error{t.tooLate, t.readonly, t.fault, t.failure} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) log(level slog.Level, msg string, args ...any) {
	t.manager.options.Logger.Log(context.Background(), level, msg, append(args, "cookie", t.manager.options.Cookie.Name)...)
}
