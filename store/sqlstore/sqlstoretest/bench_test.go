package sqlstoretest_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/store/sqlstore"
)

func benchmark(b *testing.B, bench func(b *testing.B, d database)) {
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, create(b, openPostgres(b), sqlstore.PostgreSQL)) })
	b.Run("SQLite", func(b *testing.B) { bench(b, create(b, openSQLite(b), sqlstore.SQLite)) })
}

func BenchmarkFind(b *testing.B) {
	benchmark(b, func(b *testing.B, d database) {
		put(b, d, "id", strings.Repeat("x", 1024))
		for b.Loop() {
			if _, err := d.Find(b.Context(), "id"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSwap(b *testing.B) {
	benchmark(b, func(b *testing.B, d database) {
		last := put(b, d, "id", strings.Repeat("x", 1024))
		n := uint64(0)
		for b.Loop() {
			n++
			next := last
			binary.BigEndian.PutUint64(next.Version[8:], n)
			if err := d.Swap(b.Context(), "id", last.Version, next); err != nil {
				b.Fatal(err)
			}
			last = next
		}
	})
}
