package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// heap returns how much memory is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Expired records leave although nobody asks for anything, and their memory
// with them.
func TestExpiredRecordsLeaveByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		before := heap()
		for i := range 64 {
			r := record(store.RankUser, time.Minute)
			r.Data = make([]byte, 1<<20)
			create(t, s, fmt.Sprint("large ", i), r)
		}
		for i := range 20_000 {
			create(t, s, fmt.Sprint(i), record(store.RankAnonymous, time.Minute))
		}
		create(t, s, "stays", record(store.RankAnonymous, time.Hour))
		pass(62 * time.Second)
		if n := s.Len(); n != 1 {
			t.Errorf("%d records two seconds after all but one expired, want 1", n)
		}
		if more := heap() - before; more > 8<<20 {
			t.Errorf("%d bytes more in use than before", more)
		}
		pass(time.Hour)
		if n := s.Len(); n != 0 {
			t.Errorf("%d records when all had expired", n)
		}
		runtime.KeepAlive(s)
	})
}

// A record that is to leave sooner than all others is not waited for until
// theirs.
func TestSoonerExpiryIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		touched, swapped, created := memstore.New(), memstore.New(), memstore.New(memstore.MaxRecords(10))
		v := create(t, touched, "id", record(store.RankUser, 100*time.Hour))
		if err := touched.Touch(t.Context(), "id", v, time.Minute); err != nil {
			t.Fatal(err)
		}
		v = create(t, swapped, "id", record(store.RankUser, 100*time.Hour))
		if err := swapped.Swap(t.Context(), "id", v, record(store.RankUser, time.Minute)); err != nil {
			t.Fatal(err)
		}
		create(t, created, "late", record(store.RankUser, 100*time.Hour))
		create(t, created, "soon", record(store.RankUser, time.Minute))
		pass(2 * time.Minute)
		if n := touched.Len(); n != 0 {
			t.Errorf("%d records after the time that a Touch set, want none", n)
		}
		if n := swapped.Len(); n != 0 {
			t.Errorf("%d records after the time that a Swap set, want none", n)
		}
		if n := created.Len(); n != 1 {
			t.Errorf("%d records, want the later one", n)
		}
	})
}

// After Close the store works; what expired leaves with later writes. A bubble
// would not end while a goroutine of the store's did not.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(memstore.MaxRecords(1000))
		for i := range 100 {
			create(t, s, fmt.Sprint(i), record(store.RankUser, time.Minute))
		}
		if err := s.Index(t.Context(), "owner", "ref", "id", time.Minute); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		pass(time.Hour)
		if n := s.Len(); n != 100 {
			t.Errorf("%d records: something removed them after Close", n)
		}
		holds(t, s, []string{"0", "99"})
		for i := range 60 {
			create(t, s, fmt.Sprint("new ", i), record(store.RankUser, time.Minute))
		}
		if n := s.Len(); n != 60 {
			t.Errorf("%d records after 60 writes, want 60: the expired ones should have left with them", n)
		}
		if err := s.Unindex(t.Context(), "owner", "other"); err != nil {
			t.Fatal(err)
		}
		if n := s.Entries(); n != 0 {
			t.Errorf("%d entries left, want none", n)
		}
	})
}

// A store that nobody closed is freed when nobody refers to it any more, however
// long its records had left.
func TestDroppedStoreIsFreed(t *testing.T) {
	before := heap()
	func() {
		s := memstore.New()
		for i := range 64 {
			r := record(store.RankUser, 1000*time.Hour)
			r.Data = make([]byte, 1<<20)
			create(t, s, fmt.Sprint(i), r)
		}
		if err := s.Index(t.Context(), "owner", "ref", "1", time.Hour); err != nil {
			t.Fatal(err)
		}
		if heap()-before < 60<<20 {
			t.Error("the store isn't as large as this test needs")
		}
		runtime.KeepAlive(s)
	}()
	if more := heap() - before; more > 8<<20 {
		t.Errorf("%d bytes more in use than before", more)
	}
}

// The longest times to live there are don't end in the past.
func TestLongestTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		pass(time.Hour)
		v := create(t, s, "id", record(store.RankUser, math.MaxInt64))
		if err := s.Touch(t.Context(), "id", v, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		if err := s.Index(t.Context(), "owner", "ref", "id", math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		pass(1000 * time.Hour)
		r, err := s.Find(t.Context(), "id")
		if err != nil || r.TTL < 200*365*24*time.Hour {
			t.Errorf("a record with %v left, error %v; want centuries", r.TTL, err)
		}
		if n := s.Entries(); n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
	})
}

// Errors of writing methods for a context that is done say that nothing was
// written.
func TestNotApplied(t *testing.T) {
	s := memstore.New()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"Swap":    s.Swap(ctx, "id", store.Version{}, record(store.RankUser, time.Hour)),
		"Touch":   s.Touch(ctx, "id", store.Version{1}, time.Hour),
		"Delete":  s.Delete(ctx, "id"),
		"Index":   s.Index(ctx, "owner", "ref", "id", time.Hour),
		"Unindex": s.Unindex(ctx, "owner", "id"),
	} {
		if !errors.Is(err, store.ErrNotApplied) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want one that wraps ErrNotApplied and context.Canceled", name, err)
		}
	}
}
