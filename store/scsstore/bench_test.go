package scsstore_test

import (
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/store/scsstore"
)

// What the adapter adds to the scs store, which here takes next to no time.

func BenchmarkFind(b *testing.B) {
	s := scsstore.New(memstore.NewWithCleanupInterval(0), scsstore.Options{})
	create(b, s, "id", strings.Repeat("x", 1024))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Find(b.Context(), "id"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSwap(b *testing.B) {
	s := scsstore.New(memstore.NewWithCleanupInterval(0), scsstore.Options{})
	last := create(b, s, "id", strings.Repeat("x", 1024))
	b.ReportAllocs()
	for b.Loop() {
		next := last
		next.Version[0]++
		if err := s.Swap(b.Context(), "id", last.Version, next); err != nil {
			b.Fatal(err)
		}
		last = next
	}
}
