package redistest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// clusterView is the cluster as one of its nodes sees it.
type clusterView struct {
	ok    bool // whether it serves clients
	nodes []clusterNode
}

// clusterNode is a line of CLUSTER NODES.
type clusterNode struct {
	id, addr string
	flags    []string
	master   string // the id of a replica's master, or ""
	epoch    int
	linked   bool
	slots    [][2]int // first and last
}

func viewOf(s *Server) (clusterView, error) {
	info, err := redis.String(s.do("CLUSTER", "INFO"))
	if err != nil {
		return clusterView{}, err
	}
	lines, err := redis.String(s.do("CLUSTER", "NODES"))
	if err != nil {
		return clusterView{}, err
	}
	v := clusterView{ok: strings.Contains(info, "cluster_state:ok")}
	for line := range strings.Lines(lines) {
		n, err := parseClusterNode(line)
		if err != nil {
			return clusterView{}, fmt.Errorf("CLUSTER NODES has %q: %w", line, err)
		}
		v.nodes = append(v.nodes, n)
	}
	return v, nil
}

func parseClusterNode(line string) (clusterNode, error) {
	fields := strings.Fields(line)
	if len(fields) < 8 {
		return clusterNode{}, fmt.Errorf("%d fields", len(fields))
	}
	n := clusterNode{id: fields[0], flags: strings.Split(fields[2], ","), linked: fields[7] == "connected"}
	n.addr, _, _ = strings.Cut(fields[1], "@")
	if fields[3] != "-" {
		n.master = fields[3]
	}
	var err error
	if n.epoch, err = strconv.Atoi(fields[6]); err != nil {
		return clusterNode{}, err
	}
	for _, slots := range fields[8:] {
		if strings.HasPrefix(slots, "[") {
			continue // half moved
		}
		first, last, ok := strings.Cut(slots, "-")
		if !ok {
			last = first
		}
		a, err := strconv.Atoi(first)
		if err != nil {
			return clusterNode{}, err
		}
		b, err := strconv.Atoi(last)
		if err != nil {
			return clusterNode{}, err
		}
		n.slots = append(n.slots, [2]int{a, b})
	}
	return n, nil
}

// reachable reports whether nothing speaks against the node.
func (n clusterNode) reachable() bool {
	return n.linked && !slices.ContainsFunc(n.flags, func(flag string) bool {
		return flag != "myself" && flag != "master" && flag != "slave"
	})
}

func (n clusterNode) owns(slot int) bool {
	return slices.ContainsFunc(n.slots, func(s [2]int) bool { return s[0] <= slot && slot <= s[1] })
}

// Master returns the node that serves slot as far as the nodes that answer know.
// Where they differ, the youngest claim counts, as it does for them.
func (c *Cluster) Master(t testing.TB, slot int) *Server {
	t.Helper()
	owner, epoch := "", -1
	for _, s := range answering(c.nodes) {
		v, err := viewOf(s)
		if err != nil {
			t.Fatalf("redistest: %v", err)
		}
		for _, n := range v.nodes {
			if n.owns(slot) && n.epoch > epoch {
				owner, epoch = n.addr, n.epoch
			}
		}
	}
	s, err := find(c.nodes, owner)
	if err != nil {
		t.Fatalf("redistest: master of slot %d: %v", slot, err)
	}
	return s
}

// Replicas returns the reachable replicas of a master, as it sees them, or as
// another node does if it doesn't answer.
func (c *Cluster) Replicas(t testing.TB, of *Server) []*Server {
	t.Helper()
	witness := of
	if !of.answers() {
		all := answering(c.nodes)
		if len(all) == 0 {
			t.Fatal("redistest: no node answers")
		}
		witness = all[0]
	}
	v, err := viewOf(witness)
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	id := ""
	for _, n := range v.nodes {
		if n.addr == of.Addr() {
			id = n.id
		}
	}
	var replicas []*Server
	for _, n := range v.nodes {
		if id != "" && n.master == id && n.reachable() {
			s, err := find(c.nodes, n.addr)
			if err != nil {
				t.Fatalf("redistest: %v", err)
			}
			replicas = append(replicas, s)
		}
	}
	return replicas
}

// AwaitFailover waits until another node than from serves slot, all nodes that
// answer agree on that, and the cluster's state is ok for them. It returns that
// node.
func (c *Cluster) AwaitFailover(t testing.TB, slot int, from *Server) *Server {
	t.Helper()
	var master *Server
	await(t, "failover", func() (err error) {
		master, err = c.agreed(slot, from)
		return err
	})
	return master
}

// agreed returns the master of slot that all nodes but except, as far as they
// answer, agree on.
func (c *Cluster) agreed(slot int, except *Server) (*Server, error) {
	var master *Server
	for _, s := range answering(c.nodes) {
		if s == except {
			continue
		}
		v, err := viewOf(s)
		if err != nil {
			return nil, err
		}
		if !v.ok {
			return nil, fmt.Errorf("the cluster's state is not ok for %s", s.Addr())
		}
		i := slices.IndexFunc(v.nodes, func(n clusterNode) bool { return n.owns(slot) })
		if i < 0 {
			return nil, fmt.Errorf("%s knows no master of slot %d", s.Addr(), slot)
		}
		owner, err := find(c.nodes, v.nodes[i].addr)
		if err != nil {
			return nil, err
		}
		if owner == except || !owner.answers() || master != nil && owner != master {
			return nil, fmt.Errorf("%s has slot %d at %s", s.Addr(), slot, owner.Addr())
		}
		master = owner
	}
	if master == nil {
		return nil, errors.New("no node answers")
	}
	return master, nil
}

func clusterID(t testing.TB, s *Server) string {
	t.Helper()
	id, err := redis.String(s.Do(t, "CLUSTER", "MYID"), nil)
	if err != nil {
		t.Fatalf("redistest: CLUSTER MYID: %v", err)
	}
	return id
}
