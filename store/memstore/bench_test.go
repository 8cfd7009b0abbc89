package memstore_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// filled returns a store with n records of 1 KiB.
func filled(b *testing.B, n int) (*memstore.Store, []string, []store.Version) {
	s := memstore.New()
	ids, versions := make([]string, n), make([]store.Version, n)
	for i := range n {
		r := record(store.RankUser, time.Hour)
		r.Data = make([]byte, 1<<10)
		ids[i] = fmt.Sprintf("%043d", i)
		versions[i] = create(b, s, ids[i], r)
	}
	return s, ids, versions
}

const population = 100_000

func BenchmarkFind(b *testing.B) {
	s, ids, _ := filled(b, population)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Find(b.Context(), ids[i*7919%population]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSwap(b *testing.B) {
	s, ids, versions := filled(b, population)
	next := record(store.RankUser, time.Hour)
	next.Data = make([]byte, 1<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := i * 7919 % population
		next.Version[0]++
		next.Version[15] = 1
		if err := s.Swap(b.Context(), ids[n], versions[n], next); err != nil {
			b.Fatal(err)
		}
		versions[n] = next.Version
	}
}

func BenchmarkTouch(b *testing.B) {
	s, ids, versions := filled(b, population)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := i * 7919 % population
		if err := s.Touch(b.Context(), ids[n], versions[n], time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

// Nine of ten operations read, one writes what it has read.
func BenchmarkMixedParallel(b *testing.B) {
	s, ids, _ := filled(b, population)
	var goroutines atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i := int(goroutines.Add(1)) * 31
		for ; pb.Next(); i++ {
			id := ids[i*7919%population]
			found, err := s.Find(b.Context(), id)
			if err != nil {
				b.Error(err)
				return
			}
			if i%10 == 0 {
				next := record(store.RankUser, time.Hour)
				next.Data = found.Data
				_ = s.Swap(b.Context(), id, found.Version, next) // a conflict is as good
			}
		}
	})
}

// BenchmarkSwapWhileExpiring reports how long a Swap takes while 100,000 records
// expire at once, which is what one sweep over all of them would stall.
func BenchmarkSwapWhileExpiring(b *testing.B) {
	var took []time.Duration
	for b.Loop() {
		s := memstore.New()
		moment := time.Now().Add(time.Second)
		for i := range population {
			r := record(store.RankUser, time.Until(moment))
			if r.TTL <= 0 {
				b.Fatal("this machine is too slow to store the records before they expire")
			}
			create(b, s, fmt.Sprint(i), r)
		}
		busy := make([]store.Version, 1000)
		for i := range busy {
			busy[i] = create(b, s, fmt.Sprint("busy ", i), record(store.RankUser, time.Hour))
		}
		runtime.GC()
		for i := 0; time.Since(moment) < 2*time.Second; i = (i + 1) % len(busy) {
			next, id := record(store.RankUser, time.Hour), fmt.Sprint("busy ", i)
			start := time.Now()
			if err := s.Swap(b.Context(), id, busy[i], next); err != nil {
				b.Fatal(err)
			}
			if start.After(moment) {
				took = append(took, time.Since(start))
			}
			busy[i] = next.Version
		}
		if n := s.Len(); n != len(busy) {
			b.Fatalf("%d records, want %d: the expired ones haven't left", n, len(busy))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns/swap")
	b.ReportMetric(float64(took[len(took)-1].Nanoseconds()), "max-ns/swap")
}
