package failover_test

import (
	"cmp"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mna/redisc"

	"github.com/gosatchel/satchel/internal/failover"
	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
)

// deadline is that of a request: it loads its session, and commits or ends it, each
// within a second.
const deadline = 2*time.Second + 100*time.Millisecond

// modes are the two ways to write. There is one replica for each master, so what it
// has confirmed survives: nobody else can take over.
var modes = []struct {
	name, parameters string
	waits            bool
}{
	{"plain", "", false},
	{"wait_replicas=1", "?wait_replicas=1", true},
}

// faults are the two ways in which a master ends. Both are sudden.
var faults = []struct {
	name string
	end  func(t *testing.T, master, replica *redistest.Server)
	lose bool // what was acknowledged while nobody replicated
}{
	// The process ends. What it had sent arrives. In each turn of its loop it answers
	// clients and sends to replicas, one after the other; it may end between.
	{"killed", func(t *testing.T, master, _ *redistest.Server) { master.Kill(t) }, false},

	// The network between the servers, or the replica's machine, is late by so much
	// when the master ends.
	{"cut off", func(t *testing.T, master, replica *redistest.Server) {
		replica.Freeze(t)
		master.Do(t, "CLIENT", "KILL", "TYPE", "replica")
		<-time.After(lag)
		master.Kill(t)
		replica.Thaw(t)
	}, true},
}

const lag = 100 * time.Millisecond

// repetitions is how often each fault is caused.
func repetitions(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("FAILOVERS"), "1"))
	if err != nil || n < 1 {
		t.Fatalf("FAILOVERS=%q: it must be a positive number", os.Getenv("FAILOVERS"))
	}
	return n
}

func TestP1_CartsSurviveFailoverAndReshardingInACluster(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			c := redistest.StartCluster(t, 3, 1)
			load := failover.NewLoad(t, trial.OpenRedis(t, c.URL()+mode.parameters, redistest.Prefix(t)))
			slot := occupied(t, c)
			for _, fault := range faults {
				var all failover.Tally
				for range repetitions(t) {
					load.Start(t)
					load.AwaitService(t)
					moveSlot(t, c, slot, load)
					master := c.Master(t, slot)
					fault.end(t, master, c.Replicas(t, master)[0])
					next := c.AwaitFailover(t, slot, master)
					master.Restart(t) // or there would be nobody to confirm
					load.AwaitService(t)
					load.Stop()
					master.AwaitReplicaOf(t, next)
					all.Add(checked(t, load.Count(t), mode.waits, fault.lose))
				}
				t.Logf("%d times %s: %v", repetitions(t), fault.name, all)
			}
		})
	}
}

func TestP1_CartsSurviveFailoverWithSentinel(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			g := redistest.StartSentinel(t, 3, 1)
			load := failover.NewLoad(t, trial.OpenRedis(t, g.URL()+mode.parameters, redistest.Prefix(t)))
			for _, fault := range faults {
				var all failover.Tally
				for range repetitions(t) {
					load.Start(t)
					load.AwaitService(t)
					master := g.Master(t)
					replica := g.Nodes()[0]
					if replica == master {
						replica = g.Nodes()[1]
					}
					fault.end(t, master, replica)
					next := g.AwaitFailover(t, master)
					master.Restart(t)
					load.AwaitService(t)
					load.Stop()
					master.AwaitReplicaOf(t, next)
					all.Add(checked(t, load.Count(t), mode.waits, fault.lose))
				}
				t.Logf("%d times %s: %v", repetitions(t), fault.name, all)
			}
		})
	}
}

// occupied returns a slot that has a cart.
func occupied(t *testing.T, c *redistest.Cluster) int {
	t.Helper()
	for _, n := range c.Nodes() {
		if key, ok := n.Do(t, "RANDOMKEY").([]byte); ok {
			return redisc.Slot(string(key))
		}
	}
	t.Fatal("no cart anywhere")
	return 0
}

// moveSlot moves a slot to another master and back, while things are added to the
// cart that is in it.
func moveSlot(t *testing.T, c *redistest.Cluster, slot int, load *failover.Load) {
	t.Helper()
	from := c.Master(t, slot)
	for _, to := range []*redistest.Server{c.Master(t, 0), c.Master(t, redisc.HashSlots-1)} {
		if to != from {
			c.MoveSlot(t, slot, to, func() { load.AwaitService(t) })
			c.MoveSlot(t, slot, from, func() { load.AwaitService(t) })
			return
		}
	}
}

// checked fails the test if the tally breaks a promise. Only what Redis itself loses
// may be lost.
func checked(t *testing.T, one failover.Tally, waits, lossy bool) failover.Tally {
	t.Helper()
	lost := one.Lost + one.Risen
	switch {
	case one.Doubled > 0:
		t.Errorf("things are there twice: %v", one)
	case one.Slowest > deadline:
		t.Errorf("a request outlived %v: %v", deadline, one)
	case one.Added == 0 || one.SignedOut == 0:
		t.Errorf("a load that shows nothing: %v", one)
	case waits && lost > 0:
		t.Errorf("what a replica had is lost: %v", one)
	case !waits && lossy && one.Lost == 0:
		t.Errorf("nothing was lost that was not replicated, so the test can't see losses: %v", one)
	case !waits && !lossy && lost > failover.AtOnce:
		t.Errorf("more is lost than the last moment's answers, %d at most: %v", failover.AtOnce, one)
	}
	return one
}
