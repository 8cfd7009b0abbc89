package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"
)

// A layout is what a node says of its cluster.
type layout struct {
	masters [redisc.HashSlots]string // the address that serves a slot; "" if none does
	members []string                 // the addresses of all nodes that have a part of it
}

// errNoMember is what a node is found to be that has left the cluster, or has not
// joined it.
var errNoMember = errors.New("it knows of no node that serves a slot, as if it were not part of the cluster")

// layoutOf asks one node for the layout.
func (c *cluster) layoutOf(ctx context.Context, address string) (*layout, error) {
	l, err := c.askLayout(ctx, address)
	if err == nil && len(l.members) == 0 {
		err = errNoMember
	}
	if err != nil {
		return nil, fmt.Errorf("the node at %s: %w", address, presentable(err))
	}
	return l, nil
}

func (c *cluster) askLayout(ctx context.Context, address string) (*layout, error) {
	conn, err := c.nodes.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reply, err := redis.DoContext(conn, ctx, "CLUSTER", "SLOTS")
	if err != nil {
		return nil, err
	}
	ranges, err := redis.Values(reply, nil)
	if err != nil {
		return nil, errReply
	}
	l := &layout{}
	for _, r := range ranges {
		if err := l.add(r, address); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// add notes a range of slots and the nodes that have them, the master first, as node has
// described it.
func (l *layout) add(slots any, node string) error {
	var first, last int
	nodes, err := redis.Values(slots, nil)
	if err == nil {
		nodes, err = redis.Scan(nodes, &first, &last)
	}
	if err != nil || first < 0 || first > last || last >= len(l.masters) || len(nodes) == 0 {
		return errReply
	}
	for i, n := range nodes {
		var host string // or nothing, if the node does not know its own
		var port int
		parts, err := redis.Values(n, nil)
		if err == nil {
			_, err = redis.Scan(parts, &host, &port)
		}
		if err != nil {
			return errReply
		}
		address := beside(net.JoinHostPort(host, strconv.Itoa(port)), node)
		if !slices.Contains(l.members, address) {
			l.members = append(l.members, address)
		}
		if i == 0 {
			for slot := first; slot <= last; slot++ {
				l.masters[slot] = address
			}
		}
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
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(node)
	}
	return net.JoinHostPort(host, port)
}
