package storetest_test

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/gosatchel/satchel/store"
)

// reference is the shortest store that keeps all rules. The broken ones are made
// of it.
type reference struct {
	mu      sync.Mutex
	records map[string]kept
	owners  map[string]map[string]listed

	// What is past, for broken stores to bring back.
	deleted, expired map[string]store.Record
}

type kept struct {
	store.Record
	until time.Time
}

type listed struct {
	ref          string
	since, until time.Time
}

func newReference() *reference {
	return &reference{
		records: make(map[string]kept),
		owners:  make(map[string]map[string]listed),
		deleted: make(map[string]store.Record),
		expired: make(map[string]store.Record),
	}
}

// live is called under the lock.
func (r *reference) live(id string) (store.Record, bool) {
	k, ok := r.records[id]
	if !ok {
		return store.Record{}, false
	}
	if !k.until.After(time.Now()) {
		r.expired[id] = k.Record
		delete(r.records, id)
		return store.Record{}, false
	}
	k.TTL = time.Until(k.until)
	k.Data = bytes.Clone(k.Data)
	return k.Record, true
}

// put is called under the lock, too.
func (r *reference) put(id string, next store.Record) {
	next.Data = bytes.Clone(next.Data)
	r.records[id] = kept{Record: next, until: time.Now().Add(next.TTL)}
}

func (r *reference) Find(ctx context.Context, id string) (store.Record, error) {
	if err := ctx.Err(); err != nil {
		return store.Record{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.live(id); ok {
		return found, nil
	}
	return store.Record{}, store.ErrNotFound
}

func (r *reference) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if err := store.Check(next); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	current, ok := r.live(id)
	switch {
	case current.Version == prev:
		r.put(id, next)
		return nil
	case ok:
		return &store.Conflict{Current: current}
	default:
		return store.ErrNotFound
	}
}

func (r *reference) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if current, ok := r.live(id); ok && current.Version == v {
		current.TTL = ttl
		r.put(id, current)
	}
	return nil
}

func (r *reference) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if current, ok := r.live(id); ok {
		r.deleted[id] = current
		delete(r.records, id)
	}
	return nil
}

func (r *reference) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owners[owner] == nil {
		r.owners[owner] = make(map[string]listed)
	}
	until := time.Now().Add(ttl)
	if old := r.owners[owner][id].until; old.After(until) {
		until = old
	}
	r.owners[owner][id] = listed{ref: ref, since: time.Now(), until: until}
	return nil
}

func (r *reference) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var owned []store.Entry
	for id, l := range r.owners[owner] {
		found, ok := r.live(id)
		if !l.until.After(time.Now()) || !ok && time.Since(l.since) >= time.Minute {
			delete(r.owners[owner], id)
			continue
		}
		owned = append(owned, store.Entry{Ref: l.ref, ID: id, Record: found})
	}
	return owned, nil
}

func (r *reference) Unindex(ctx context.Context, owner, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.owners[owner], id)
	return nil
}

// altered is a reference of which some methods are replaced.
type altered struct {
	*reference
	find    func(ctx context.Context, id string) (store.Record, error)
	swap    func(ctx context.Context, id string, prev store.Version, next store.Record) error
	touch   func(ctx context.Context, id string, v store.Version, ttl time.Duration) error
	del     func(ctx context.Context, id string) error
	list    func(ctx context.Context, owner, ref, id string, ttl time.Duration) error
	owned   func(ctx context.Context, owner string) ([]store.Entry, error)
	unindex func(ctx context.Context, owner, id string) error
}

func (a *altered) Find(ctx context.Context, id string) (store.Record, error) {
	if a.find != nil {
		return a.find(ctx, id)
	}
	return a.reference.Find(ctx, id)
}

func (a *altered) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if a.swap != nil {
		return a.swap(ctx, id, prev, next)
	}
	return a.reference.Swap(ctx, id, prev, next)
}

func (a *altered) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	if a.touch != nil {
		return a.touch(ctx, id, v, ttl)
	}
	return a.reference.Touch(ctx, id, v, ttl)
}

func (a *altered) Delete(ctx context.Context, id string) error {
	if a.del != nil {
		return a.del(ctx, id)
	}
	return a.reference.Delete(ctx, id)
}

func (a *altered) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	if a.list != nil {
		return a.list(ctx, owner, ref, id, ttl)
	}
	return a.reference.Index(ctx, owner, ref, id, ttl)
}

func (a *altered) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	if a.owned != nil {
		return a.owned(ctx, owner)
	}
	return a.reference.Owned(ctx, owner)
}

func (a *altered) Unindex(ctx context.Context, owner, id string) error {
	if a.unindex != nil {
		return a.unindex(ctx, owner, id)
	}
	return a.reference.Unindex(ctx, owner, id)
}
