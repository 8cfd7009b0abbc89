package scsstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/gosatchel/satchel/internal/detached"
)

// call is a method's work on the scs store. It runs in a goroutine of its own, so
// that the caller can leave while the store takes its time.
type call struct {
	reading  context.Context // the caller's: a read that nobody waits for may end
	patience time.Duration
	started  atomic.Bool // the write, or giving it up: whatever comes first
}

// errGivenUp is the outcome of a call whose caller left before anything was written.
// Nobody sees it.
var errGivenUp = errors.New("given up")

// write does a call's write, unless the caller has left. The write's context outlives
// the caller's: one that is cancelled half-way may still reach the database, after
// its id was let go.
func (c *call) write(do func(ctx context.Context) error) error {
	if !c.started.CompareAndSwap(false, true) {
		return errGivenUp
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.reading), c.patience)
	defer cancel()
	if err := do(ctx); err != nil {
		return &failure{err}
	}
	return nil
}

// giveUp keeps a write from starting, and reports whether it was in time.
func (c *call) giveUp() bool { return c.started.CompareAndSwap(false, true) }

// read runs do, and returns when do does or ctx is done.
func (s *Store) read(ctx context.Context, op string, do func(context.Context) error) error {
	if err := s.enter(ctx); err != nil {
		return failed(op, err)
	}
	done := start(func() error { return do(ctx) }, s.exit)
	select {
	case o := <-done:
		return failed(op, result(o))
	case <-ctx.Done():
		return failed(op, ctx.Err())
	}
}

// write runs do with the token's lock, and returns when do does or ctx is done. The
// lock is kept until do returns.
func (s *Store) write(ctx context.Context, op, token string, do func(*call) error) error {
	if err := ctx.Err(); err != nil {
		return failed(op, notApplied(err))
	}
	// In this order: those that wait for one id must not fill the slots of all.
	release, err := s.locks.acquire(ctx, token)
	if err != nil {
		return failed(op, notApplied(err))
	}
	if err := s.enter(ctx); err != nil {
		release()
		return failed(op, notApplied(err))
	}
	c := &call{reading: ctx, patience: s.patience}
	done := start(func() error { return do(c) }, func() { s.exit(); release() })
	select {
	case o := <-done:
		return failed(op, result(o))
	case <-ctx.Done():
	}
	if c.giveUp() {
		return failed(op, notApplied(ctx.Err()))
	}
	select {
	case o := <-done: // it is known what happened, just in time
		return failed(op, result(o))
	default:
		return failed(op, ctx.Err())
	}
}

// enter waits for a slot.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) exit() { <-s.slots }

// start runs do in a goroutine of its own, and cleanUp after it.
func start(do func() error, cleanUp func()) <-chan detached.Outcome[struct{}] {
	return detached.Call(func() (struct{}, error) { return struct{}{}, do() }, cleanUp)
}

// result panics here if the scs store did in its goroutine.
func result(o detached.Outcome[struct{}]) error {
	_, err := o.Result("scsstore: the scs store")
	return err
}
