package storetest_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gosatchel/satchel/store"
)

func brokenRecords() []broken {
	return []broken{
		{
			fault: "forgets a record that was read",
			red:   "alias-in alias-out data-bytes data-empty data-large find-stored race-swap refuse-touch-ttl swap-replace swap-stale touch-keeps touch-stale ttl-touched ttl-written version-bytes",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if err == nil {
						err = r.Delete(ctx, id)
					}
					return found, err
				}
			}),
		},
		{
			fault: "finds an empty record where there is none",
			red:   "delete-removes done-swap expiry expiry-moved find-missing race-delete refuse-swap-ttl refuse-zero-version swap-deleted swap-expired swap-missing touch-deleted touch-expired touch-missing",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if errors.Is(err, store.ErrNotFound) {
						err = nil
					}
					return found, err
				}
			}),
		},
		{
			fault: "has an error of its own for a missing record",
			red:   "delete-removes done-swap expiry expiry-moved find-missing race-delete refuse-swap-ttl refuse-zero-version swap-deleted swap-expired swap-missing touch-deleted touch-expired touch-missing",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if errors.Is(err, store.ErrNotFound) {
						err = errors.New("no such key")
					}
					return found, err
				}
			}),
		},
		{
			fault: "touches whatever the version",
			red:   "touch-stale ttl-passes",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if found, err := r.Find(ctx, id); err == nil {
						v = found.Version
					}
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
		{
			fault: "reports a touch of another version as a conflict",
			red:   "touch-stale ttl-passes",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if found, err := r.Find(ctx, id); err == nil && found.Version != v {
						return &store.Conflict{Current: found}
					}
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
		{
			fault: "reports a touch of a missing record",
			red:   "touch-deleted touch-expired touch-missing",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if _, err := r.Find(ctx, id); err != nil {
						return err
					}
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
		{
			fault: "creates a record when one that is missing is touched",
			red:   "touch-deleted touch-expired touch-missing",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					r.mu.Lock()
					if _, ok := r.live(id); !ok && ctx.Err() == nil {
						r.put(id, store.Record{Version: v, TTL: ttl})
					}
					r.mu.Unlock()
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
		{
			fault: "brings a deleted record back when it is touched",
			red:   "touch-deleted",
			open:  with(func(r *reference, a *altered) { a.touch = touchRevives(r, r.deleted) }),
		},
		{
			fault: "brings an expired record back when it is touched",
			red:   "touch-expired",
			open:  with(func(r *reference, a *altered) { a.touch = touchRevives(r, r.expired) }),
		},
		{
			fault: "empties a record that is touched",
			red:   "touch-keeps",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if ctx.Err() == nil && ttl > 0 {
						r.mu.Lock()
						defer r.mu.Unlock()
						if found, ok := r.live(id); ok && found.Version == v {
							r.put(id, store.Record{Version: v, TTL: ttl})
						}
						return nil
					}
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
		{
			fault: "deletes a record only if it was never replaced",
			red:   "delete-removes race-delete",
			open: with(func(r *reference, a *altered) {
				replaced := make(map[string]bool)
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					err := r.Swap(ctx, id, prev, next)
					r.mu.Lock()
					defer r.mu.Unlock()
					replaced[id] = replaced[id] || err == nil && prev != store.Version{}
					return err
				}
				a.del = func(ctx context.Context, id string) error {
					r.mu.Lock()
					keep := replaced[id]
					r.mu.Unlock()
					if keep {
						return ctx.Err()
					}
					return r.Delete(ctx, id)
				}
			}),
		},
		{
			fault: "reports a delete of a missing record",
			red:   "alias-conflict delete-missing delete-others",
			open: with(func(r *reference, a *altered) {
				a.del = func(ctx context.Context, id string) error {
					if _, err := r.Find(ctx, id); err != nil {
						return err
					}
					return r.Delete(ctx, id)
				}
			}),
		},
		{
			fault: "deletes all records that begin with the id",
			red:   "delete-others",
			open: with(func(r *reference, a *altered) {
				a.del = func(ctx context.Context, id string) error {
					r.mu.Lock()
					defer r.mu.Unlock()
					for other := range r.records {
						if strings.HasPrefix(other, id) && ctx.Err() == nil {
							delete(r.records, other)
						}
					}
					return ctx.Err()
				}
			}),
		},
	}
}

// touchRevives returns a Touch that brings back what is past.
func touchRevives(r *reference, past map[string]store.Record) func(context.Context, string, store.Version, time.Duration) error {
	return func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
		r.mu.Lock()
		if _, live := r.live(id); !live && past[id].Version == v && v != (store.Version{}) {
			r.put(id, past[id])
		}
		r.mu.Unlock()
		return r.Touch(ctx, id, v, ttl)
	}
}
