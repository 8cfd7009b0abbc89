package storetest_test

import (
	"context"
	"errors"
	"time"

	"github.com/gosatchel/satchel/store"
)

func brokenContexts() []broken {
	var all []broken
	for _, f := range []struct {
		fault string
		// do is what becomes of a call: it may change the context of the real call.
		do func(ctx context.Context, call func(context.Context) error) error
	}{
		{
			fault: "ignores contexts",
			do: func(ctx context.Context, call func(context.Context) error) error {
				return call(context.WithoutCancel(ctx))
			},
		},
		{
			fault: "acts although the context is done",
			do: func(ctx context.Context, call func(context.Context) error) error {
				if err := call(context.WithoutCancel(ctx)); err != nil {
					return err
				}
				return ctx.Err()
			},
		},
		{
			fault: "waits for a time-out of its own",
			do: func(ctx context.Context, call func(context.Context) error) error {
				if ctx.Err() != nil {
					time.Sleep(time.Minute)
				}
				return call(ctx)
			},
		},
		{
			fault: "doesn't wrap the context's error",
			do: func(ctx context.Context, call func(context.Context) error) error {
				if err := ctx.Err(); err != nil {
					return errors.New(err.Error())
				}
				return call(ctx)
			},
		},
	} {
		reads := f.fault == "acts although the context is done" // harmless where nothing is written
		if !reads {
			all = append(all, broken{fault: f.fault + " when it finds", red: "done-find", open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (found store.Record, err error) {
					err = f.do(ctx, func(ctx context.Context) error {
						found, err = r.Find(ctx, id)
						return err
					})
					return found, err
				}
			})}, broken{fault: f.fault + " when it lists", red: "index-done", open: with(func(r *reference, a *altered) {
				a.owned = func(ctx context.Context, owner string) (owned []store.Entry, err error) {
					err = f.do(ctx, func(ctx context.Context) error {
						owned, err = r.Owned(ctx, owner)
						return err
					})
					return owned, err
				}
			})})
		}
		all = append(all,
			broken{fault: f.fault + " when it swaps", red: "done-swap", open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					return f.do(ctx, func(ctx context.Context) error { return r.Swap(ctx, id, prev, next) })
				}
			})},
			broken{fault: f.fault + " when it touches", red: "done-touch", open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					return f.do(ctx, func(ctx context.Context) error { return r.Touch(ctx, id, v, ttl) })
				}
			})},
			broken{fault: f.fault + " when it deletes", red: "done-delete", open: with(func(r *reference, a *altered) {
				a.del = func(ctx context.Context, id string) error {
					return f.do(ctx, func(ctx context.Context) error { return r.Delete(ctx, id) })
				}
			})},
			broken{fault: f.fault + " when it indexes", red: "index-done", open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					return f.do(ctx, func(ctx context.Context) error { return r.Index(ctx, owner, ref, id, ttl) })
				}
			})},
			broken{fault: f.fault + " when it unindexes", red: "index-done", open: with(func(r *reference, a *altered) {
				a.unindex = func(ctx context.Context, owner, id string) error {
					return f.do(ctx, func(ctx context.Context) error { return r.Unindex(ctx, owner, id) })
				}
			})},
		)
	}
	return all
}
