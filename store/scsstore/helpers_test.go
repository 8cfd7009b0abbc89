package scsstore_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
)

// hooked is an scs store whose calls a test can watch, hold and fail.
type hooked struct {
	scs.Store
	around func(op string, call func() error) error
}

func newHooked() *hooked {
	return &hooked{
		Store:  memstore.NewWithCleanupInterval(0),
		around: func(_ string, call func() error) error { return call() },
	}
}

func (h *hooked) Find(token string) (b []byte, ok bool, err error) {
	err = h.around("find", func() error { b, ok, err = h.Store.Find(token); return err })
	return b, ok, err
}

func (h *hooked) Commit(token string, b []byte, expiry time.Time) error {
	return h.around("commit", func() error { return h.Store.Commit(token, b, expiry) })
}

func (h *hooked) Delete(token string) error {
	return h.around("delete", func() error { return h.Store.Delete(token) })
}

// hold has the calls of op wait until release is called. Others pass. While calls
// are under way, no other hook may be set.
func (h *hooked) hold(op string) (release func()) {
	gate := make(chan struct{})
	h.around = func(o string, call func() error) error {
		if o == op {
			<-gate
		}
		return call()
	}
	return func() { close(gate) }
}

// interruptible is an scs store that has only the methods with a context.
type interruptible struct {
	*hooked
	seen func(ctx context.Context) error // may fail the call
}

func (i interruptible) Find(string) ([]byte, bool, error)      { panic("without a context") }
func (i interruptible) Commit(string, []byte, time.Time) error { panic("without a context") }
func (i interruptible) Delete(string) error                    { panic("without a context") }

func (i interruptible) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	if err := i.seen(ctx); err != nil {
		return nil, false, err
	}
	return i.hooked.Find(token)
}

func (i interruptible) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	if err := i.seen(ctx); err != nil {
		return err
	}
	return i.hooked.Commit(token, b, expiry)
}

func (i interruptible) DeleteCtx(ctx context.Context, token string) error {
	if err := i.seen(ctx); err != nil {
		return err
	}
	return i.hooked.Delete(token)
}

func newRecord(data string) store.Record {
	r := store.Record{Data: []byte(data), TTL: time.Hour}
	rand.Read(r.Version[:])
	return r
}

func create(t testing.TB, s store.Store, id, data string) store.Record {
	t.Helper()
	r := newRecord(data)
	if err := s.Swap(t.Context(), id, store.Version{}, r); err != nil {
		t.Fatalf("creating a record: %v", err)
	}
	return r
}

// holds fails the test unless want is what is stored under id.
func holds(t testing.TB, s store.Store, id string, want store.Record) {
	t.Helper()
	got, err := s.Find(t.Context(), id)
	if err != nil || got.Version != want.Version || string(got.Data) != string(want.Data) {
		t.Errorf("Find: %q, %v; want %q", got.Data, err, want.Data)
	}
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// methods are all that talk to the scs store, each over a record that is there.
var methods = []struct {
	name   string
	writes string // the op of the scs store that it writes with
	call   func(ctx context.Context, s *scsstore.Store, id string, v store.Version) error
}{
	{"Find", "", func(ctx context.Context, s *scsstore.Store, id string, _ store.Version) error {
		_, err := s.Find(ctx, id)
		return err
	}},
	{"Swap", "commit", func(ctx context.Context, s *scsstore.Store, id string, v store.Version) error {
		return s.Swap(ctx, id, v, newRecord("swapped"))
	}},
	{"Touch", "commit", func(ctx context.Context, s *scsstore.Store, id string, v store.Version) error {
		return s.Touch(ctx, id, v, 2*time.Hour)
	}},
	{"Delete", "delete", func(ctx context.Context, s *scsstore.Store, id string, _ store.Version) error {
		return s.Delete(ctx, id)
	}},
}
