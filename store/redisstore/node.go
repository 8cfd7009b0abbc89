package redisstore

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
)

// node is the backend of one server, over a pool of redigo.
type node struct {
	pool  *redis.Pool
	owned bool

	// slots bounds the connections where the pool is the store's own. The pool's
	// own bound would do, but it panics when it is closed while somebody whose
	// context ends is waiting for a connection.
	slots chan struct{}

	// epoch counts how often there was reason to think that the connections that
	// are open lead nowhere, or to a server that is no master any more. Those of an
	// earlier one are closed instead of used.
	epoch    atomic.Int64
	renewing sync.Mutex
	renewed  stopwatch // since epoch last went up by itself

	readTimeout time.Duration // of a whole pipeline; 0: the connection's own
	replicas    replication
}

// openNode returns a node with a pool of its own. It does not connect; dial does,
// whenever the pool needs a connection.
func openNode(o Options, dial func(context.Context) (redis.Conn, error)) *node {
	n := &node{
		owned:       true,
		slots:       make(chan struct{}, o.MaxActive),
		readTimeout: o.ReadTimeout,
		replicas:    replication{wanted: o.WaitReplicas, timeout: o.WaitTimeout},
	}
	n.pool = &redis.Pool{
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			epoch := n.epoch.Load()
			conn, err := dial(ctx)
			if err != nil {
				return nil, err
			}
			return &epochal{conn.(contextConn), n, epoch}, nil
		},
		// An idle connection is trusted without a round trip to test it. What
		// makes that safe is the second attempt, which asks for a new one.
		TestOnBorrowContext: func(ctx context.Context, conn redis.Conn, _ time.Time) error {
			if wantsFresh(ctx) {
				return errStale
			}
			return conn.Err()
		},
		MaxIdle:         o.MaxIdle,
		IdleTimeout:     o.IdleTimeout,
		MaxConnLifetime: o.ConnLifetime,
	}
	return n
}

// contextConn is what redigo's connections are.
type contextConn interface {
	redis.ConnWithTimeout
	redis.ConnWithContext
}

// epochal is a connection that fails, as far as the pool can see, when its node's
// epoch is over.
type epochal struct {
	contextConn
	node  *node
	epoch int64
}

func (c *epochal) Err() error {
	if c.epoch != c.node.epoch.Load() {
		return errStale
	}
	return c.contextConn.Err()
}

// get returns a connection and what gives it back. Its errors are *unsentError.
func (n *node) get(ctx context.Context) (redis.Conn, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, &unsentError{err}
	}
	if n.slots != nil {
		select {
		case n.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, &unsentError{ctx.Err()}
		}
	}
	conn, err := n.pool.GetContext(ctx)
	if err != nil {
		n.release()
		return nil, nil, &unsentError{err}
	}
	return conn, func() { conn.Close(); n.release() }, nil
}

func (n *node) release() {
	if n.slots != nil {
		<-n.slots
	}
}

// do sends the command once more if the server was found to have become a
// replica, since then nothing was done: a new connection may lead to its
// successor.
//
// A connection can also die without a word, as where a firewall forgets it, and then
// the others that were idle are likely dead as well. Only a timeout tells, so after
// one of them they are not trusted any more.
func (n *node) do(ctx context.Context, c command) (any, error) {
	epoch, began := n.epoch.Load(), time.Now()
	reply, err := n.doOnce(ctx, c)
	switch {
	case demoted(err) && n.renew(epoch):
		reply, err = n.doOnce(ctx, c)
	case timedOut(err) && waited(began):
		n.renew(epoch)
	}
	return reply, err
}

// waited reports whether there was time for a reply, so that its absence says something
// of the connection.
func waited(began time.Time) bool { return time.Since(began) >= 20*time.Millisecond }

// demoted reports whether a server has answered that it is a replica.
func demoted(err error) bool {
	code := replyCode(err)
	return code == "READONLY" || code == "MASTERDOWN"
}

// timedOut reports whether err means that a command was sent, and that time ran out
// before its reply.
func timedOut(err error) bool {
	var timeout net.Error
	return err != nil && !unsent(err) && (errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout())
}

// renew begins another epoch if it is still this one, so that new connections are
// made, and reports whether there are any. It does so once a second at most: where
// the URL names a replica, there is no point in it.
func (n *node) renew(epoch int64) bool {
	if n.epoch.Load() != epoch {
		return true
	}
	n.renewing.Lock()
	defer n.renewing.Unlock()
	switch {
	case n.epoch.Load() != epoch:
		return true
	case !n.owned || !n.renewed.past(time.Second):
		return false
	}
	n.epoch.Add(1)
	return true
}

// doOnce relies on redigo closing a connection whose reply was not awaited: a late
// reply is never taken for the answer to a later command.
func (n *node) doOnce(ctx context.Context, c command) (any, error) {
	if c.asking || c.confirm && n.replicas.wanted > 0 {
		return n.doAmong(ctx, c)
	}
	conn, giveBack, err := n.get(ctx)
	if err != nil {
		return nil, err
	}
	defer giveBack()
	return redis.DoContext(conn, ctx, c.name, c.args...)
}

// pipeline sends all commands before it waits for the first reply.
func (n *node) pipeline(ctx context.Context, cs []command) ([]any, error) {
	epoch, began := n.epoch.Load(), time.Now()
	replies, err := n.converse(ctx, func(ask question) ([]any, error) { return ask(cs...) })
	if timedOut(err) && waited(began) {
		n.renew(epoch)
	}
	return replies, err
}

func (n *node) close() error {
	if !n.owned {
		return nil
	}
	return n.pool.Close()
}

var errStale = errors.New("redisstore: the connection may be as broken as the last one")

type freshKey struct{}

// withFresh asks for a connection that was not in the pool before. The pool's
// idle ones are closed: where one broke, the others rarely live.
func withFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

func wantsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }
