package redisstore_test

import (
	"testing"

	"github.com/gosatchel/satchel/store"
)

func BenchmarkFind(b *testing.B) {
	s := openShared(b)
	create(b, s, "id", string(make([]byte, 1024)))
	b.ReportAllocs()
	for b.Loop() {
		find(b, s, "id")
	}
}

func BenchmarkFind_Parallel(b *testing.B) {
	s := openShared(b)
	create(b, s, "id", string(make([]byte, 1024)))
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Find(b.Context(), "id"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkSwap(b *testing.B) {
	s := openShared(b)
	r := create(b, s, "id", string(make([]byte, 1024)))
	b.ReportAllocs()
	for b.Loop() {
		next := store.Record{Version: r.Version, Data: r.Data, TTL: r.TTL}
		next.Version[0]++
		if err := s.Swap(b.Context(), "id", r.Version, next); err != nil {
			b.Fatal(err)
		}
		r = next
	}
}
