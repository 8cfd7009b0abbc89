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

// A full store gives up expired records first, then the lowest rank, and within
// it the soonest to expire.
func TestEvictionOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(memstore.MaxRecords(5))
		s.Close() // so that the expired one is still there when room is needed
		all := []string{"marker", "user soon", "user late", "guest soon", "guest late"}
		create(t, s, "marker", record(store.RankEnded, time.Second))
		create(t, s, "user soon", record(store.RankUser, 2*time.Hour))
		create(t, s, "user late", record(store.RankUser, 3*time.Hour))
		create(t, s, "guest late", record(store.RankAnonymous, 30*time.Hour))
		create(t, s, "guest soon", record(store.RankAnonymous, 20*time.Hour))
		pass(2 * time.Second)

		for i, left := range [][]string{
			{"user soon", "user late", "guest soon", "guest late"}, // the marker had expired
			{"user soon", "user late", "guest late"},
			{"user soon", "user late"},
			{"user late"},
			{},
		} {
			create(t, s, fmt.Sprint("new ", i), record(store.RankEnded, time.Hour))
			holds(t, s, all, left...)
			if n := s.Len(); n > 5 {
				t.Errorf("%d records in a store for 5", n)
			}
		}
	})
}

// Touch and Swap move a record in the order.
func TestEvictionFollowsTouchAndSwap(t *testing.T) {
	s := memstore.New(memstore.MaxRecords(3))
	all := []string{"a", "b", "c"}
	a := create(t, s, "a", record(store.RankAnonymous, 1*time.Hour))
	b := create(t, s, "b", record(store.RankAnonymous, 2*time.Hour))
	create(t, s, "c", record(store.RankAnonymous, 3*time.Hour))
	if err := s.Touch(t.Context(), "a", a, 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	// b, now the soonest, signs in.
	if err := s.Swap(t.Context(), "b", b, record(store.RankUser, time.Hour)); err != nil {
		t.Fatal(err)
	}
	create(t, s, "d", record(store.RankAnonymous, 5*time.Hour))
	holds(t, s, all, "a", "b")
	create(t, s, "e", record(store.RankAnonymous, 5*time.Hour))
	holds(t, s, all, "b")
}

// A new record doesn't displace one that ranks higher, whatever its rank; those
// that are there can still be changed.
func TestFullOfHigherRanks(t *testing.T) {
	s := memstore.New(memstore.MaxRecords(2))
	v := create(t, s, "user", record(store.RankUser, time.Hour))
	create(t, s, "marker", record(store.RankEnded, time.Hour))
	err := s.Swap(t.Context(), "guest", store.Version{}, record(store.RankAnonymous, 9*time.Hour))
	if !errors.Is(err, memstore.ErrFull) || !errors.Is(err, store.ErrNotApplied) {
		t.Errorf("error %v, want one that wraps ErrFull and ErrNotApplied", err)
	}
	holds(t, s, []string{"user", "marker", "guest"}, "user", "marker")
	if err := s.Swap(t.Context(), "user", v, record(store.RankUser, time.Hour)); err != nil {
		t.Errorf("changing a record of a full store: %v", err)
	}
	create(t, s, "another user", record(store.RankUser, time.Hour))
	create(t, s, "unknown rank", record(store.RankEnded+7, time.Hour))
	create(t, s, "unknown rank 2", record(store.RankEnded+9, time.Hour))
	holds(t, s, []string{"user", "another user", "marker", "unknown rank", "unknown rank 2"}, "unknown rank", "unknown rank 2")
}

// However many write at once, no more records are held than was said; and of a
// store with many parts most of the bound can be used.
func TestBoundUnderLoad(t *testing.T) {
	const bound = 10_001
	s := memstore.New(memstore.MaxRecords(bound))
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range bound / 4 {
				id := fmt.Sprint(w, " ", i)
				if err := s.Swap(t.Context(), id, store.Version{}, record(store.RankAnonymous, time.Hour)); err != nil {
					t.Errorf("creating %s: %v", id, err)
					return
				}
				if n := s.Len(); i%100 == 0 && n > bound {
					t.Errorf("%d records in a store for %d", n, bound)
					return
				}
			}
		})
	}
	writers.Wait()
	if n := s.Len(); n != bound {
		t.Errorf("%d records after twice as many were created, want %d", n, bound)
	}
}

func TestMaxRecordsRefusesNone(t *testing.T) {
	for _, n := range []int{0, -1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("MaxRecords(%d) didn't panic", n)
				}
			}()
			memstore.MaxRecords(n)
		}()
	}
}
