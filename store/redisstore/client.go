package redisstore

import (
	"context"
	"errors"
)

// client is all that the store needs of a Redis client.
//
// Its errors are of three kinds, and much depends on telling them apart: a
// redis.Error is the server's reply; an *unsentError means that the request
// never left; after all others it may have been carried out, or may still be.
type client interface {
	// do sends one command and returns its reply: one round trip. It returns
	// when ctx is done, whatever the server does.
	do(ctx context.Context, c command) (any, error)

	// pipeline sends all commands before it waits for the first reply: one round
	// trip. A reply that is an error is a redis.Error among the replies.
	pipeline(ctx context.Context, cs []command) ([]any, error)

	// close releases what the client opened itself.
	close() error
}

// command is a command with its arguments, which are strings, ints and byte
// slices that nobody changes any more: a client may still be reading them after
// its call returned.
type command struct {
	name string
	args []any
}

// unsentError says that a request could not be sent, not even in part.
type unsentError struct{ cause error }

func (e *unsentError) Error() string { return e.cause.Error() }
func (e *unsentError) Unwrap() error { return e.cause }

func unsent(err error) bool {
	var u *unsentError
	return errors.As(err, &u)
}
