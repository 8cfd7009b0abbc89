package storetest_test

import (
	"context"
	"strings"
	"time"

	"github.com/gosatchel/satchel/store"
)

func brokenIndexes() []broken {
	return []broken{
		{
			fault: "lists nobody",
			red:   "index-bytes index-done index-late index-lists index-orphan index-orphan-again index-owners index-pending index-race index-records index-replaces index-same-ref index-ttl index-ttl-replaced index-unindex",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error { return ctx.Err() }
			}),
		},
		{
			fault: "lists one session of an owner",
			red:   "index-bytes index-lists index-orphan index-owners index-race index-replaces index-same-ref index-ttl-replaced",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					if ctx.Err() == nil {
						r.mu.Lock()
						clear(r.owners[owner])
						r.mu.Unlock()
					}
					return r.Index(ctx, owner, ref, id, ttl)
				}
			}),
		},
		{
			fault: "lists one id for a ref",
			red:   "index-orphan index-same-ref index-ttl-replaced",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					r.mu.Lock()
					for other, l := range r.owners[owner] {
						if l.ref == ref && ctx.Err() == nil {
							delete(r.owners[owner], other)
						}
					}
					r.mu.Unlock()
					return r.Index(ctx, owner, ref, id, ttl)
				}
			}),
		},
		{
			fault: "lists an id under one owner",
			red:   "index-owners",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					r.mu.Lock()
					for other := range r.owners {
						if other != owner {
							delete(r.owners[other], id)
						}
					}
					r.mu.Unlock()
					return r.Index(ctx, owner, ref, id, ttl)
				}
			}),
		},
		{
			fault: "keeps an entry that is indexed again",
			red:   "index-orphan-again index-replaces index-ttl-replaced",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					r.mu.Lock()
					_, ok := r.owners[owner][id]
					r.mu.Unlock()
					if ok {
						return ctx.Err()
					}
					return r.Index(ctx, owner, ref, id, ttl)
				}
			}),
		},
		{
			fault: "replaces the ref alone of an entry that is indexed again",
			red:   "index-orphan-again index-ttl-replaced",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					r.mu.Lock()
					defer r.mu.Unlock()
					if l, ok := r.owners[owner][id]; ok {
						l.ref = ref
						r.owners[owner][id] = l
						return ctx.Err()
					}
					r.mu.Unlock()
					defer r.mu.Lock()
					return r.Index(ctx, owner, ref, id, ttl)
				}
			}),
		},
		{
			fault: "loses entries that are added at once",
			red:   "index-race",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					r.mu.Lock()
					defer r.mu.Unlock()
					entries := make(map[string]listed)
					for id, l := range r.owners[owner] {
						entries[id] = l
					}
					r.mu.Unlock()
					time.Sleep(time.Nanosecond) // in a bubble: until all others have read, too
					r.mu.Lock()
					until := time.Now().Add(max(ttl, time.Until(entries[id].until)))
					entries[id] = listed{ref: ref, since: time.Now(), until: until}
					r.owners[owner] = entries
					return nil
				}
			}),
		},
		{
			fault: "reports an owner of whom nothing is listed",
			red:   "index-none index-orphan index-owners",
			open: withOwned(func(r *reference, owned []store.Entry) ([]store.Entry, error) {
				if len(owned) == 0 {
					return nil, store.ErrNotFound
				}
				return owned, nil
			}),
		},
		{
			fault: "lists an entry twice",
			red:   "index-alias index-bytes index-done index-late index-lists index-orphan index-orphan-again index-owners index-pending index-race index-records index-replaces index-same-ref index-ttl index-ttl-replaced index-unindex",
			open: withOwned(func(r *reference, owned []store.Entry) ([]store.Entry, error) {
				if len(owned) > 0 {
					owned = append(owned, owned[0])
				}
				return owned, nil
			}),
		},
		{
			fault: "lists ids without their records",
			red:   "index-pending index-records",
			open: withOwned(func(r *reference, owned []store.Entry) ([]store.Entry, error) {
				for i := range owned {
					owned[i].Record = store.Record{}
				}
				return owned, nil
			}),
		},
		{
			fault: "lists records without what they have left",
			red:   "index-records",
			open: withOwned(func(r *reference, owned []store.Entry) ([]store.Entry, error) {
				for i := range owned {
					owned[i].Record.TTL = 0
				}
				return owned, nil
			}),
		},
		{
			fault: "lists its own slices",
			red:   "index-alias",
			open: withOwned(func(r *reference, owned []store.Entry) ([]store.Entry, error) {
				r.mu.Lock()
				defer r.mu.Unlock()
				for i := range owned {
					owned[i].Record.Data = r.records[owned[i].ID].Data
				}
				return owned, nil
			}),
		},
		{
			fault: "leaves out entries without a record",
			red:   "index-orphan index-orphan-again index-pending",
			open: withOwned(func(r *reference, owned []store.Entry) ([]store.Entry, error) {
				var live []store.Entry
				for _, e := range owned {
					if e.Record.Version != (store.Version{}) {
						live = append(live, e)
					}
				}
				return live, nil
			}),
		},
		{
			fault: "never unindexes",
			red:   "index-owners index-same-ref index-unindex",
			open: with(func(r *reference, a *altered) {
				a.unindex = func(ctx context.Context, owner, id string) error { return ctx.Err() }
			}),
		},
		{
			fault: "unindexes all of an owner's sessions",
			red:   "index-same-ref index-unindex",
			open: with(func(r *reference, a *altered) {
				a.unindex = func(ctx context.Context, owner, id string) error {
					if ctx.Err() == nil {
						r.mu.Lock()
						defer r.mu.Unlock()
						delete(r.owners, owner)
					}
					return ctx.Err()
				}
			}),
		},
		{
			fault: "deletes what it unindexes",
			red:   "index-unindex",
			open: with(func(r *reference, a *altered) {
				a.unindex = func(ctx context.Context, owner, id string) error {
					if err := r.Unindex(ctx, owner, id); err != nil {
						return err
					}
					return r.Delete(ctx, id)
				}
			}),
		},
		{
			fault: "reports an entry to unindex that is missing",
			red:   "index-unindex-missing",
			open: with(func(r *reference, a *altered) {
				a.unindex = func(ctx context.Context, owner, id string) error {
					r.mu.Lock()
					_, ok := r.owners[owner][id]
					r.mu.Unlock()
					if !ok {
						return store.ErrNotFound
					}
					return r.Unindex(ctx, owner, id)
				}
			}),
		},
		{fault: "makes owners lower case", red: "index-bytes", open: withNames(strings.ToLower, nil)},
		{fault: "makes refs valid UTF-8", red: "index-bytes", open: withNames(nil, func(ref string) string { return strings.ToValidUTF8(ref, "?") })},
		{
			fault: "keeps an owner's entries for as long as the latest",
			red:   "index-ttl index-ttl-replaced",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					err := r.Index(ctx, owner, ref, id, ttl)
					r.mu.Lock()
					defer r.mu.Unlock()
					for other, l := range r.owners[owner] {
						l.until = time.Now().Add(ttl)
						if err == nil {
							r.owners[owner][other] = l
						}
					}
					return err
				}
			}),
		},
		{
			fault: "shortens an entry that is indexed again",
			red:   "index-ttl-replaced",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					if err := r.Unindex(ctx, owner, id); err != nil {
						return err
					}
					return r.Index(ctx, owner, ref, id, ttl)
				}
			}),
		},
		{
			fault: "keeps entries for ever",
			red:   "index-ttl",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					return r.Index(ctx, owner, ref, id, 1000*time.Hour)
				}
			}),
		},
		{
			fault: "waits for a record for as long as the entry lives",
			red:   "index-orphan",
			open:  withWait(func(l *listed) { l.since = time.Now() }, nil),
		},
		{
			fault: "hides orphans but never removes them",
			red:   "index-orphan",
			open: with(func(r *reference, a *altered) {
				a.owned = func(ctx context.Context, owner string) ([]store.Entry, error) {
					if ctx.Err() != nil {
						return nil, ctx.Err()
					}
					r.mu.Lock()
					defer r.mu.Unlock()
					var owned []store.Entry
					for id, l := range r.owners[owner] {
						found, ok := r.live(id)
						if l.until.After(time.Now()) && (ok || time.Since(l.since) < time.Minute) {
							owned = append(owned, store.Entry{Ref: l.ref, ID: id, Record: found})
						}
					}
					return owned, nil
				}
			}),
		},
		{
			fault: "waits for a record for a second",
			red:   "index-orphan index-orphan-again",
			open:  withWait(nil, func(l listed) bool { return time.Since(l.since) > time.Second }),
		},
		{
			fault: "ends entries after the minute",
			red:   "index-late",
			open: with(func(r *reference, a *altered) {
				a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
					return r.Index(ctx, owner, ref, id, min(ttl, time.Minute))
				}
			}),
		},
	}
}

