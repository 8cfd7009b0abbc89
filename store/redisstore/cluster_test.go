package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func slotOf(id string) int { return redisc.Slot(redisstore.DefaultPrefix + "session:" + id) }

// idsOn returns n ids whose records are on the node that serves slot 0, or with
// elsewhere on others.
func idsOn(n int, elsewhere bool) (ids []string) {
	const share = redisc.HashSlots / 3
	for i := 0; len(ids) < n; i++ {
		if id := fmt.Sprint("id", i); (slotOf(id) >= share) == elsewhere {
			ids = append(ids, id)
		}
	}
	return ids
}

// Each write is made before, while and after its slot moves, with what was known
// of the cluster before.
func TestCluster_FollowsRedirectsWhileASlotMoves(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	const id = "id"
	slot := slotOf(id)
	// Keys of one slot, so that some have moved half-way and others have not.
	tag := func(i int) string { return fmt.Sprintf("{%s}%d", "satchel:session:"+id, i) }
	s := open(t, c.URL(), redisstore.Options{})
	stale := open(t, c.URL(), redisstore.Options{})
	ids := []string{id}
	for i := range 20 {
		ids = append(ids, tag(i))
	}
	for i, id := range ids[1:] {
		if redisc.Slot(redisstore.DefaultPrefix+"session:"+id) != slot {
			t.Fatalf("id %d is in another slot", i)
		}
	}
	for _, id := range ids {
		create(t, s, id, "before")
		find(t, stale, id)
	}
	from := c.Master(t, slot)
	var to *redistest.Server
	for _, n := range c.Nodes() {
		if n != from {
			to = n
		}
	}
	c.MoveSlot(t, slot, to, func() {
		for i, id := range ids {
			if got := find(t, stale, id); string(got.Data) != "before" {
				t.Errorf("half-way, record %d has data %q", i, got.Data)
			}
			if err := write(within(t, time.Second), s, id, "half-way"); err != nil {
				t.Errorf("half-way, record %d: %v", i, err)
			}
		}
		if _, err := s.Find(within(t, time.Second), tag(1000)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("half-way, a record that is not there: %v", err)
		}
	})
	redirects := redirected(t, from)
	for i, id := range ids {
		if got := find(t, stale, id); string(got.Data) != "half-way" {
			t.Errorf("after the move, record %d has data %q", i, got.Data)
		}
		if err := write(within(t, time.Second), stale, id, "after"); err != nil {
			t.Errorf("after the move, record %d: %v", i, err)
		}
	}
	if n := redirected(t, from) - redirects; n != 1 {
		t.Errorf("%d commands were redirected after the move, want the first one alone", n)
	}
}

