package memstore_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// pass moves the fake clock of the bubble that the test runs in.
func pass(d time.Duration) { time.Sleep(d) }

func record(rank store.Rank, ttl time.Duration) store.Record {
	r := store.Record{Data: []byte("data"), TTL: ttl, Rank: rank}
	rand.Read(r.Version[:])
	return r
}

// create stores a new record and returns its version.
func create(t testing.TB, s *memstore.Store, id string, r store.Record) store.Version {
	t.Helper()
	if err := s.Swap(t.Context(), id, store.Version{}, r); err != nil {
		t.Fatalf("creating %s: %v", id, err)
	}
	return r.Version
}

// holds asserts that of ids exactly want are live.
func holds(t *testing.T, s *memstore.Store, ids []string, want ...string) {
	t.Helper()
	var live []string
	for _, id := range ids {
		_, err := s.Find(t.Context(), id)
		if err == nil {
			live = append(live, id)
		} else if !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("Find %s: %v", id, err)
		}
	}
	if !slices.Equal(live, want) {
		t.Errorf("live are %q, want %q", live, want)
	}
}
