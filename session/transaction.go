package session

import (
	"context"
	"net/http"
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

	// What is to be ended once more if this request signs out, since somebody else has
	// ended it and may not have been sure: the session or its marker.
	endedElsewhere *persisted
	hasEnded       bool     // ending is about that
	renounce       []string // cookies of the old library that Destroy could not note yet

	reads    []string // the keys that were read, at first in fewReads
	fewReads [2]string
	readUser bool
	accessed bool

	readonly error // why nothing can be changed
	fault    error // the first change that could not be made since the last commit
	failure  error // of the last commit that failed
	tooLate  error // the first change that came after the handler had returned

	attempted time.Time // the deadline of the last operation on the store
	until     time.Time // that of the next ones too, unless it is zero

	headersSent bool
	sealed      bool // the handler has returned
	held        bool // the browser came with the cookie of this session
	presented   bool // and that is still the cookie of ident
	obsolete    bool // the browser's cookie is that of a session that this request ended
	departed    bool // this request has signed out, so the cookie of the old library is to go too
	tookOver    bool // the browser has to be told of ident only because of that, and can be later

	undos  []undo
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

// drop forgets every change that is not committed.
func (t *transaction) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reset()
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
