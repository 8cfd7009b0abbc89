package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mna/redisc"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
)

// A node that hangs holds calls for its own slots, and no others.
func TestCluster_ANodeThatHangsHoldsNoOtherSlot(t *testing.T) {
	// Without a majority of three for a failover, the cluster stays as it is.
	c := redistest.StartCluster(t, 3, 0, "--cluster-require-full-coverage", "no")
	s := open(t, c.URL()+"?max_active=2", noOptions)
	here, elsewhere := idsOn(10, false), idsOn(10, true)
	for _, id := range append(here, elsewhere...) {
		create(t, s, id, "data")
	}
	c.Master(t, 0).Freeze(t)
	var all sync.WaitGroup
	for _, id := range here {
		all.Go(func() {
			start := time.Now()
			_, err := s.Find(within(t, 300*time.Millisecond), id)
			if took := time.Since(start); took > 300*time.Millisecond+slack || err == nil {
				t.Errorf("%v after %v, want an error within 300 ms", err, took)
			}
		})
	}
	for _, id := range elsewhere {
		all.Go(func() { find(t, s, id) })
	}
	all.Wait()
}

// After a few calls have waited for a node that hangs, the others fail at once, but for
// one that now and then waits a moment for news of it.
func TestCluster_ANodeThatHangsKeepsFewWaiting(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0, "--cluster-require-full-coverage", "no")
	s := open(t, c.URL(), noOptions)
	here, elsewhere := idsOn(1, false)[0], idsOn(1, true)[0]
	create(t, s, here, "data")
	create(t, s, elsewhere, "data")
	hung := c.Master(t, slotOf(here))
	hung.Freeze(t)
	const deadline = 300 * time.Millisecond
	crowd := func(n int, hangs bool) (waited int) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for range n {
			all.Go(func() {
				began := time.Now()
				err := s.Swap(within(t, deadline), here, store.Version{}, newRecord("new"))
				took := time.Since(began)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case took > deadline+slack:
					t.Errorf("returned after %v with a deadline of %v", took, deadline)
				case took >= deadline/4:
					waited++
				case !hangs:
				case err == nil || !strings.Contains(err.Error(), "not been answering") || !errors.Is(err, store.ErrNotApplied):
					t.Errorf("at once: %v, want an error that says why, and ErrNotApplied", err)
				}
				discreet(t, err)
			})
		}
		all.Wait()
		return waited
	}
	crowd(5, true)
	for range 3 {
		if waited := crowd(30, true); waited > 1 {
			t.Errorf("%d of 30 calls waited, want one at most", waited)
		}
		if got := find(t, s, elsewhere); string(got.Data) != "data" {
			t.Errorf("on another node, data %q", got.Data)
		}
	}
	hung.Thaw(t)
	again(t, func(ctx context.Context) error { _, err := s.Find(ctx, here); return err })
	if waited := crowd(30, false); waited != 0 {
		t.Errorf("%d calls waited for a node that is back", waited)
	}
}

// All nodes may be replaced while an app runs, until none is left of those that its
// URL names.
func TestCluster_OutlivesTheNodesOfItsURL(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, "redis+cluster://"+c.Master(t, 0).Addr(), noOptions)
	id := idsOn(1, false)[0]
	create(t, s, id, "before")
	c.Master(t, 0).Kill(t)
	writeAgain(t, s, id, "after")
}

// A node that was removed answers as the only one of an empty cluster. It may still be
// in the URL.
func TestCluster_ANodeThatHasLeftIsNotAsked(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	former := redistest.Start(t, "--cluster-enabled", "yes")
	ids := append(idsOn(1, false), idsOn(1, true)...)
	for i := range 10 { // nodes are asked in any order
		s := open(t, "redis+cluster://"+former.Addr()+","+c.Addrs()[0], noOptions)
		for _, id := range ids {
			if err := write(within(t, time.Second), s, id, "data"); err != nil {
				t.Errorf("store %d: %v", i, err)
			}
		}
	}
	s := open(t, "redis+cluster://"+former.Addr(), noOptions)
	if err := s.Ping(within(t, time.Second)); err == nil || !strings.Contains(err.Error(), "not part of the cluster") {
		t.Errorf("with no other node: %v, want an error that says what it is", err)
	}
}

// Nodes name each other by IPv6 addresses without brackets.
func TestCluster_OfIPv6Nodes(t *testing.T) {
	if listener, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skipf("there is no IPv6 here: %v", err)
	} else {
		listener.Close()
	}
	server := redistest.Start(t, "--bind", "127.0.0.1", "::1", "--cluster-enabled", "yes", "--cluster-announce-ip", "::1")
	server.Do(t, "CLUSTER", "ADDSLOTSRANGE", 0, redisc.HashSlots-1)
	for _, url := range []string{server.URL(), strings.Replace(server.URL(), "127.0.0.1", "[::1]", 1)} {
		s := open(t, strings.Replace(url, "redis:", "redis+cluster:", 1), noOptions)
		writeAgain(t, s, "id", "data") // it takes writes after two seconds
	}
	if list := fmt.Sprintf("%s", server.Do(t, "CLIENT", "LIST", "TYPE", "normal")); strings.Count(list, "laddr=[::1]") < 2 {
		t.Errorf("the stores did not connect to the addresses that the node names:\n%s", list)
	}
}

// Clients that go, and those that come with next to no time, say nothing of a node.
func TestCluster_ClientsDenyNoNode(t *testing.T) {
	c := redistest.StartCluster(t, 1, 0)
	p := redistest.NewProxy(t, c.Addrs()[0])
	host, port, _ := net.SplitHostPort(p.Addr())
	c.Nodes()[0].Do(t, "CONFIG", "SET", "cluster-announce-ip", host, "cluster-announce-port", port)
	s := open(t, "redis+cluster://"+p.Addr(), noOptions)
	create(t, s, "id", "data")
	p.Delay(200 * time.Millisecond)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			defer cancel()
			defer time.AfterFunc(150*time.Millisecond, cancel).Stop()
			if _, err := s.Find(ctx, "id"); err == nil {
				t.Error("it succeeded, with less time than a reply takes")
			}
		})
	}
	all.Wait()
	if _, err := s.Find(within(t, 5*time.Second), "id"); err != nil {
		t.Error(err)
	}
}
