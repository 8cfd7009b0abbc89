package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"
)

// cluster is the backend of a Redis Cluster. Each command has one key, and goes to
// the master that serves the key's slot; to find out which, the nodes are asked for
// the layout. Who knows better says so in a redirect, which is followed.
//
// Failures make the backend ask for the layout again, in the background. So it
// learns of a failover from the first command that fails.
type cluster struct {
	options Options
	nodes   dialer
	startup []string
	layout  *shared[struct{}]

	mu      sync.RWMutex
	masters [redisc.HashSlots]string // the address that serves a slot; "" if unknown
	known   []string                 // all nodes of the last layout
	open    map[string]*member       // by address, those that were needed
	closed  bool
}

func openCluster(t target, o Options) *cluster {
	c := &cluster{options: o, nodes: t.servers, startup: t.addresses, open: map[string]*member{}}
	c.layout = newShared(o.DialTimeout, c.findLayout)
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
		case nobodyThere(ctx, err) && !lookedAgain:
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
	replies := make([]any, len(cs))
	all := make([]int, len(cs))
	for i := range all {
		all[i] = i
	}
	if err := c.pipelineParts(ctx, cs, all, replies, false); err != nil {
		c.suspect(err)
		return nil, err
	}
	return replies, nil
}

// pipelineParts sends those of the commands that are at the places at, and fills in
// their replies.
func (c *cluster) pipelineParts(ctx context.Context, cs []command, at []int, replies []any, lookedAgain bool) error {
	parts := map[string][]int{}
	for _, i := range at {
		address, err := c.master(ctx, redisc.Slot(cs[i].key))
		if err != nil {
			return err
		}
		parts[address] = append(parts[address], i)
	}
	failures := make(chan error, len(parts))
	for address, part := range parts {
		go func() { failures <- c.pipelineAt(ctx, address, cs, part, replies, lookedAgain) }()
	}
	var failure error
	for range parts {
		if err := <-failures; err != nil {
			failure = err
		}
	}
	return failure
}

// pipelineAt sends a part of the commands to one node, and fills in their replies.
func (c *cluster) pipelineAt(ctx context.Context, address string, cs []command, part []int, replies []any, lookedAgain bool) error {
	n, err := c.node(address)
	if err != nil {
		return err
	}
	own := make([]command, len(part))
	for i, at := range part {
		own[i] = cs[at]
	}
	got, err := n.pipeline(ctx, own)
	if nobodyThere(ctx, err) && !lookedAgain {
		if _, failed := c.layout.wait(ctx); failed != nil {
			return err
		}
		return c.pipelineParts(ctx, cs, part, replies, true)
	}
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

// nobodyThere reports whether err means that a node could not be reached, whose
// successor may be known by now.
func nobodyThere(ctx context.Context, err error) bool {
	return unsent(err) && err != errClosed && err != errHangs && ctx.Err() == nil
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

func (c *cluster) node(address string) (*member, error) {
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
		n = openMember(c.options, func(ctx context.Context) (redis.Conn, error) { return c.nodes.dial(ctx, address) })
		c.open[address] = n
	}
	return n, nil
}

// moved notes what a redirect says of one slot. Others will have moved with it.
func (c *cluster) moved(slot int, address string) {
	c.mu.Lock()
	c.masters[slot] = address
	c.mu.Unlock()
	c.layout.start(suspicionPause)
}

// suspect asks for the layout, if err gives reason to.
func (c *cluster) suspect(err error) {
	if mayHaveMoved(err) {
		c.layout.start(suspicionPause)
	}
}

// findLayout asks the nodes for the layout until one answers: first those that are
// known to be part of the cluster, since one of the URL may have left it.
func (c *cluster) findLayout(ctx context.Context) (struct{}, error) {
	c.mu.RLock()
	known := slices.Clone(c.known)
	c.mu.RUnlock()
	startup := slices.DeleteFunc(slices.Clone(c.startup), func(s string) bool { return slices.Contains(known, s) })
	shuffle(known)
	shuffle(startup)
	l, err := firstAnswer(ctx, append(known, startup...), c.layoutOf)
	if err == nil {
		c.adopt(l)
	}
	return struct{}{}, err
}

func shuffle(s []string) { rand.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) }

// adopt replaces what is known of the cluster by what one node has said, and closes
// connections to nodes that have left it.
func (c *cluster) adopt(l *layout) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.masters, c.known = l.masters, l.members
	for address, n := range c.open {
		if !slices.Contains(l.members, address) {
			n.close()
			delete(c.open, address)
		}
	}
}

func (c *cluster) close() error {
	c.layout.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, n := range c.open {
		n.close()
	}
	return nil
}
