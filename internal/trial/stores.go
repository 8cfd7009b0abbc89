// Package trial is what the tests of several packages share: every store that
// ships, stores that can be held and broken at each step, and a browser.
package trial

import (
	"context"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
	"github.com/gosatchel/satchel/store/redisstore"
)

// OnEachStore runs test on every store that ships: in memory, and on a real Redis.
func OnEachStore(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, Memory(t)) })
	t.Run("redis", func(t *testing.T) { test(t, Redis(t)) })
}

// Memory returns an empty store in memory.
func Memory(t testing.TB) *memstore.Store {
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	return s
}

// Redis returns an empty store in the Redis that the tests share.
func Redis(t testing.TB) *redisstore.Store {
	t.Helper()
	return OpenRedis(t, redistest.Shared(t).URL(), redistest.Prefix(t))
}

// OpenRedis returns the store under prefix in the Redis at url. Two of them are
// what two processes have.
func OpenRedis(t testing.TB, url, prefix string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(url, redisstore.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Intercepted is a store whose operations a test can watch, hold, fail, or
// answer otherwise than is true.
type Intercepted struct {
	store.Store
	store.Indexer
	around func(op Op, call func() error) error
}

// Op is one operation on an Intercepted store.
type Op struct {
	Name string // "find", "swap", "touch", "delete", "index", "owned", "unindex"
	ID   string
	Prev store.Version // of a swap
	Next store.Record  // of a swap
	Ctx  context.Context
}

// Intercept returns s with around in the place of every operation. around runs
// the operation with call, or does not, and its error is what the caller gets.
// It is called by several goroutines at once if the store is.
func Intercept(s store.Store, around func(op Op, call func() error) error) *Intercepted {
	indexer, _ := s.(store.Indexer)
	return &Intercepted{s, indexer, around}
}

func (i *Intercepted) Find(ctx context.Context, id string) (r store.Record, err error) {
	err = i.around(Op{Name: "find", ID: id, Ctx: ctx}, func() error { r, err = i.Store.Find(ctx, id); return err })
	return r, err
}

func (i *Intercepted) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	return i.around(Op{"swap", id, prev, next, ctx}, func() error { return i.Store.Swap(ctx, id, prev, next) })
}

func (i *Intercepted) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	return i.around(Op{Name: "touch", ID: id, Ctx: ctx}, func() error { return i.Store.Touch(ctx, id, v, ttl) })
}

func (i *Intercepted) Delete(ctx context.Context, id string) error {
	return i.around(Op{Name: "delete", ID: id, Ctx: ctx}, func() error { return i.Store.Delete(ctx, id) })
}

func (i *Intercepted) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	return i.around(Op{Name: "index", ID: id, Ctx: ctx}, func() error { return i.Indexer.Index(ctx, owner, ref, id, ttl) })
}

func (i *Intercepted) Owned(ctx context.Context, owner string) (entries []store.Entry, err error) {
	err = i.around(Op{Name: "owned", Ctx: ctx}, func() error { entries, err = i.Indexer.Owned(ctx, owner); return err })
	return entries, err
}

func (i *Intercepted) Unindex(ctx context.Context, owner, id string) error {
	return i.around(Op{Name: "unindex", ID: id, Ctx: ctx}, func() error { return i.Indexer.Unindex(ctx, owner, id) })
}
