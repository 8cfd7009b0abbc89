package session

import (
	"context"
	"sync"

	"github.com/gosatchel/satchel/internal/exchange"
	"github.com/gosatchel/satchel/store"
)

// A Manager gives requests their sessions. Make one with [New] and wrap the
// app's handler with [Manager.Handler]. It is safe for concurrent use.
type Manager struct {
	store   *guard
	indexer store.Indexer // the guard too; nil if the store has no index
	options Options
	engine  engine

	asking chan struct{} // a slot for each call of Importer.Session; nil without one

	warnPlainHTTP sync.Once
	logLimit      logLimit
}

// New returns a manager that keeps its sessions in s. Any number of managers, in
// any number of processes, may share a store: those with the same cookie name
// and attributes serve the same sessions, others know nothing of each other.
//
// New panics if s is nil or the options can't work, like [http.ServeMux] does
// for a bad pattern. It does not contact the store.
func New(s store.Store, o Options) *Manager {
	if s == nil {
		refuse("New needs a store; use memstore.New() to keep sessions in memory")
	}
	o = o.checked()
	_, lists := s.(store.Indexer)
	if !lists && o.MaxPerUser > 0 {
		refuse("Options.MaxPerUser needs a store that lists a user's sessions (store.Indexer), which %T does not; use memstore or redisstore, or leave it 0", s)
	}
	m := &Manager{options: o}
	m.store = newGuard(s, o.StoreTimeout, m.log)
	if lists {
		m.indexer = m.store
	}
	m.engine = newEngine(m.store, o)
	if o.Import != nil {
		m.asking = make(chan struct{}, maxAsking)
	}
	return m
}

// Context returns a context in which the functions of this package and its keys
// mean m's session, where several managers wrap a handler. Without it they mean
// the innermost one's. It panics if m does not wrap the handler.
func (m *Manager) Context(ctx context.Context) context.Context {
	all, current := innermost(ctx), transactionOf(ctx)
	for t := all; t != nil; t = t.enclosing {
		if t.manager == m {
			if current.outer == t {
				t = current // the Transact that ctx is in
			}
			return context.WithValue(exchange.With(ctx, t), choiceKey{}, choice{t, all})
		}
	}
	panic(noSession("this manager"))
}

// A choice is in a context that was made by Manager.Context. It remembers what
// there was to choose from.
type choice struct{ chosen, innermost *transaction }

type choiceKey struct{}

// innermost returns the transaction of the innermost manager around ctx, whichever
// is chosen.
func innermost(ctx context.Context) *transaction {
	t := transactionOf(ctx)
	if c, ok := ctx.Value(choiceKey{}).(choice); ok && (c.chosen == t || c.chosen == t.outer) {
		return c.innermost
	}
	return t
}

// within returns the transaction that ctx belongs to.
func within(ctx context.Context) *transaction {
	t := transactionOf(ctx)
	if t == nil {
		panic(noSession("a session manager"))
	}
	return t
}

func transactionOf(ctx context.Context) *transaction {
	t, _ := exchange.From(ctx).(*transaction)
	return t
}

func noSession(whose string) string {
	return "session: the context has no session of " + whose + ": wrap the handler that all requests go through, " +
		"as in http.ListenAndServe(addr, sessions.Handler(mux)), and pass on the context of its request, r.Context()"
}
