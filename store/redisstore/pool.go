package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/gomodule/redigo/redis"
)

// keepAlive is how often the kernel probes an idle connection. It notices a
// server that vanished without a word.
const keepAlive = 30 * time.Second

// poolClient is a client over a pool of redigo.
type poolClient struct {
	pool *redis.Pool

	// slots bounds the connections where the pool is the store's own. The pool's
	// own bound would do, but it panics when it is closed while somebody whose
	// context ends is waiting for a connection.
	slots chan struct{}

	readTimeout time.Duration // of a whole pipeline; 0: the connection's own
	owned       bool
}

// openPool returns a client with a pool of its own. It does not connect.
func openPool(t target, o Options) *poolClient {
	return &poolClient{
		pool: &redis.Pool{
			DialContext: func(ctx context.Context) (redis.Conn, error) { return dial(ctx, t, o) },
			// An idle connection is trusted without a round trip to test it. What
			// makes that safe is the second attempt, which asks for a new one.
			TestOnBorrowContext: func(ctx context.Context, _ redis.Conn, _ time.Time) error {
				if wantsFresh(ctx) {
					return errStale
				}
				return nil
			},
			MaxIdle:     o.MaxIdle,
			IdleTimeout: o.IdleTimeout,
		},
		slots:       make(chan struct{}, o.MaxActive),
		readTimeout: o.ReadTimeout,
		owned:       true,
	}
}

// dial connects, which includes the TLS handshake, AUTH and SELECT, and keeps to
// ctx in all of it.
func dial(ctx context.Context, t target, o Options) (redis.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()
	return redis.DialContext(ctx, t.network, t.address,
		redis.DialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			d := net.Dialer{KeepAlive: keepAlive}
			conn, err := d.DialContext(ctx, network, address)
			if err != nil || t.tls == nil {
				return conn, err
			}
			// Not left to redigo, whose handshake doesn't know ctx.
			secure := tls.Client(conn, t.tls)
			if err := secure.HandshakeContext(ctx); err != nil {
				conn.Close()
				return nil, err
			}
			return secure, nil
		}),
		redis.DialUsername(t.user),
		redis.DialPassword(t.password),
		redis.DialDatabase(t.db),
		redis.DialReadTimeout(o.ReadTimeout),
		redis.DialWriteTimeout(o.WriteTimeout),
	)
}

// get returns a connection and what gives it back. Its errors are *unsentError.
func (p *poolClient) get(ctx context.Context) (redis.Conn, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, &unsentError{err}
	}
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, &unsentError{ctx.Err()}
		}
	}
	conn, err := p.pool.GetContext(ctx)
	if err != nil {
		p.release()
		return nil, nil, &unsentError{err}
	}
	return conn, func() { conn.Close(); p.release() }, nil
}

func (p *poolClient) release() {
	if p.slots != nil {
		<-p.slots
	}
}

// do relies on redigo closing a connection whose reply was not awaited: a late
// reply is never taken for the answer to a later command.
func (p *poolClient) do(ctx context.Context, c command) (any, error) {
	conn, giveBack, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	defer giveBack()
	return redis.DoContext(conn, ctx, c.name, c.args...)
}

// pipeline works in a goroutine of its own, since redigo's Send takes no context
// and blocks while the network takes no more. When ctx ends first, the goroutine
// goes on to read the replies, or to run into the timeout that closes the
// connection, and only then gives it back.
func (p *poolClient) pipeline(ctx context.Context, cs []command) ([]any, error) {
	conn, giveBack, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	type result struct {
		replies []any
		err     error
	}
	done := make(chan result, 1)
	go func() {
		defer giveBack()
		for _, c := range cs {
			if err := conn.Send(c.name, c.args...); err != nil {
				done <- result{nil, err}
				return
			}
		}
		// The empty command flushes, and reads a reply for each command sent.
		replies, err := redis.Values(p.await(ctx, conn))
		done <- result{replies, err}
	}()
	select {
	case r := <-done:
		return r.replies, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *poolClient) await(ctx context.Context, conn redis.Conn) (any, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return conn.Do("")
	}
	left := max(time.Until(deadline), time.Millisecond)
	if p.readTimeout > 0 {
		left = min(left, p.readTimeout)
	}
	return redis.DoWithTimeout(conn, left, "")
}

func (p *poolClient) close() error {
	if !p.owned {
		return nil
	}
	return p.pool.Close()
}

var errStale = errors.New("redisstore: the connection may be as broken as the last one")

type freshKey struct{}

// withFresh asks for a connection that was not in the pool before. The pool's
// idle ones are closed: where one broke, the others rarely live.
func withFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

func wantsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }
