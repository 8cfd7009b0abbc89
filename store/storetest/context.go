package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

func contextCases() []testCase {
	const rule = " with a context that is done returns at once, with an error that wraps the context's"
	return []testCase{
		{name: "done-find", rule: "Find" + rule + ".", run: doneFind},
		{name: "done-swap", rule: "Swap" + rule + ", and writes nothing.", run: doneSwap},
		{name: "done-touch", rule: "Touch" + rule + ", and writes nothing.", run: doneTouch},
		{name: "done-delete", rule: "Delete" + rule + ", and deletes nothing.", run: doneDelete},
	}
}

// atOnce is generous: a busy machine isn't to blame the store, but one that
// waits for its own time-out is.
const atOnce = 2 * time.Second

// done calls do with a context that was cancelled and one whose deadline is past.
func (e *env) done(do func(ctx context.Context) error) error {
	cancelled, cancel := context.WithCancel(e.ctx)
	cancel()
	expired, cancel := context.WithDeadline(e.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		start := time.Now()
		err := do(ctx)
		if took := time.Since(start); took > atOnce {
			return fmt.Errorf("%v: it took %v", ctx.Err(), took)
		}
		if !errors.Is(err, ctx.Err()) {
			return fmt.Errorf("%v: error %v, want one that wraps %q", ctx.Err(), err, ctx.Err())
		}
	}
	return nil
}

func doneFind(e *env) error {
	id := e.name("id")
	return first(
		func() error { return e.create(id, record("data", long)) },
		func() error {
			return e.done(func(ctx context.Context) error {
				_, err := e.store.Find(ctx, id)
				return err
			})
		},
	)
}

func doneSwap(e *env) error {
	created, replaced := e.name("created"), e.name("replaced")
	r := record("data", long)
	return first(
		func() error {
			return e.done(func(ctx context.Context) error { return e.store.Swap(ctx, created, none, record("next", long)) })
		},
		func() error { return e.holdsNone(created, "after a Swap without time") },
		func() error { return e.create(replaced, r) },
		func() error {
			return e.done(func(ctx context.Context) error {
				return e.store.Swap(ctx, replaced, r.Version, record("next", long))
			})
		},
		func() error { return e.holds(replaced, r, "after a Swap without time") },
	)
}

func doneTouch(e *env) error {
	id, since := e.name("id"), time.Now()
	r := record("data", long)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			return e.done(func(ctx context.Context) error { return e.store.Touch(ctx, id, r.Version, 10*long) })
		},
		func() error {
			got, err := e.store.Find(e.ctx, id)
			if err != nil {
				return err
			}
			return within(got.TTL, long-time.Since(since)-time.Minute, 2*long, "after a Touch without time")
		},
	)
}

func doneDelete(e *env) error {
	id := e.name("id")
	r := record("data", long)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			return e.done(func(ctx context.Context) error { return e.store.Delete(ctx, id) })
		},
		func() error { return e.holds(id, r, "after a Delete without time") },
	)
}
