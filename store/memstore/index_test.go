package memstore_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

func list(t *testing.T, s *memstore.Store, owner, id string, ttl time.Duration) {
	t.Helper()
	if err := s.Index(t.Context(), owner, "ref of "+id, id, ttl); err != nil {
		t.Fatalf("Index of %s: %v", id, err)
	}
}

// Entries leave although nobody asks for them, and their owners with them: when
// their time is over, when their record expires, and some time after it was
// deleted, evicted or never created.
func TestEntriesLeaveByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		list(t, s, "a", "never created", time.Hour)
		list(t, s, "b", "expires", time.Hour)
		create(t, s, "expires", record(store.RankUser, 5*time.Minute))
		list(t, s, "c", "deleted", time.Hour)
		create(t, s, "deleted", record(store.RankUser, time.Hour))
		list(t, s, "d", "ends", 7*time.Minute)
		create(t, s, "ends", record(store.RankUser, time.Hour))
		list(t, s, "e", "stays", time.Hour)
		create(t, s, "stays", record(store.RankUser, time.Hour))
		for _, step := range []struct {
			pass time.Duration
			want int
		}{
			{58 * time.Second, 5}, {4 * time.Second, 4}, // never created
			{3*time.Minute + 56*time.Second, 4}, {4 * time.Second, 3}, // expires
			{time.Minute + 56*time.Second, 3}, {4 * time.Second, 2}, // ends
		} {
			pass(step.pass)
			if n := s.Entries(); n != step.want {
				t.Errorf("%d entries, want %d", n, step.want)
			}
		}
		if err := s.Delete(t.Context(), "deleted"); err != nil {
			t.Fatal(err)
		}
		pass(11 * time.Minute)
		if n := s.Entries(); n != 1 {
			t.Errorf("%d entries after a record was deleted, want 1", n)
		}
		pass(time.Hour)
		if entries, owners := s.Entries(), s.Owners(); entries != 0 || owners != 0 {
			t.Errorf("%d entries and %d owners when all was over", entries, owners)
		}
	})
}

// The index is bounded too. Entries whose record is gone make room; those in use
// are never forgotten, and can be replaced.
func TestIndexBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(memstore.MaxRecords(2))
		for i := range 2 {
			id := fmt.Sprint("in use ", i)
			list(t, s, "owner", id, time.Hour)
			create(t, s, id, record(store.RankUser, time.Hour))
		}
		list(t, s, "owner", "waits", time.Hour)
		list(t, s, "owner", "waits, too", time.Hour)
		err := s.Index(t.Context(), "owner", "ref", "new", time.Hour)
		if !errors.Is(err, memstore.ErrFull) || !errors.Is(err, store.ErrNotApplied) {
			t.Errorf("error %v, want one that wraps ErrFull and ErrNotApplied", err)
		}
		list(t, s, "owner", "waits", 2*time.Hour)
		if n := s.Entries(); n != 4 {
			t.Errorf("%d entries, want 4", n)
		}
		if err := s.Index(t.Context(), "owner", "ref", "new", time.Hour); !errors.Is(err, memstore.ErrFull) {
			t.Errorf("after an entry was replaced: error %v, want one that wraps ErrFull", err)
		}
		s.Close() // so that no clean-up makes room
		pass(2 * time.Minute)
		list(t, s, "owner", "new", time.Hour)
		owned, err := s.Owned(t.Context(), "owner")
		if err != nil || len(owned) != 3 {
			t.Errorf("%d entries, error %v; want the two in use and the new one", len(owned), err)
		}
	})
}

func TestIndexNeedsTTL(t *testing.T) {
	s := memstore.New()
	for _, ttl := range []time.Duration{0, -1} {
		if err := s.Index(t.Context(), "owner", "ref", "id", ttl); !errors.Is(err, store.ErrTTL) {
			t.Errorf("Index for %v: error %v, want ErrTTL", ttl, err)
		}
	}
}

// All methods at once, over few names: the race detector and the bubble, which
// notices a deadlock, watch.
func TestAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := memstore.New(memstore.MaxRecords(3000))
		var workers sync.WaitGroup
		for w := range 16 {
			workers.Go(func() {
				for i := range 300 {
					owner, id := fmt.Sprint(i%3), fmt.Sprint(i%7)
					next := record(store.Rank(i%3), time.Duration(1+i%50)*time.Second)
					_ = s.Index(ctx, owner, "ref", id, next.TTL)
					current, _ := s.Find(ctx, id)
					_ = s.Swap(ctx, id, current.Version, next)
					_ = s.Touch(ctx, id, next.Version, time.Minute)
					if _, err := s.Owned(ctx, owner); err != nil {
						t.Errorf("Owned: %v", err)
					}
					if i%5 == w%5 {
						_ = s.Delete(ctx, id)
						_ = s.Unindex(ctx, owner, id)
						pass(time.Second)
					}
				}
			})
		}
		workers.Wait()
		pass(time.Hour)
		if records, entries := s.Len(), s.Entries(); records != 0 || entries != 0 {
			t.Errorf("%d records and %d entries when all was over", records, entries)
		}
	})
}
