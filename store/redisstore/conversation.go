package redisstore

import (
	"context"
	"time"

	"github.com/gomodule/redigo/redis"
)

// A question sends commands, all before it waits for the first reply, and returns the
// replies, of which some may be redis.Errors.
type question func(cs ...command) (replies []any, err error)

// converse has talk ask over one connection.
//
// It works in a goroutine of its own, since redigo's Send takes no context and blocks
// while the network takes no more. When ctx ends first, the goroutine goes on to read
// the replies, or to run into the timeout that closes the connection, and only then
// gives it back.
func (n *node) converse(ctx context.Context, talk func(question) ([]any, error)) ([]any, error) {
	conn, giveBack, err := n.get(ctx)
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
		replies, err := talk(func(cs ...command) ([]any, error) { return n.ask(ctx, conn, cs) })
		done <- result{replies, err}
	}()
	select {
	case r := <-done:
		return r.replies, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *node) ask(ctx context.Context, conn redis.Conn, cs []command) ([]any, error) {
	for _, c := range cs {
		if err := conn.Send(c.name, c.args...); err != nil {
			return nil, err
		}
	}
	// The empty command flushes, and reads a reply for each command sent.
	replies, err := redis.Values(n.await(ctx, conn))
	if err == nil && len(replies) != len(cs) {
		err = errReply
	}
	return replies, err
}

func (n *node) await(ctx context.Context, conn redis.Conn) (any, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return conn.Do("")
	}
	left := max(time.Until(deadline), time.Millisecond)
	if n.readTimeout > 0 {
		left = min(left, n.readTimeout)
	}
	return redis.DoWithTimeout(conn, left, "")
}

// doAmong sends c together with the commands it needs before and after it.
//
// WAIT waits for what the server has written at all. So while replicas are late, it is
// sent only after a reply that says that c has written something: a conflict has
// nothing to wait for. Otherwise both go in one round trip.
func (n *node) doAmong(ctx context.Context, c command) (any, error) {
	var before []command
	if c.asking {
		before = []command{{name: "ASKING"}}
	}
	at := len(before)
	replies, err := n.converse(ctx, func(ask question) ([]any, error) {
		cs := append(before, c)
		if !c.confirm || n.replicas.wanted == 0 {
			return ask(cs...)
		}
		if !n.replicas.late.Load() {
			return ask(append(cs, n.replicas.wait(ctx))...)
		}
		replies, err := ask(cs...)
		if err != nil || !wrote(replies[at]) {
			return replies, err
		}
		waited, err := ask(n.replicas.wait(ctx))
		return append(replies, waited...), err
	})
	if err != nil {
		return nil, err
	}
	if failed, ok := replies[at].(redis.Error); ok {
		if refused, ok := replies[0].(redis.Error); ok { // ASKING; c may be carried out all the same
			failed = refused
		}
		return nil, failed
	}
	if len(replies) > at+1 {
		err = n.replicas.confirmed(replies[at], replies[at+1])
	}
	return replies[at], err
}
