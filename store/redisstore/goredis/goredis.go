// Package goredis keeps sessions in Redis over an app's own go-redis client, with
// its pool, its hooks and its topology: a server, Sentinel, a cluster, or a Ring
// without replicas.
//
//	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
//	sessions := session.New(redisstore.NewFromClient(goredis.Client(rdb), ""), session.Options{})
//
// It is a module of its own, so that importers of Satchel get no second Redis
// client. An app without a go-redis client has no need for it: redisstore.Open
// connects by URL.
//
// Set ContextTimeoutEnabled, so that go-redis gives up a connection when a request's
// time is over; without it, a server that hangs keeps connections until ReadTimeout.
// No request waits longer than its own deadline in either case. Its retries can stay
// as they are.
package goredis

import (
	"context"
	"errors"
	"reflect"

	"github.com/redis/go-redis/v9"

	"github.com/gosatchel/satchel/store/redisstore"
)

// Client returns a go-redis client as redisstore.NewFromClient takes it. It panics
// without one.
func Client(c redis.UniversalClient) redisstore.Pipeliner {
	if v := reflect.ValueOf(c); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		panic("goredis: Client needs a client; make one with redis.NewClient, for example")
	}
	return client{c}
}

type client struct{ redis redis.UniversalClient }

func (c client) Do(ctx context.Context, args ...any) (any, error) {
	return result(c.redis.Do(ctx, args...))
}

func (c client) Pipeline(ctx context.Context, commands [][]any) ([]any, error) {
	sent := make([]*redis.Cmd, len(commands))
	_, err := c.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, args := range commands {
			sent[i] = p.Do(ctx, args...)
		}
		return nil
	})
	// That is the first error of any command, which here is a reply like others.
	var reply redis.Error
	if err != nil && !errors.As(err, &reply) {
		return nil, err
	}
	replies := make([]any, len(sent))
	for i, cmd := range sent {
		if replies[i], err = result(cmd); err != nil {
			replies[i] = err
		}
	}
	return replies, nil
}

func result(cmd *redis.Cmd) (any, error) {
	reply, err := cmd.Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return reply, err
}