// withOwned makes a store whose Owned returns something else.
func withOwned(alter func(r *reference, owned []store.Entry) ([]store.Entry, error)) func() store.Store {
	return with(func(r *reference, a *altered) {
		a.owned = func(ctx context.Context, owner string) ([]store.Entry, error) {
			owned, err := r.Owned(ctx, owner)
			if err != nil {
				return nil, err
			}
			return alter(r, owned)
		}
	})
}

// withNames makes a store that changes owners or refs.
func withNames(owners, refs func(string) string) func() store.Store {
	same := func(name string) string { return name }
	if owners == nil {
		owners = same
	}
	if refs == nil {
		refs = same
	}
	return with(func(r *reference, a *altered) {
		a.list = func(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
			return r.Index(ctx, owners(owner), refs(ref), id, ttl)
		}
		a.unindex = func(ctx context.Context, owner, id string) error { return r.Unindex(ctx, owners(owner), id) }
		a.owned = func(ctx context.Context, owner string) ([]store.Entry, error) { return r.Owned(ctx, owners(owner)) }
	})
}

// withWait makes a store that waits for records in its own way: renew is called
// for every entry that is listed, and over says that one without a record goes.
func withWait(renew func(*listed), over func(listed) bool) func() store.Store {
	return with(func(r *reference, a *altered) {
		a.owned = func(ctx context.Context, owner string) ([]store.Entry, error) {
			r.mu.Lock()
			for id, l := range r.owners[owner] {
				if renew != nil {
					renew(&l)
					r.owners[owner][id] = l
				}
				if _, ok := r.live(id); !ok && over != nil && over(l) {
					delete(r.owners[owner], id)
				}
			}
			r.mu.Unlock()
			return r.Owned(ctx, owner)
		}
	})
}
