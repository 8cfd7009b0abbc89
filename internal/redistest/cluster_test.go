package redistest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
)

// slotOfKeys is the slot of the keys that fillSlot sets.
const slotOfKeys = 14886 // CLUSTER KEYSLOT {tests}

// fillSlot sets keys of one slot to their own names.
func fillSlot(t *testing.T, c *redistest.Cluster, n int) []string {
	t.Helper()
	var keys []string
	for i := range n {
		key := fmt.Sprintf("{tests}%d", i)
		c.Master(t, slotOfKeys).Do(t, "SET", key, key)
		keys = append(keys, key)
	}
	return keys
}

// redirection returns the first word of the error that a node refuses a GET
// with, or "".
func redirection(t *testing.T, s *redistest.Server, key string) string {
	t.Helper()
	conn := dial(t, s.Addr())
	do(t, conn, "AUTH", "open-sesame")
	_, err := conn.Do("GET", key)
	if err == nil {
		return ""
	}
	word, _, _ := strings.Cut(err.Error(), " ")
	return word
}

func TestCluster_StartsComplete(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 2, 2)
	if n := len(c.Nodes()); n != 6 || len(c.Addrs()) != n {
		t.Fatalf("%d nodes and %d addresses, want 6", n, len(c.Addrs()))
	}
	if want := "redis+cluster://" + strings.Join(c.Addrs(), ","); c.URL() != want {
		t.Errorf("URL is %s, want %s", c.URL(), want)
	}
	var all []*redistest.Server
	for _, slot := range []int{0, 16383} {
		master := c.Master(t, slot)
		all = append(append(all, master), c.Replicas(t, master)...)
	}
	for _, s := range c.Nodes() {
		if !slices.Contains(all, s) {
			t.Errorf("%s is neither a master nor a replica of one", s.Addr())
		}
	}
	if len(all) != 6 {
		t.Errorf("2 masters have %d replicas, want 4", len(all)-2)
	}
	if first, second := c.Master(t, 8191), c.Master(t, 8192); first != all[0] || second != all[3] {
		t.Errorf("the middle slots are at %s and %s, want an even share", first.Addr(), second.Addr())
	}
}

func TestCluster_MovesSlots(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 0, "--requirepass", "open-sesame")
	keys := fillSlot(t, c, 5)
	from, to := c.Master(t, slotOfKeys), c.Master(t, 0)
	// count returns how often from answers which way.
	count := func() map[string]int {
		n := map[string]int{}
		for _, key := range keys {
			n[redirection(t, from, key)]++
		}
		return n
	}
	called := false
	c.MoveSlot(t, slotOfKeys, to, func() {
		called = true
		if n := count(); n["ASK"] != 3 || n[""] != 2 {
			t.Errorf("half moved: %v, want 3 times ASK and 2 values", n)
		}
		if word := redirection(t, to, keys[0]); word != "MOVED" {
			t.Errorf("half moved: the new master answers %q without ASKING, want MOVED", word)
		}
		if master := c.Master(t, slotOfKeys); master != from {
			t.Errorf("half moved: the slot is at %s already", master.Addr())
		}
	})
	if !called {
		t.Fatal("during was not called")
	}
	if n := count(); n["MOVED"] != 5 {
		t.Errorf("moved: %v, want 5 times MOVED", n)
	}
	for _, key := range keys {
		if got, err := redis.String(to.Do(t, "GET", key), nil); got != key {
			t.Errorf("moved: %s is %q, %v", key, got, err)
		}
	}
	if master := c.Master(t, slotOfKeys); master != to {
		t.Errorf("moved: the slot is at %s, want %s", master.Addr(), to.Addr())
	}
	c.MoveSlot(t, slotOfKeys, from, nil)
	if n := count(); n[""] != 5 {
		t.Errorf("moved back: %v, want 5 values", n)
	}
}

func TestCluster_FailsOver(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	keys := fillSlot(t, c, 1)
	first := c.Master(t, slotOfKeys)
	first.Do(t, "WAIT", 1, 0)
	replica := c.Replicas(t, first)[0]

	first.Kill(t)
	second := c.AwaitFailover(t, slotOfKeys, first)
	if second != replica || c.Master(t, slotOfKeys) != replica {
		t.Fatalf("the slot is at %s, want the replica %s", second.Addr(), replica.Addr())
	}
	if got, err := redis.String(second.Do(t, "GET", keys[0]), nil); got != keys[0] {
		t.Errorf("after a failover: %q, %v", got, err)
	}
	if got := c.Replicas(t, second); len(got) != 0 {
		t.Errorf("the new master has %d replicas, want none", len(got))
	}

	first.Restart(t)
	await(t, func() bool { return slices.Contains(c.Replicas(t, second), first) })
	await(t, func() bool { return first.Do(t, "DBSIZE") == int64(1) })

	second.Freeze(t)
	if third := c.AwaitFailover(t, slotOfKeys, second); third != first {
		t.Errorf("the slot is at %s, want %s", third.Addr(), first.Addr())
	}
}

func TestCluster_NodeLoads(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 1, 0)
	fillSlot(t, c, 1)
	s := c.Nodes()[0]
	s.RestartLoading(t)
	if _, err := dial(t, s.Addr()).Do("PING"); err == nil || !strings.HasPrefix(err.Error(), "LOADING ") {
		t.Errorf("PING while loading: %v, want LOADING", err)
	}
	s.FinishLoading(t)
	if n := s.Do(t, "DBSIZE"); n != int64(1) {
		t.Errorf("%v keys after loading, want 1", n)
	}
}
