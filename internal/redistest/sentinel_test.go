package redistest_test

import (
	"net"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
)

func TestSentinel_FailsOver(t *testing.T) {
	t.Parallel()
	g := redistest.StartSentinel(t, 3, 2, "--requirepass", "open-sesame")
	if want := "redis+sentinel://" + strings.Join(g.Addrs(), ",") + "/" + g.Name() + "/0"; g.URL() != want {
		t.Errorf("URL is %s, want %s", g.URL(), want)
	}
	first := g.Master(t)
	if nodes := g.Nodes(); len(nodes) != 3 || first != nodes[0] {
		t.Errorf("%s is the master of %d nodes, want the first of 3", first.Addr(), len(nodes))
	}
	first.Do(t, "SET", "k", "v")
	first.Do(t, "WAIT", 2, 0)

	second := g.Failover(t)
	if second == first || g.Master(t) != second {
		t.Fatalf("an orderly failover led from %s to %s", first.Addr(), second.Addr())
	}
	second.Kill(t)
	third := g.AwaitFailover(t, second)
	if third == second || g.Master(t) != third {
		t.Fatalf("a failover led from %s to %s", second.Addr(), third.Addr())
	}
	if got, err := redis.String(third.Do(t, "GET", "k"), nil); got != "v" {
		t.Errorf("after two failovers: %q, %v", got, err)
	}
	for _, sentinel := range g.Sentinels() {
		addr, err := redis.Strings(sentinel.Do(t, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", g.Name()), nil)
		if err != nil || net.JoinHostPort(addr[0], addr[1]) != third.Addr() {
			t.Errorf("%s names %v, %v, want %s", sentinel.Addr(), addr, err, third.Addr())
		}
	}

	// Those that were away find their places.
	g.Sentinels()[0].Kill(t)
	g.Sentinels()[0].Restart(t)
	second.Restart(t)
	_, port, _ := net.SplitHostPort(third.Addr())
	await(t, func() bool {
		info, err := redis.String(second.Do(t, "INFO", "replication"), nil)
		return err == nil && strings.Contains(info, "master_port:"+port) && strings.Contains(info, "master_link_status:up")
	})
	if master := g.Master(t); master != third {
		t.Errorf("the master is %s, want %s", master.Addr(), third.Addr())
	}
}
