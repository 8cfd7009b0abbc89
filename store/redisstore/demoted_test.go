package redisstore_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
)

// forward is an address behind which the server can be replaced, as behind the name
// that a hosting company gives for its master. Connections stay where they are.
func forward(t *testing.T, to *atomic.Pointer[redistest.Server]) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to.Load().Addr())
			if err != nil {
				client.Close()
				continue
			}
			go func() { io.Copy(server, client); server.Close() }()
			go func() { io.Copy(client, server); client.Close() }()
		}
	}()
	return listener.Addr().String()
}

// A connection that is left open leads to what is a replica now. Nothing is written
// then, so the same call can go to the new master.
func TestDemoted_TheSameCallReachesTheNewMaster(t *testing.T) {
	for _, answers := range []string{"yes", "no"} { // as long as it has no link to its master
		t.Run("replica-serve-stale-data "+answers, func(t *testing.T) {
			demoted(t, redistest.Start(t, "--replica-serve-stale-data", answers), redistest.Start(t))
		})
	}
}

func demoted(t *testing.T, old, next *redistest.Server) {
	var master atomic.Pointer[redistest.Server]
	master.Store(old)
	s := open(t, "redis://"+forward(t, &master), noOptions)
	const idle = 8
	var all sync.WaitGroup
	for i := range idle {
		all.Go(func() { create(t, s, fmt.Sprint("id", i), "before") })
	}
	all.Wait()
	old.Do(t, "REPLICAOF", "127.0.0.1", "1")
	master.Store(next)
	for i := range idle {
		all.Go(func() { create(t, s, fmt.Sprint("new id", i), "after") })
	}
	all.Wait()
	if n := next.Do(t, "DBSIZE"); n != int64(idle) {
		t.Errorf("the new master has %d records, want %d", n, idle)
	}
}

// Where the URL names a replica, connections are not thrown away for each write.
func TestDemoted_AReplicaForGood(t *testing.T) {
	server := redistest.Start(t)
	p := redistest.NewProxy(t, server.Addr())
	s := open(t, p.URL(), noOptions)
	r := create(t, s, "id", "data")
	server.Do(t, "REPLICAOF", "127.0.0.1", "1")
	for range 100 {
		if err := s.Swap(t.Context(), "id", r.Version, newRecord("")); !errors.Is(err, store.ErrNotApplied) {
			t.Fatalf("%v, want ErrNotApplied", err)
		}
	}
	if n := p.Accepted(); n > 10 {
		t.Errorf("100 writes took %d connections", n)
	}
	if got := find(t, s, "id"); string(got.Data) != "data" {
		t.Errorf("data %q", got.Data)
	}
	server.Do(t, "REPLICAOF", "NO", "ONE")
	if err := s.Swap(t.Context(), "id", r.Version, newRecord("next")); err != nil {
		t.Error(err)
	}
}
