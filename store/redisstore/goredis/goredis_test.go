package goredis_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
	"github.com/gosatchel/satchel/store/redisstore/goredis"
	"github.com/gosatchel/satchel/store/storetest"
)

func over(t *testing.T, c redis.UniversalClient) *redisstore.Store {
	t.Helper()
	t.Cleanup(func() { c.Close() })
	return redisstore.NewFromClient(goredis.Client(c), redistest.Prefix(t))
}

func TestConformance(t *testing.T) {
	for name, client := range map[string]func(t *testing.T) redis.UniversalClient{
		"server": func(t *testing.T) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: redistest.Shared(t).Addr(), ContextTimeoutEnabled: true})
		},
		"sentinel": func(t *testing.T) redis.UniversalClient {
			g := redistest.StartSentinel(t, 3, 1)
			return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: g.Name(), SentinelAddrs: g.Addrs(), ContextTimeoutEnabled: true})
		},
		"cluster": func(t *testing.T) redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: redistest.StartCluster(t, 3, 0).Addrs(), ContextTimeoutEnabled: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := over(t, client(t))
			storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
		})
	}
}

func newRecord(data string) store.Record {
	r := store.Record{Data: []byte(data), TTL: time.Hour}
	rand.Read(r.Version[:])
	return r
}

// go-redis knows nothing of contexts unless it is told, and then waits for as long
// as its own timeouts say.
func TestP6_AFrozenServerHoldsNobody(t *testing.T) {
	server := redistest.Start(t)
	for _, enabled := range []bool{false, true} {
		s := over(t, redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: enabled}))
		first := newRecord("data")
		if err := s.Swap(t.Context(), "id", store.Version{}, first); err != nil {
			t.Fatal(err)
		}
		server.Freeze(t)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				const deadline, slack = 200 * time.Millisecond, 100 * time.Millisecond
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				began := time.Now()
				err := s.Swap(ctx, "id", first.Version, newRecord("next"))
				if took := time.Since(began); took > deadline+slack {
					t.Errorf("ContextTimeoutEnabled %t: returned after %v with a deadline of %v", enabled, took, deadline)
				}
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrNotApplied) {
					t.Errorf("%v, want DeadlineExceeded, and nothing said of what happened", err)
				}
			})
		}
		all.Wait()
		server.Thaw(t)
	}
}

// A reply is lost, and go-redis sends the command again by itself.
func TestSwap_SentTwiceIsAppliedOnce(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Shared(t).Addr())
	s := over(t, redis.NewClient(&redis.Options{Addr: p.Addr(), ContextTimeoutEnabled: true, Protocol: 2})) // the proxy's language
	first := newRecord("first")
	if err := s.Swap(t.Context(), "id", store.Version{}, first); err != nil {
		t.Fatal(err)
	}
	p.DropReply()
	if err := s.Swap(t.Context(), "id", first.Version, newRecord("second")); err != nil {
		t.Errorf("a Swap whose reply was lost: %v", err)
	}
}

func TestErrors_AreTheStoresOwn(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "secret")
	s := over(t, redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1}))
	err := s.Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), "wants a password") {
		t.Errorf("%v, want an error that says that a password is missing", err)
	}
	if err := s.Delete(t.Context(), "id"); err == nil || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want an error that says nothing of what happened, since the client may have sent before", err)
	}
}

func TestOwned_OnAllNodesOfACluster(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	s := over(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs(), ContextTimeoutEnabled: true}))
	const n = 30
	for range n {
		id := rand.Text()
		if err := s.Swap(t.Context(), id, store.Version{}, newRecord(id)); err != nil {
			t.Fatal(err)
		}
		if err := s.Index(t.Context(), "owner", "ref", id, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := s.Owned(t.Context(), "owner")
	if err != nil || len(entries) != n {
		t.Fatalf("%d entries (%v), want %d", len(entries), err, n)
	}
	for _, e := range entries {
		if string(e.Record.Data) != e.ID {
			t.Errorf("%s has data %q", e.ID, e.Record.Data)
		}
	}
}

func TestClient_PanicsWithoutAClient(t *testing.T) {
	for name, c := range map[string]redis.UniversalClient{"none": nil, "a nil one": (*redis.Client)(nil), "of a cluster": (*redis.ClusterClient)(nil)} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "needs a client") {
					t.Errorf("%s: panic %q, want one that says what is missing", name, text)
				}
			}()
			goredis.Client(c)
		}()
	}
}
