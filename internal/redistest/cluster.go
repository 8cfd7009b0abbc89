package redistest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// slotCount is the number of slots of every cluster.
const slotCount = 16384

// Cluster is a Redis Cluster. Its methods, and those of its nodes, are for one
// goroutine at a time.
type Cluster struct {
	nodes []*Server
}

// StartCluster starts a cluster for this test alone, of masters with an even
// share of the slots and with replicasEach replicas each, and ends it with the
// test. It returns when all nodes agree on all of that and the replicas are
// connected. It needs Redis 7.0. See [Shared] for where there is none.
//
// args are appended to the command line of every node. A --requirepass among
// them is also what the nodes tell each other.
//
// A node is missed after a second. A cluster that lacks a slot serves none.
func StartCluster(t testing.TB, masters, replicasEach int, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range masters * (1 + replicasEach) {
		s, err := newClusterNode(args)
		need(t, err)
		c.nodes = append(c.nodes, s)
	}
	startAll(t, c.nodes)

	for i, s := range c.nodes {
		// Else they would settle on epochs one by one.
		s.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i < masters {
			s.Do(t, "CLUSTER", "ADDSLOTSRANGE", i*slotCount/masters, (i+1)*slotCount/masters-1)
		}
	}
	for i, s := range c.nodes {
		for _, other := range c.nodes[:i] {
			s.Do(t, "CLUSTER", "MEET", "127.0.0.1", other.port, busPort(other.port))
		}
	}
	for i, s := range c.nodes[masters:] {
		id := clusterID(t, c.nodes[i%masters])
		await(t, "acquaintance of a replica with its master", func() error {
			_, err := s.do("CLUSTER", "REPLICATE", id)
			return err
		})
	}
	await(t, "complete cluster", func() error { return c.incomplete(masters) })
	return c
}

func newClusterNode(args []string) (*Server, error) {
	s, err := newServer(append([]string{
		"--cluster-enabled", "yes",
		// A node alone would learn its address from nobody.
		"--cluster-announce-ip", "127.0.0.1",
		"--cluster-node-timeout", "1000",
		// However long a replica has been without its master, it may replace it.
		"--cluster-replica-validity-factor", "0",
		// Nodes keep the roles that a test gave them.
		"--cluster-allow-replica-migration", "no",
	}, args...))
	if err != nil {
		return nil, err
	}
	s.listen = func(port int) []string {
		return []string{"--port", strconv.Itoa(port), "--cluster-port", strconv.Itoa(busPort(port))}
	}
	return s, nil
}

// busPort returns where the node that serves clients on port talks to other
// nodes.
func busPort(port int) int { return port + 1 }

// Nodes returns all nodes, also those that were ended, first those that began as
// masters.
func (c *Cluster) Nodes() []*Server { return slices.Clone(c.nodes) }

// Addrs returns the host:port of all nodes, also of those that were ended.
func (c *Cluster) Addrs() []string { return addrs(c.nodes) }

// URL returns the address of the cluster as a redis+cluster URL that names all
// nodes.
func (c *Cluster) URL() string { return "redis+cluster://" + strings.Join(c.Addrs(), ",") }

// incomplete returns an error unless every node knows every other in its role,
// and the replicas are in touch with their masters.
func (c *Cluster) incomplete(masters int) error {
	for _, s := range c.nodes {
		v, err := viewOf(s)
		if err != nil {
			return err
		}
		if !v.ok {
			return fmt.Errorf("the cluster's state is not ok for %s", s.Addr())
		}
		serving, following := 0, 0
		for _, n := range v.nodes {
			switch {
			case !n.reachable():
			case n.master == "" && len(n.slots) > 0:
				serving++
			case n.master != "":
				following++
			}
		}
		if serving != masters || serving+following != len(c.nodes) {
			return fmt.Errorf("%s sees %d masters and %d replicas", s.Addr(), serving, following)
		}
	}
	for i, s := range c.nodes[masters:] {
		if err := notReplicating(s, c.nodes[i%masters]); err != nil {
			return err
		}
	}
	return nil
}
