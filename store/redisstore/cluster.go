package redisstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"
)

// cluster is the backend of a Redis Cluster. Each command has one key, and goes to
// the master that serves the key's slot; to find out which, redisc asks the nodes
// for the layout. Who knows better says so in a redirect, which is followed.
//
// Failures make the backend ask for the layout again, in the background. So it
// learns of a failover from the first command that fails.
type cluster struct {
	options Options
	nodes   dialer
	startup []string
	layout  shared[struct{}]

	mu      sync.RWMutex
	masters [redisc.HashSlots]string // the address that serves a slot; "" if unknown
	known   []string                 // all nodes of the last layout
	open    map[string]*node         // by address, those that were needed
	closed  bool
}

func openCluster(t target, o Options) *cluster {
	c := &cluster{options: o, nodes: t.servers, startup: t.addresses, open: map[string]*node{}}
	c.layout.ask = c.findLayout
	return c
}

var (
	errNoNode    = errors.New("no node of the cluster serves the slot")
	errRedirects = errors.New("the nodes of the cluster redirect to each other")

	errClosed error = &unsentError{errors.New("the store was closed")}
)

// maxRedirects is more than a slot that moves causes, and few enough to end.
const maxRedirects = 5

func (c *cluster) do(ctx context.Context, cmd command) (any, error) {
	slot := redisc.Slot(cmd.key)
	address, err := c.master(ctx, slot)
	if err != nil {
		return nil, err
	}
	lookedAgain := false
	for range maxRedirects {
		reply, err := c.doAt(ctx, address, cmd)
		redirect := redisc.ParseRedir(err)
		switch {
		case redirect != nil:
			// A redirected command was not carried out.
			address, cmd.asking = beside(redirect.Addr, address), redirect.Type == "ASK"
			if !cmd.asking {
				c.moved(slot, address)
			}
		case unsent(err) && err != errClosed && ctx.Err() == nil && !lookedAgain:
			// Nobody is there. Its successor may be known by now.
			lookedAgain = true
			former := address
			if _, failed := c.layout.wait(ctx); failed != nil {
				return nil, err
			}
			if address, _ = c.master(ctx, slot); address == former || address == "" {
				return nil, err
			}
			cmd.asking = false
		default:
			c.suspect(err)
			return reply, err
		}
	}
	return nil, &unsentError{errRedirects}
}

func (c *cluster) doAt(ctx context.Context, address string, cmd command) (any, error) {
	n, err := c.node(address)
	if err != nil {
		return nil, err
	}
	return n.do(ctx, cmd)
}

// pipeline asks all nodes that have a part of the keys at the same time.
func (c *cluster) pipeline(ctx context.Context, cs []command) ([]any, error) {
	parts := map[string][]int{}
	for i, cmd := range cs {
		address, err := c.master(ctx, redisc.Slot(cmd.key))
		if err != nil {
			return nil, err
		}
		parts[address] = append(parts[address], i)
	}
	replies := make([]any, len(cs))
	failures := make(chan error, len(parts))
	for address, part := range parts {
		go func() { failures <- c.pipelineAt(ctx, address, cs, part, replies) }()
	}
	var failure error
	for range parts {
		if err := <-failures; err != nil {
			failure = err
		}
	}
	if failure != nil {
		c.suspect(failure)
		return nil, failure
	}
	return replies, nil
}

// pipelineAt sends a part of the commands to one node, and fills in their replies.
func (c *cluster) pipelineAt(ctx context.Context, address string, cs []command, part []int, replies []any) error {
	n, err := c.node(address)
	if err != nil {
		return err
	}
	own := make([]command, len(part))
	for i, at := range part {
		own[i] = cs[at]
	}
	got, err := n.pipeline(ctx, own)
	if err != nil {
		return err
	}
	for i, at := range part {
		replies[at] = got[i]
		failed, _ := got[i].(redis.Error)
		if redisc.ParseRedir(failed) == nil {
			continue
		}
		if replies[at], err = c.do(ctx, cs[at]); err != nil {
			failed, ok := err.(redis.Error)
			if !ok {
				return err
			}
			replies[at] = failed
		}
	}
	return nil
}

