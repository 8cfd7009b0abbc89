package redisstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

// slack is how much later than its deadline a call may return.
const slack = 100 * time.Millisecond

func open(t testing.TB, url string, o redisstore.Options) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// openShared returns a store with a prefix of its own on the shared server.
func openShared(t testing.TB) *redisstore.Store {
	t.Helper()
	return open(t, redistest.Shared(t).URL(), redisstore.Options{Prefix: redistest.Prefix(t)})
}

// openProxied is openShared with a proxy between.
func openProxied(t testing.TB) (*redisstore.Store, *redistest.Proxy) {
	t.Helper()
	p := redistest.NewProxy(t, redistest.Shared(t).Addr())
	return open(t, p.URL(), redisstore.Options{Prefix: redistest.Prefix(t)}), p
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

func find(t testing.TB, s store.Store, id string) store.Record {
	t.Helper()
	r, err := s.Find(t.Context(), id)
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	return r
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// methods are all that talk to the server, with secrets in every argument.
var methods = []struct {
	name   string
	writes bool
	call   func(context.Context, *redisstore.Store) error
}{
	{"Find", false, func(ctx context.Context, s *redisstore.Store) error {
		_, err := s.Find(ctx, secretID)
		return err
	}},
	{"Swap", true, func(ctx context.Context, s *redisstore.Store) error {
		return s.Swap(ctx, secretID, store.Version{}, newRecord(secretData))
	}},
	{"Touch", true, func(ctx context.Context, s *redisstore.Store) error {
		return s.Touch(ctx, secretID, newRecord("").Version, time.Hour)
	}},
	{"Delete", true, func(ctx context.Context, s *redisstore.Store) error {
		return s.Delete(ctx, secretID)
	}},
	{"Index", true, func(ctx context.Context, s *redisstore.Store) error {
		return s.Index(ctx, secretOwner, secretRef, secretID, time.Hour)
	}},
	{"Owned", false, func(ctx context.Context, s *redisstore.Store) error {
		_, err := s.Owned(ctx, secretOwner)
		return err
	}},
	{"Unindex", true, func(ctx context.Context, s *redisstore.Store) error {
		return s.Unindex(ctx, secretOwner, secretID)
	}},
	{"Ping", false, func(ctx context.Context, s *redisstore.Store) error { return s.Ping(ctx) }},
}

const (
	secretID       = "secret-id"
	secretRef      = "secret-ref"
	secretOwner    = "secret-owner"
	secretData     = "secret-data"
	secretPassword = "secret-password"
	secretPrefix   = "secret-prefix:"
)

// discreet fails the test if err says anything that must not get into a log.
func discreet(t testing.TB, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := e.Error(); strings.Contains(text, "secret") || strings.Contains(text, url.QueryEscape(secretPrefix)) {
			t.Errorf("an error gives away a secret: %s", text)
		}
	}
}
