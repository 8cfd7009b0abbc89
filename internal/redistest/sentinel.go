package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// sentinelName is the name of the master that sentinels watch.
const sentinelName = "main"

// Sentinel is a master with replicas, and the sentinels that replace it when it
// fails. Its methods, and those of its servers, are for one goroutine at a time.
type Sentinel struct {
	sentinels, nodes []*Server
}

// StartSentinel starts a master with replicas, watched by sentinels of which a
// majority must agree, for this test alone, and ends them with the test. It
// returns when all sentinels know each other and all replicas, and these are
// connected. It needs Redis 7.0. See [Shared] for where there is none.
//
// args are appended to the command lines of the master and the replicas. A
// --requirepass among them is also what they and the sentinels tell each other;
// the sentinels themselves ask for none. It must have no spaces: sentinels write
// it down unquoted, and stumble over that when restarted.
//
// A node is missed after a second.
func StartSentinel(t testing.TB, sentinels, replicas int, args ...string) *Sentinel {
	t.Helper()
	master := Start(t, args...)
	g := &Sentinel{nodes: []*Server{master}}
	for range sentinels {
		s, err := newSentinel(master, sentinels/2+1)
		need(t, err)
		g.sentinels = append(g.sentinels, s)
	}
	for range replicas {
		s, err := newReplica(master, args)
		need(t, err)
		g.nodes = append(g.nodes, s)
	}
	// Sentinels find replicas that are there before them at once.
	startAll(t, g.nodes[1:])
	for _, s := range g.nodes[1:] {
		await(t, "connected replica", func() error { return notReplicating(s, master) })
	}
	startAll(t, g.sentinels)
	await(t, "agreement of the sentinels", func() error {
		_, err := g.settled(nil)
		return err
	})
	return g
}

func newSentinel(master *Server, quorum int) (*Server, error) {
	s, err := newProgram("redis-sentinel")
	if err != nil {
		return nil, err
	}
	var config strings.Builder
	fmt.Fprintf(&config, "sentinel monitor %s 127.0.0.1 %d %d\n", sentinelName, master.port, quorum)
	fmt.Fprintf(&config, "sentinel down-after-milliseconds %s 1000\n", sentinelName)
	fmt.Fprintf(&config, "sentinel failover-timeout %s 3000\n", sentinelName)
	fmt.Fprintf(&config, "sentinel parallel-syncs %s 1\n", sentinelName)
	if password := master.password(); password != "" {
		fmt.Fprintf(&config, "sentinel auth-pass %s %s\n", sentinelName, password)
	}
	path := filepath.Join(s.dir, "sentinel.conf")
	if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	s.ready, s.started = "Sentinel ID is", hasten
	s.listen = func(port int) []string { return []string{path, "--port", strconv.Itoa(port)} }
	return s, nil
}

// hasten has a sentinel look and talk more often than it does by itself. In
// production a failover may take longer; in a test that is only waiting.
func hasten(sentinel *Server) error {
	_, err := sentinel.do("SENTINEL", "DEBUG",
		"INFO-PERIOD", 200,
		"PUBLISH-PERIOD", 200,
		// A replica is promoted only if what it said is no older than five
		// periods, and while its master is down it is asked once a second.
		"PING-PERIOD", 500,
		"MIN-LINK-RECONNECT-PERIOD", 200,
		// After a pause of two seconds, as on a busy machine, it trusts nothing
		// that it sees for that long.
		"TILT-PERIOD", 1000,
	)
	return err
}

// Name returns the name under which the sentinels know the master.
func (g *Sentinel) Name() string { return sentinelName }

// Nodes returns the Redis servers, also those that were ended, first the one
// that began as the master.
func (g *Sentinel) Nodes() []*Server { return slices.Clone(g.nodes) }

// Sentinels returns the sentinels, also those that were ended.
func (g *Sentinel) Sentinels() []*Server { return slices.Clone(g.sentinels) }

// Addrs returns the host:port of all sentinels, also of those that were ended.
func (g *Sentinel) Addrs() []string { return addrs(g.sentinels) }