// master returns the address that serves slot. Where none is known, it waits for
// the layout.
func (c *cluster) master(ctx context.Context, slot int) (string, error) {
	c.mu.RLock()
	address, closed := c.masters[slot], c.closed
	c.mu.RUnlock()
	switch {
	case closed:
		return "", errClosed
	case address != "":
		return address, nil
	}
	if _, err := c.layout.wait(ctx); err != nil {
		return "", &unsentError{err}
	}
	c.mu.RLock()
	address = c.masters[slot]
	c.mu.RUnlock()
	if address == "" {
		return "", &unsentError{errNoNode}
	}
	return address, nil
}

func (c *cluster) node(address string) (*node, error) {
	c.mu.RLock()
	n, closed := c.open[address], c.closed
	c.mu.RUnlock()
	if n != nil && !closed {
		return n, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if n = c.open[address]; n == nil {
		n = openNode(c.options, func(ctx context.Context) (redis.Conn, error) { return c.nodes.dial(ctx, address) })
		c.open[address] = n
	}
	return n, nil
}

// moved notes what a redirect says of one slot. Others will have moved with it.
func (c *cluster) moved(slot int, address string) {
	c.mu.Lock()
	c.masters[slot] = address
	closed := c.closed
	c.mu.Unlock()
	if !closed {
		c.layout.start(suspicionPause)
	}
}

// suspect asks for the layout, if err gives reason to.
func (c *cluster) suspect(err error) {
	c.mu.RLock()
	closed := c.closed
	c.mu.RUnlock()
	if !closed && mayHaveMoved(err) {
		c.layout.start(suspicionPause)
	}
}

// findLayout asks one node after the other for the layout until one answers.
func (c *cluster) findLayout() (struct{}, error) {
	c.mu.RLock()
	ask := slices.Clone(c.known)
	c.mu.RUnlock()
	for _, address := range c.startup {
		if !slices.Contains(ask, address) {
			ask = append(ask, address)
		}
	}
	rand.Shuffle(len(ask), func(i, j int) { ask[i], ask[j] = ask[j], ask[i] })
	var failure error
	for _, address := range ask {
		err := c.findLayoutAt(address)
		if err == nil {
			return struct{}{}, nil
		}
		failure = errors.Join(failure, fmt.Errorf("the node at %s: %w", address, err))
	}
	return struct{}{}, failure
}

func (c *cluster) findLayoutAt(address string) error {
	d := c.nodes.within(questionTimeout)
	var undialled error
	r := redisc.Cluster{
		StartupNodes: []string{address},
		CreatePool: func(string, ...redis.DialOption) (*redis.Pool, error) {
			return &redis.Pool{Dial: func() (redis.Conn, error) {
				conn, err := d.dial(context.Background(), address)
				undialled = err
				return conn, err
			}}, nil
		},
		LayoutRefresh: func(_, layout [redisc.HashSlots][]string) { c.adopt(layout, address) },
	}
	defer r.Close()
	err := r.Refresh()
	if err == nil {
		return nil
	}
	if undialled != nil {
		return presentable(undialled)
	}
	// redisc makes one text of what the node has answered, under a heading.
	_, text, _ := strings.Cut(err.Error(), "\n")
	return flattened(text)
}

// adopt replaces what is known of the cluster by what one node has said, and closes
// connections to nodes that have left it.
func (c *cluster) adopt(layout [redisc.HashSlots][]string, node string) {
	members := map[string]bool{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for slot, addresses := range layout {
		c.masters[slot] = ""
		if len(addresses) > 0 {
			c.masters[slot] = beside(addresses[0], node)
		}
		for _, address := range addresses {
			members[beside(address, node)] = true
		}
	}
	c.known = slices.Collect(maps.Keys(members))
	for address, n := range c.open {
		if !members[address] {
			n.close()
			delete(c.open, address)
		}
	}
}

func (c *cluster) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, n := range c.open {
		n.close()
	}
	return nil
}

// beside completes an address that a node gave without a host: it means its own,
// which it may not know.
func beside(address, node string) string {
	i := strings.LastIndexByte(address, ':') // IPv6 hosts come without brackets
	if i < 0 {
		return address
	}
	host, port := strings.Trim(address[:i], "[]"), address[i+1:]
	if host == "" {
		host, _, _ = net.SplitHostPort(node)
	}
	return net.JoinHostPort(host, port)
}
