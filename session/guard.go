package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gosatchel/satchel/internal/breaker"
	"github.com/gosatchel/satchel/store"
)

// A guard is a store.Store that spares requests the wait for a store that does
// not answer. Manager uses its methods of a store.Indexer only where the inner
// store is one.
//
// An operation that failed after slow or more is a strike, whatever the error. A
// store that is quick to refuse, because it is full, loading or a replica,
// keeps nobody waiting. Its refusals are answers, or a store that takes no writes
// would not be read either.
type guard struct {
	store.Store
	indexer store.Indexer // nil if the store has no index
	breaker *breaker.Breaker
	timeout time.Duration // of an operation
	slow    time.Duration // what makes a failure a strike: a tenth of it
	log     func(level slog.Level, msg string, args ...any)
}

func newGuard(s store.Store, timeout time.Duration, log func(slog.Level, string, ...any)) *guard {
	indexer, _ := s.(store.Indexer)
	g := &guard{Store: s, indexer: indexer, timeout: timeout, slow: timeout / 10, log: log}
	g.breaker = breaker.New(g.probe, timeout, g.slow)
	return g
}

// probeID is of no record, and like any other.
var probeID = hashed("", "")

// probe looks for a record that is not there.
func (g *guard) probe(p breaker.Pass) {
	ctx, cancel := context.WithTimeout(context.Background(), g.timeout)
	defer cancel()
	defer func() {
		if bug := recover(); bug != nil {
			g.log(slog.LevelError, "session: the store panicked while it was probed", "panic", bug)
			panic(bug) // for the request that waits, if it still does
		}
	}()
	_, _ = g.find(ctx, p, probeID)
}

var (
	errOpen = errors.New("the store has not been answering; until it does, nothing else is tried")

	// errOpenToWrites saves the look at what became of a write that was not sent.
	errOpenToWrites = fmt.Errorf("%w: %w", errOpen, store.ErrNotApplied)

	// errUnfinished stands for the outcome of an operation that has panicked.
	errUnfinished = errors.New("the store has panicked")
)

// run makes the call of an operation that was let through.
func (g *guard) run(ctx context.Context, p breaker.Pass, call func() error) (err error) {
	err = errUnfinished
	defer func() { g.settle(ctx, p, err) }()
	return call()
}

// settle draws the conclusions from how an operation has ended.
func (g *guard) settle(ctx context.Context, p breaker.Pass, err error) {
	if err == nil && g.breaker.Noted(p) {
		return
	}
	switch turn, after := g.breaker.Settle(p, g.judge(ctx, err, g.breaker.Took(p))); turn {
	case breaker.Opened:
		g.log(slog.LevelError, "session: the store does not answer; requests fail at once until it does", "error", err)
	case breaker.Closed:
		g.log(slog.LevelInfo, "session: the store keeps nobody waiting any more", "after", after.Round(time.Millisecond))
	}
}

// judge returns what err, after took, says of the store.
//
// An operation that its caller gave up says nothing: clients that come and go, or have
// less patience than we, must not deny others a store that is only slow. Nor does one
// that came with next to no time left, which the steps before it had used up.
func (g *guard) judge(ctx context.Context, err error, took time.Duration) breaker.Finding {
	var conflict *store.Conflict
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound), errors.As(err, &conflict), errors.Is(err, store.ErrDamaged):
		return breaker.Answered
	case err == errUnfinished, givenUp(ctx):
		return breaker.Nothing
	case errors.Is(err, store.ErrUnconfirmed) && !errors.Is(err, context.DeadlineExceeded):
		return breaker.Nothing // mostly that replicas are late, and the store itself is not
	case took >= g.slow:
		return breaker.Strike
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return breaker.Nothing
	}
	return breaker.Answered
}

func (g *guard) Find(ctx context.Context, id string) (found store.Record, err error) {
	p, ok := g.breaker.Enter(ctx)
	if !ok {
		return store.Record{}, errOpen
	}
	return g.find(ctx, p, id)
}

// look is a Find that is tried even while the breaker is open: how a write that
// got no answer has ended must be found out, or the visitor can't be told. There
// are not many, since the write had to be let through.
func (g *guard) look(ctx context.Context, id string) (found store.Record, err error) {
	return g.find(ctx, g.breaker.Free(), id)
}

func (g *guard) find(ctx context.Context, p breaker.Pass, id string) (found store.Record, err error) {
	err = g.run(ctx, p, func() error {
		found, err = g.Store.Find(ctx, id)
		return err
	})
	return found, err
}

func (g *guard) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	return g.write(ctx, func() error { return g.Store.Swap(ctx, id, prev, next) })
}

func (g *guard) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	return g.write(ctx, func() error { return g.Store.Touch(ctx, id, v, ttl) })
}

func (g *guard) Delete(ctx context.Context, id string) error {
	return g.write(ctx, func() error { return g.Store.Delete(ctx, id) })
}

// remove is a Delete that is tried even then: what it is about would otherwise stay
// behind.
func (g *guard) remove(ctx context.Context, id string) error {
	return g.run(ctx, g.breaker.Free(), func() error { return g.Store.Delete(ctx, id) })
}

func (g *guard) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	return g.write(ctx, func() error { return g.indexer.Index(ctx, owner, ref, id, ttl) })
}

func (g *guard) Unindex(ctx context.Context, owner, id string) error {
	return g.write(ctx, func() error { return g.indexer.Unindex(ctx, owner, id) })
}

func (g *guard) Owned(ctx context.Context, owner string) (entries []store.Entry, err error) {
	p, ok := g.breaker.Enter(ctx)
	if !ok {
		return nil, errOpen
	}
	err = g.run(ctx, p, func() error {
		entries, err = g.indexer.Owned(ctx, owner)
		return err
	})
	return entries, err
}

func (g *guard) write(ctx context.Context, call func() error) error {
	p, ok := g.breaker.Enter(ctx)
	if !ok {
		return errOpenToWrites
	}
	return g.run(ctx, p, call)
}