// redirected returns how many commands a node has answered with MOVED.
func redirected(t *testing.T, node *redistest.Server) (n int) {
	t.Helper()
	stats, err := redis.String(node.Do(t, "INFO", "errorstats"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, count, ok := strings.Cut(stats, "errorstat_MOVED:count="); ok {
		if _, err := fmt.Sscan(count, &n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestCluster_FollowsWhenAMasterDies(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, c.URL(), noOptions)
	id := idsOn(1, false)[0]
	create(t, s, id, "before")
	c.Master(t, 0).Kill(t)
	t.Logf("%d calls failed before there was a new master", writeAgain(t, s, id, "after"))
	if got := find(t, s, id); string(got.Data) != "after" {
		t.Errorf("data %q", got.Data)
	}
}

// A master that hangs refuses no connection. It is left as soon as the cluster has
// another one.
func TestCluster_FollowsWhenAMasterHangs(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, c.URL(), noOptions)
	id := idsOn(1, false)[0]
	create(t, s, id, "before")
	old := c.Master(t, 0)
	old.Freeze(t)
	t.Logf("%d calls failed before there was a new master", writeAgain(t, s, id, "after"))
	old.Thaw(t)
	if got := find(t, s, id); string(got.Data) != "after" {
		t.Errorf("when the old master is back, data %q", got.Data)
	}
}

// The records of a user's sessions are on all nodes, and are asked for at once.
func TestCluster_OwnedFindsRecordsOnAllNodes(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	s := open(t, c.URL(), noOptions)
	const n = 30
	for i := range n {
		id := fmt.Sprint("id", i)
		create(t, s, id, "data "+id)
		if err := s.Index(t.Context(), "owner", "ref", id, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		entries, err := s.Owned(within(t, time.Second), "owner")
		if err != nil || len(entries) != n {
			t.Fatalf("%d entries (%v), want %d", len(entries), err, n)
		}
		for _, e := range entries {
			if string(e.Record.Data) != "data "+e.ID {
				t.Errorf("%s has data %q", e.ID, e.Record.Data)
			}
		}
	}
	check()
	slot := slotOf("id0")
	for _, to := range c.Nodes() {
		if to != c.Master(t, slot) {
			c.MoveSlot(t, slot, to, check)
			break
		}
	}
	check()
}

// The first call after a failover finds the successor, also where it asks several
// nodes at once.
func TestCluster_OwnedFollowsWhenAMasterDies(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, c.URL(), noOptions)
	const n = 30
	for i := range n {
		id := fmt.Sprint("id", i)
		create(t, s, id, "data")
		if err := s.Index(t.Context(), "owner", "ref", id, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	owned := func(when string) {
		t.Helper()
		if entries, err := s.Owned(within(t, time.Second), "owner"); err != nil || len(entries) != n {
			t.Errorf("%s: %d entries (%v), want %d", when, len(entries), err, n)
		}
	}
	owned("before")
	list := redisc.Slot(redisstore.DefaultPrefix + "owner:owner")
	for _, slot := range []int{0, redisc.HashSlots / 2, redisc.HashSlots - 1} {
		if master := c.Master(t, slot); master != c.Master(t, list) { // the list itself is asked for with one command
			for _, r := range c.Replicas(t, master) {
				r.AwaitReplicaOf(t, master)
			}
			master.Kill(t)
			c.AwaitFailover(t, slot, master)
			owned("after the end of a master")
			return
		}
	}
}

func TestCluster_SaysWhatIsWrong(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0, "--requirepass", secretPassword)
	hosts := strings.Join(c.Addrs(), ",")
	alone := redistest.Shared(t)
	for url, says := range map[string]string{
		"redis+cluster://" + hosts:                "wants a password",
		"redis+cluster://:secret-wrong@" + hosts:  "refused the user name or the password",
		"redis+cluster://" + alone.Addr():         "cluster support disabled",
		"redis+cluster://127.0.0.1:1,localhost:2": "refused",
	} {
		s := open(t, url, noOptions)
		err := s.Ping(within(t, time.Second))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error with %q", url, err, says)
		}
		discreet(t, err)
		if err := s.Swap(within(t, time.Second), "id", store.Version{}, newRecord("")); !errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s: %v, want ErrNotApplied", url, err)
		}
	}
	s := open(t, "redis+cluster://:"+secretPassword+"@"+hosts, noOptions)
	create(t, s, "id", "data")
	s.Close()
	for _, m := range methods {
		if err := m.call(t.Context(), s); err == nil || m.writes && !errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s after Close: %v, want an error", m.name, err)
		}
	}
}

// The nodes of a cluster speak of each other by address alone, and a single server
// that is a part of one says where the key is.
func TestCluster_ASingleServerURLSaysWhatItIs(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	s := open(t, "redis://"+c.Master(t, 0).Addr(), noOptions)
	err := s.Swap(t.Context(), idsOn(1, true)[0], store.Version{}, newRecord(""))
	if err == nil || !strings.Contains(err.Error(), "part of a cluster") || !errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want an error that says that it is a cluster", err)
	}
}

// Cancelling is no reason to look for another master, and ends a call at once.
func TestCluster_ReturnsWhenItsContextIsDone(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	s := open(t, c.URL(), noOptions)
	for _, n := range c.Nodes() {
		n.Freeze(t)
	}
	for _, m := range methods {
		start := time.Now()
		err := m.call(within(t, 100*time.Millisecond), s)
		if took := time.Since(start); took > 100*time.Millisecond+slack {
			t.Errorf("%s returned after %v", m.name, took)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want DeadlineExceeded", m.name, err)
		}
	}
}

// What keeps a moving slot's new node from being asked is said, and not what comes of
// that.
func TestCluster_SaysWhyASlotCantBeFollowed(t *testing.T) {
	all := "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:PORT\r\n"
	to := liar(t, map[string]string{
		"ASKING":  "-NOPERM User satchel has no permissions to run the 'asking' command\r\n",
		"EVALSHA": "-MOVED 0 127.0.0.1:1\r\n",
	})
	from := liar(t, map[string]string{"CLUSTER": all, "EVALSHA": "-ASK 0 " + to + "\r\n"})
	_, err := open(t, "redis+cluster://"+from, noOptions).Find(within(t, time.Second), "id")
	if err == nil || !strings.Contains(err.Error(), "NOPERM: the server's user lacks a permission") {
		t.Errorf("%v, want an error about the permission", err)
	}
}

// A node that has the slot already carries the command out, announced or not. That it
// refused the announcement does not mean that nothing was written.
func TestCluster_WhatWasCarriedOutWithoutAskingIsNoRefusal(t *testing.T) {
	all := "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:PORT\r\n"
	to := liar(t, map[string]string{
		"ASKING":  "-NOPERM User satchel has no permissions to run the 'asking' command\r\n",
		"EVALSHA": ":1\r\n",
	})
	from := liar(t, map[string]string{"CLUSTER": all, "EVALSHA": "-ASK 0 " + to + "\r\n"})
	s := open(t, "redis+cluster://"+from, noOptions)
	if err := s.Swap(within(t, time.Second), "id", store.Version{}, newRecord("")); err != nil {
		t.Errorf("%v, want no error for a write that was made", err)
	}
}
