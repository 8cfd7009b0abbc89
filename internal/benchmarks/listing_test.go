package benchmarks

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
	"github.com/gosatchel/satchel/store/redisstore"
)

// theirs is how many sessions the user has that is listed.
const theirs = 3

// BenchmarkListing lists one user's sessions among few and among many of others.
// The cost has to be the same: it grows with that user's sessions alone.
func BenchmarkListing(b *testing.B) {
	for _, kind := range []struct {
		name string
		open func(b *testing.B) store.Store
	}{
		{"memory", func(*testing.B) store.Store { return memstore.New() }},
		{"redis", openRedis},
	} {
		for _, population := range []int{1_000, 50_000} {
			b.Run(fmt.Sprintf("store=%s/sessions=%d", kind.name, population), func(b *testing.B) {
				m := session.New(kind.open(b), session.Options{Insecure: true})
				populate(b, m, population)
				b.ReportAllocs()
				for b.Loop() {
					all, err := m.Sessions(b.Context(), "7")
					if err != nil || len(all) != theirs {
						b.Fatalf("%d sessions, want %d: %v", len(all), theirs, err)
					}
				}
			})
		}
	}
}

// openRedis returns an empty store in a Redis of the benchmark's own.
func openRedis(b *testing.B) store.Store {
	s, err := redisstore.Open(redistest.Start(b).URL(), redisstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// populate signs users in, three sessions each, with some things in them. One of
// them is user 7.
func populate(b *testing.B, m *session.Manager, sessions int) {
	carts := session.NewKey[[]Item]("cart")
	var workers sync.WaitGroup
	const parallel = 8
	for w := range parallel {
		workers.Go(func() {
			for i := w; i < sessions; i += parallel {
				_, err := m.Do(b.Context(), "", func(ctx context.Context) error {
					carts.Set(ctx, cart)
					session.Login(ctx, fmt.Sprint(i/theirs))
					return nil
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}
