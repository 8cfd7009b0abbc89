package redisstore

import (
	"context"
	"errors"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/detached"
)

// Client is what the store needs of a Redis client that an app has already; see
// [NewFromClient]. It is safe for concurrent use.
type Client interface {
	// Do sends one command and returns its reply: nil, int64, string or []byte,
	// or []any of these. The arguments are strings, ints, int64s and byte slices; a
	// client of a cluster finds the one key where the command has it.
	//
	// An error that the server has replied is an error with a method RedisError(),
	// as those of go-redis are, or a redis.Error of redigo. A reply that is nil
	// is no error.
	Do(ctx context.Context, args ...any) (any, error)
}

// Pipeliner is a [Client] that can send several commands in one round trip.
// Without it, [Store.Owned] takes one for each of the user's sessions.
type Pipeliner interface {
	Client

	// Pipeline returns the replies to all commands, in order. A reply that is an
	// error stands among them. err is for when there are no replies.
	Pipeline(ctx context.Context, commands [][]any) (replies []any, err error)
}

// foreign is the backend over an app's own client. It knows little of what the
// client does: not whether it sends again what got no answer, and not whether it
// keeps to a context.
type foreign struct{ client Client }

func (f foreign) do(ctx context.Context, c command) (any, error) {
	replies, err := f.guard(ctx, func() ([]any, error) {
		reply, err := f.client.Do(ctx, words(c)...)
		return []any{reply}, err
	})
	if err != nil {
		return nil, err
	}
	return replies[0], nil
}

func (f foreign) pipeline(ctx context.Context, cs []command) ([]any, error) {
	p, ok := f.client.(Pipeliner)
	if !ok {
		return f.oneByOne(ctx, cs)
	}
	all := make([][]any, len(cs))
	for i, c := range cs {
		all[i] = words(c)
	}
	replies, err := f.guard(ctx, func() ([]any, error) { return p.Pipeline(ctx, all) })
	if err == nil && len(replies) != len(cs) {
		err = errReply
	}
	return replies, err
}

func (f foreign) oneByOne(ctx context.Context, cs []command) ([]any, error) {
	replies := make([]any, len(cs))
	for i, c := range cs {
		reply, err := f.do(ctx, c)
		if failed, ok := err.(redis.Error); ok {
			reply, err = failed, nil
		}
		if err != nil {
			return nil, err
		}
		replies[i] = reply
	}
	return replies, nil
}

// guard returns when ctx is done, whatever the client does. How long it does it is
// bounded by the client's own timeouts.
func (f foreign) guard(ctx context.Context, call func() ([]any, error)) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, &unsentError{err}
	}
	done := detached.Call(call, func() {})
	select {
	case called := <-done:
		replies, err := called.Result("redisstore: the client")
		if err != nil {
			return nil, asReply(err)
		}
		return inBytes(replies), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (foreign) close() error { return nil }

func words(c command) []any { return append([]any{c.name}, c.args...) }

// inBytes returns replies as redigo would have them: texts as bytes, and errors as
// redis.Error.
func inBytes(replies []any) []any {
	for i, reply := range replies {
		switch reply := reply.(type) {
		case string:
			replies[i] = []byte(reply)
		case []any:
			replies[i] = inBytes(reply)
		case error:
			replies[i] = asReply(reply)
		}
	}
	return replies
}

// asReply returns a redis.Error in the place of an error that a server has replied
// to another client, and any other error as it is.
func asReply(err error) error {
	var reply interface {
		error
		RedisError()
	}
	var own redis.Error
	switch {
	case errors.As(err, &reply):
		return redis.Error(reply.Error())
	case errors.As(err, &own):
		return own
	}
	return err
}