// URL returns the address of database 0 of the master as a redis+sentinel URL
// that names all sentinels and no password.
func (g *Sentinel) URL() string {
	return "redis+sentinel://" + strings.Join(g.Addrs(), ",") + "/" + sentinelName + "/0"
}

// Master returns the master as far as the sentinels that answer know. Where they
// differ, the latest failover counts, as it does for them.
func (g *Sentinel) Master(t testing.TB) *Server {
	t.Helper()
	addr, epoch := "", -1
	for _, sentinel := range answering(g.sentinels) {
		m, err := watched(sentinel)
		if err != nil {
			t.Fatalf("redistest: SENTINEL MASTER: %v", err)
		}
		if m.epoch > epoch {
			addr, epoch = m.addr, m.epoch
		}
	}
	s, err := find(g.nodes, addr)
	if err != nil {
		t.Fatalf("redistest: master of the sentinels: %v", err)
	}
	return s
}

// AwaitFailover waits until all sentinels that answer name another master than
// from and have nothing left to do, and all other servers that answer follow it.
// It returns that master.
func (g *Sentinel) AwaitFailover(t testing.TB, from *Server) *Server {
	t.Helper()
	var master *Server
	await(t, "failover", func() (err error) {
		master, err = g.settled(from)
		return err
	})
	return master
}

// Failover has the sentinels replace a master that works, and waits as
// [Sentinel.AwaitFailover] does and until the old master follows the new one. It
// returns the new one.
func (g *Sentinel) Failover(t testing.TB) *Server {
	t.Helper()
	from := g.Master(t)
	sentinels := answering(g.sentinels)
	if len(sentinels) == 0 {
		t.Fatal("redistest: no sentinel answers")
	}
	// Refused while another failover is under way or no replica is known to be
	// good.
	await(t, "consent to a failover", func() error {
		_, err := sentinels[0].do("SENTINEL", "FAILOVER", sentinelName)
		return err
	})
	master := g.AwaitFailover(t, from)
	await(t, "replica of the old master", func() error { return notReplicating(from, master) })
	return master
}

// settled returns the master that all sentinels that answer agree on, if it
// isn't except, they have found all others, and these follow it, except except.
func (g *Sentinel) settled(except *Server) (*Server, error) {
	var master *Server
	for _, sentinel := range answering(g.sentinels) {
		m, err := watched(sentinel)
		if err != nil {
			return nil, err
		}
		if m.flags != "master" || m.replicas != len(g.nodes)-1 || m.sentinels != len(g.sentinels)-1 {
			return nil, fmt.Errorf("%s sees %+v", sentinel.Addr(), m)
		}
		s, err := find(g.nodes, m.addr)
		if err != nil {
			return nil, err
		}
		if s == except || master != nil && s != master {
			return nil, fmt.Errorf("%s has %s as the master", sentinel.Addr(), s.Addr())
		}
		master = s
	}
	if master == nil {
		return nil, errors.New("no sentinel answers")
	}
	for _, s := range answering(g.nodes) {
		if s == master || s == except {
			continue
		}
		if err := notReplicating(s, master); err != nil {
			return nil, err
		}
	}
	ok, err := isMaster(master)
	if err == nil && !ok {
		err = fmt.Errorf("%s is not a master yet", master.Addr())
	}
	return master, err
}

// watchedMaster is what a sentinel knows of the master.
type watchedMaster struct {
	addr, flags                string
	replicas, sentinels, epoch int // sentinels are the others
}

func watched(sentinel *Server) (watchedMaster, error) {
	fields, err := redis.StringMap(sentinel.do("SENTINEL", "MASTER", sentinelName))
	if err != nil {
		return watchedMaster{}, err
	}
	m := watchedMaster{addr: net.JoinHostPort(fields["ip"], fields["port"]), flags: fields["flags"]}
	for name, n := range map[string]*int{
		"num-slaves":          &m.replicas,
		"num-other-sentinels": &m.sentinels,
		"config-epoch":        &m.epoch,
	} {
		if *n, err = strconv.Atoi(fields[name]); err != nil {
			return watchedMaster{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return m, nil
}
