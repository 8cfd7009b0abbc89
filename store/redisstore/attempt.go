package redisstore

import (
	"context"
	"errors"

	"github.com/gosatchel/satchel/store"
)

// outcome is what became of a command.
type outcome struct {
	reply any
	err   error

	// repeated says that this is the second attempt's, and that the first may
	// have been carried out as well.
	repeated bool
}

// attempt calls try and, when the connection breaks under it, once more with a
// new connection. So a restart of the server fails no request by the dead
// connections it leaves in the pool.
//
// That is safe with commands that do no harm when they are carried out twice,
// or in the wrong order, as long as the caller minds repeated.
func attempt(ctx context.Context, try func(context.Context) (any, error)) outcome {
	reply, err := try(ctx)
	if err == nil || !broke(ctx, err) {
		return outcome{reply: reply, err: err}
	}
	reply, err = try(withFresh(ctx))
	return outcome{reply: reply, err: err, repeated: true}
}

// broke reports whether err means that a connection ended before the reply, and
// not that time ran out or that the server answered.
func broke(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !unsent(err) && !timedOut(err) && !isReply(err) && !errors.Is(err, store.ErrUnconfirmed)
}
