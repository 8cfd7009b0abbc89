package redisstore

import (
	"context"
	"errors"

	"github.com/gomodule/redigo/redis"
)

// backend is all that the store needs to talk to Redis: a server, a master that
// Sentinel watches, a cluster, or the app's own client.
//
// Its errors are of three kinds, and much depends on telling them apart: a
// redis.Error is the server's reply; an *unsentError means that the request
// never left; after all others it may have been carried out, or may still be.
type backend interface {
	// do sends one command and returns its reply: one round trip. It returns
	// when ctx is done, whatever the server does.
	do(ctx context.Context, c command) (any, error)

	// pipeline sends all commands before it waits for the first reply: one round
	// trip. A reply that is an error is a redis.Error among the replies.
	pipeline(ctx context.Context, cs []command) ([]any, error)

	// close releases what the backend opened itself.
	close() error
}

// command is a command with its arguments, which are strings, ints and byte
// slices that nobody changes any more: a backend may still be reading them after
// its call returned.
type command struct {
	name string
	args []any

	key     string // of the one key among args
	confirm bool   // a write that has to be on replicas too, where Options.WaitReplicas says so
	asking  bool   // the slot of key is moving to the node that gets this
}

// unsentError says that a request could not be sent, not even in part.
type unsentError struct{ cause error }

func (e *unsentError) Error() string { return e.cause.Error() }
func (e *unsentError) Unwrap() error { return e.cause }

func unsent(err error) bool {
	var u *unsentError
	return errors.As(err, &u)
}

// mayHaveMoved reports whether err gives reason to look whether another server has
// the data by now. A server's reply gives none, unless it is about the server's
// own state: what lacks its replicas may have been replaced by one of them.
func mayHaveMoved(err error) bool {
	switch replyCode(err) {
	case "READONLY", "MASTERDOWN", "LOADING", "CLUSTERDOWN", "NOREPLICAS":
		return true
	case "":
		return err != nil && !isReply(err) && !errors.Is(err, context.Canceled)
	}
	return false
}

func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}
