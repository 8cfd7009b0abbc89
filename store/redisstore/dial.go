package redisstore

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/detached"
)

// keepAlive is how often the kernel probes an idle connection. It notices a
// server that vanished without a word.
const keepAlive = 30 * time.Second

// A dialer connects to the servers of one target.
type dialer struct {
	network string      // "tcp" or "unix"
	tls     *tls.Config // nil: none

	user, password string
	credentials    func(context.Context) (user, password string, err error) // instead, unless nil
	db             int
	clientName     string

	dialTimeout, readTimeout, writeTimeout time.Duration
}

// dial connects, which includes the TLS handshake, AUTH and SELECT, and keeps to
// ctx in all of it.
func (d dialer) dial(ctx context.Context, address string) (redis.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.dialTimeout)
	defer cancel()
	if d.credentials != nil {
		var err error
		if d.user, d.password, err = d.ask(ctx); err != nil {
			return nil, &credentialsError{err}
		}
	}
	return redis.DialContext(ctx, d.network, address, d.options()...)
}

// ask asks Options.Credentials, and returns when it does or ctx is done.
func (d dialer) ask(ctx context.Context) (user, password string, err error) {
	type pair struct{ user, password string }
	done := detached.Call(func() (p pair, err error) {
		defer func() {
			if panicked := recover(); panicked != nil {
				err = fmt.Errorf("it panicked: %v", panicked)
			}
		}()
		p.user, p.password, err = d.credentials(ctx)
		return p, err
	}, func() {})
	select {
	case asked := <-done:
		p, err := asked.Result("it")
		return p.user, p.password, err
	case <-ctx.Done():
		return "", "", ctx.Err()
	}
}

// credentialsError is an error of Options.Credentials, whose text is the app's own.
type credentialsError struct{ cause error }

func (e *credentialsError) Error() string { return "Options.Credentials: " + e.cause.Error() }
func (e *credentialsError) Unwrap() error { return e.cause }

func (d dialer) options() []redis.DialOption {
	return []redis.DialOption{
		redis.DialContextFunc(d.connect),
		redis.DialUsername(d.user),
		redis.DialPassword(d.password),
		redis.DialDatabase(d.db),
		redis.DialClientName(d.clientName),
		redis.DialReadTimeout(d.readTimeout),
		redis.DialWriteTimeout(d.writeTimeout),
	}
}

func (d dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	// Also where redigo is asked to dial without a context.
	ctx, cancel := context.WithTimeout(ctx, d.dialTimeout)
	defer cancel()
	plain := net.Dialer{KeepAlive: keepAlive}
	conn, err := plain.DialContext(ctx, network, address)
	if err != nil || d.tls == nil {
		return conn, err
	}
	config := d.tls
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			conn.Close()
			return nil, err
		}
		config = config.Clone()
		config.ServerName = host
	}
	// Not left to redigo, whose handshake doesn't know ctx.
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// dialBound returns a connection whose commands keep to ctx too, for packages that
// know of no contexts.
func (d dialer) dialBound(ctx context.Context, address string) (redis.Conn, error) {
	conn, err := d.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return bound{conn.(contextConn), ctx}, nil
}

type bound struct {
	contextConn
	ctx context.Context
}

func (b bound) Do(name string, args ...any) (any, error) {
	return b.DoContext(b.ctx, name, args...)
}
