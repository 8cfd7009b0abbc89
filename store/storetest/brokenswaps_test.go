package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gosatchel/satchel/store"
)

type swapFunc = func(ctx context.Context, id string, prev store.Version, next store.Record) error

func brokenSwaps() []broken {
	return []broken{
		{
			fault: "never creates an id a second time",
			red:   "alias-conflict index-orphan refuse-swap-ttl swap-create",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					r.mu.Lock()
					_, deleted := r.deleted[id]
					r.mu.Unlock()
					if deleted {
						return store.ErrNotFound
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "overwrites when it should create",
			red:   "alias-conflict conflict-current race-create swap-create-only ttl-conflict",
			open: withSwap(func(current store.Record, prev store.Version) store.Version {
				if prev == (store.Version{}) {
					return current.Version
				}
				return prev
			}),
		},
		{
			fault: "overwrites whatever the version",
			red:   "alias-conflict conflict-current data-bytes data-empty data-large race-counter race-swap swap-stale swap-whole-version ttl-conflict ttl-passes version-bytes",
			open: withSwap(func(current store.Record, prev store.Version) store.Version {
				if prev != (store.Version{}) && current.Version != (store.Version{}) {
					return current.Version
				}
				return prev
			}),
		},
		{
			fault: "compares the first 8 bytes of a version",
			red:   "swap-whole-version",
			open: withSwap(func(current store.Record, prev store.Version) store.Version {
				if prev != (store.Version{}) && bytes.Equal(prev[:8], current.Version[:8]) {
					return current.Version
				}
				return prev
			}),
		},
		{
			fault: "creates a record with any prev",
			red:   "race-delete swap-deleted swap-expired swap-missing",
			open: withSwap(func(current store.Record, prev store.Version) store.Version {
				if current.Version == (store.Version{}) {
					return current.Version
				}
				return prev
			}),
		},
		{
			fault: "brings a deleted record back when it is swapped",
			red:   "race-delete swap-deleted",
			open:  with(func(r *reference, a *altered) { a.swap = swapRevives(r, r.deleted) }),
		},
		{
			fault: "brings an expired record back when it is swapped",
			red:   "swap-expired",
			open:  with(func(r *reference, a *altered) { a.swap = swapRevives(r, r.expired) }),
		},
		{
			fault: "keeps the old data",
			red:   "alias-in conflict-current index-records race-counter race-swap swap-replace swap-stale touch-keeps",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if found, err := r.Find(ctx, id); err == nil && found.Version == prev {
						next.Data = found.Data
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "writes in spite of a conflict",
			red:   "alias-conflict conflict-current race-counter race-create race-swap swap-create-only swap-stale ttl-conflict ttl-passes",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					r.mu.Lock()
					current, ok := r.live(id)
					if ok && current.Version != prev && store.Check(next) == nil && ctx.Err() == nil {
						defer r.mu.Unlock()
						r.put(id, next)
						return &store.Conflict{Current: current}
					}
					r.mu.Unlock()
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "says nothing of the current record in a conflict",
			red:   "conflict-current data-bytes data-empty data-large race-counter race-create race-swap ttl-conflict version-bytes",
			open: withConflict(func(r *reference, id string, next store.Record, c *store.Conflict) {
				c.Current = store.Record{}
			}),
		},
		{
			fault: "returns the refused record in a conflict",
			red:   "conflict-current data-bytes data-empty data-large race-counter race-create race-swap version-bytes",
			open: withConflict(func(r *reference, id string, next store.Record, c *store.Conflict) {
				next.TTL = c.Current.TTL
				c.Current = next
			}),
		},
		{
			fault: "keeps the caller's slice",
			red:   "alias-in",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					err := r.Swap(ctx, id, prev, next)
					if err == nil {
						r.mu.Lock()
						defer r.mu.Unlock()
						k := r.records[id]
						if k.Version == next.Version {
							k.Data = next.Data
							r.records[id] = k
						}
					}
					return err
				}
			}),
		},
		{
			fault: "finds its own slice",
			red:   "alias-out",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					r.mu.Lock()
					defer r.mu.Unlock()
					if err == nil {
						found.Data = r.records[id].Data
					}
					return found, err
				}
			}),
		},
		{
			fault: "hands out its own slice in a conflict",
			red:   "alias-conflict",
			open: withConflict(func(r *reference, id string, next store.Record, c *store.Conflict) {
				r.mu.Lock()
				defer r.mu.Unlock()
				c.Current.Data = r.records[id].Data
			}),
		},
		{
			fault: "looks first and creates then",
			red:   "race-create",
			open: with(func(r *reference, a *altered) {
				a.swap = looksFirst(r, func(prev store.Version) bool { return prev == store.Version{} })
			}),
		},
		{
			fault: "looks first and replaces then",
			red:   "race-counter race-delete race-swap",
			open: with(func(r *reference, a *altered) {
				a.swap = looksFirst(r, func(prev store.Version) bool { return prev != store.Version{} })
			}),
		},
	}
}

// withSwap makes a store whose Swap expects another version than the caller.
func withSwap(expect func(current store.Record, prev store.Version) store.Version) func() store.Store {
	return with(func(r *reference, a *altered) {
		var mu sync.Mutex // so that the fault isn't a race as well
		a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
			mu.Lock()
			defer mu.Unlock()
			r.mu.Lock()
			current, _ := r.live(id)
			r.mu.Unlock()
			return r.Swap(ctx, id, expect(current, prev), next)
		}
	})
}

// withConflict makes a store whose conflicts are altered.
func withConflict(alter func(r *reference, id string, next store.Record, c *store.Conflict)) func() store.Store {
	return with(func(r *reference, a *altered) {
		a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
			err := r.Swap(ctx, id, prev, next)
			if c := (*store.Conflict)(nil); errors.As(err, &c) {
				alter(r, id, next, c)
			}
			return err
		}
	})
}

// swapRevives returns a Swap that brings back what is past, whatever its version.
func swapRevives(r *reference, past map[string]store.Record) swapFunc {
	return func(ctx context.Context, id string, prev store.Version, next store.Record) error {
		r.mu.Lock()
		if _, live := r.live(id); !live && prev != (store.Version{}) {
			if back, ok := past[id]; ok {
				back.Version = prev
				r.put(id, back)
			}
		}
		r.mu.Unlock()
		return r.Swap(ctx, id, prev, next)
	}
}

// looksFirst returns a Swap that isn't atomic for some prevs. In a bubble the
// time between the look and the write passes only when all others have looked.
func looksFirst(r *reference, which func(prev store.Version) bool) swapFunc {
	return func(ctx context.Context, id string, prev store.Version, next store.Record) error {
		if !which(prev) || store.Check(next) != nil || ctx.Err() != nil {
			return r.Swap(ctx, id, prev, next)
		}
		r.mu.Lock()
		current, _ := r.live(id)
		r.mu.Unlock()
		if current.Version != prev {
			return r.Swap(ctx, id, prev, next)
		}
		time.Sleep(time.Nanosecond)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.put(id, next)
		return nil
	}
}
