package storetest_test

import (
	"context"
	"errors"
	"time"

	"github.com/gosatchel/satchel/store"
)

func brokenTimes() []broken {
	return []broken{
		{
			fault: "takes the milliseconds of a time to live for 32 bits",
			red:   "ttl-conflict ttl-written",
			open: withTTL(func(ttl time.Duration) time.Duration {
				return time.Duration(int32(ttl.Milliseconds())) * time.Millisecond
			}, nil),
		},
		{
			fault: "writes a time to live in whole minutes",
			red:   "expiry expiry-moved index-records swap-expired touch-expired ttl-conflict ttl-written",
			open:  withTTL(func(ttl time.Duration) time.Duration { return (ttl + 59*time.Second).Truncate(time.Minute) }, nil),
		},
		{
			fault: "touches to a time to live in whole minutes",
			red:   "expiry-moved ttl-touched",
			open:  withTTL(nil, func(ttl time.Duration) time.Duration { return (ttl + 59*time.Second).Truncate(time.Minute) }),
		},
		{
			fault: "keeps records for longer than it says",
			red:   "expiry expiry-moved swap-expired touch-expired",
			open: with(func(r *reference, a *altered) {
				const longer = 10 * time.Second
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if next.TTL > 0 {
						next.TTL += longer
					}
					return lessTTL(r.Swap(ctx, id, prev, next), longer)
				}
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if ttl > 0 {
						ttl += longer
					}
					return r.Touch(ctx, id, v, ttl)
				}
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					found.TTL -= longer
					return found, err
				}
				a.owned = func(ctx context.Context, owner string) ([]store.Entry, error) {
					owned, err := r.Owned(ctx, owner)
					for i := range owned {
						owned[i].Record.TTL -= longer
					}
					return owned, err
				}
			}),
		},
		{
			fault: "gives up records before their time",
			red:   "expiry",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if err == nil && found.TTL < 10*time.Second {
						return store.Record{}, store.ErrNotFound
					}
					return found, err
				}
			}),
		},
		{
			fault: "never lets the id of an expired record go",
			red:   "expiry swap-expired",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					r.mu.Lock()
					if _, ok := r.live(id); !ok {
						if past, ok := r.expired[id]; ok {
							r.mu.Unlock()
							return &store.Conflict{Current: past}
						}
					}
					r.mu.Unlock()
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "keeps the time to live of a record that is replaced",
			red:   "expiry-moved index-records ttl-written",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if found, err := r.Find(ctx, id); err == nil && found.Version == prev && next.TTL > 0 {
						next.TTL = found.TTL
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "only ever prolongs by touching",
			red:   "expiry-moved ttl-touched",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if found, err := r.Find(ctx, id); err == nil && ttl > 0 {
						ttl = max(ttl, found.TTL)
					}
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
		{
			fault: "leaves the time to live out of a conflict",
			red:   "ttl-conflict",
			open: withConflict(func(r *reference, id string, next store.Record, c *store.Conflict) {
				c.Current.TTL = 0
			}),
		},
		{
			fault: "returns the time to live that was written",
			red:   "ttl-passes",
			open: with(func(r *reference, a *altered) {
				written := make(map[string]time.Duration)
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					err := r.Swap(ctx, id, prev, next)
					r.mu.Lock()
					defer r.mu.Unlock()
					if err == nil {
						written[id] = next.TTL
					}
					return err
				}
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					err := r.Touch(ctx, id, v, ttl)
					r.mu.Lock()
					defer r.mu.Unlock()
					if current, ok := r.live(id); err == nil && ok && current.Version == v {
						written[id] = ttl
					}
					return err
				}
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					r.mu.Lock()
					defer r.mu.Unlock()
					found.TTL = written[id]
					return found, err
				}
			}),
		},
		{
			fault: "prolongs by reading",
			red:   "expiry",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if err == nil && found.TTL < time.Minute {
						_ = r.Touch(ctx, id, found.Version, time.Minute)
					}
					return found, err
				}
			}),
		},
		{
			fault: "prolongs by a failed swap",
			red:   "ttl-conflict ttl-passes",
			open: withConflict(func(r *reference, id string, next store.Record, c *store.Conflict) {
				r.mu.Lock()
				defer r.mu.Unlock()
				if current, ok := r.live(id); ok {
					current.TTL = max(current.TTL, next.TTL)
					r.put(id, current)
				}
			}),
		},
		{
			fault: "takes a zero version",
			red:   "refuse-zero-version",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if next.Version == (store.Version{}) {
						return nil
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "says ErrZeroVersion and writes nevertheless",
			red:   "refuse-zero-version",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if next.Version == (store.Version{}) {
						next.Version[0] = 1
						_ = r.Swap(ctx, id, prev, next)
						return store.ErrZeroVersion
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "deletes what is swapped with no time to live",
			red:   "refuse-swap-ttl",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if next.TTL <= 0 {
						_ = r.Delete(ctx, id)
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "takes a negative time to live for none",
			red:   "refuse-swap-ttl",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if next.TTL < 0 {
						return nil
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "deletes what is touched with no time to live",
			red:   "refuse-touch-ttl",
			open: with(func(r *reference, a *altered) {
				a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
					if ttl <= 0 {
						return r.Delete(ctx, id)
					}
					return r.Touch(ctx, id, v, ttl)
				}
			}),
		},
	}
}

// lessTTL takes d from the time to live in err, if it is a conflict.
func lessTTL(err error, d time.Duration) error {
	if c := (*store.Conflict)(nil); errors.As(err, &c) {
		c.Current.TTL -= d
	}
	return err
}

// withTTL makes a store that gets times to live wrong when it writes them.
func withTTL(swapped, touched func(time.Duration) time.Duration) func() store.Store {
	return with(func(r *reference, a *altered) {
		if swapped != nil {
			a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
				if next.TTL > 0 {
					next.TTL = max(swapped(next.TTL), 1)
				}
				return r.Swap(ctx, id, prev, next)
			}
		}
		if touched != nil {
			a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
				if ttl > 0 {
					ttl = touched(ttl)
				}
				return r.Touch(ctx, id, v, ttl)
			}
		}
	})
}
