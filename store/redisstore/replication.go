package redisstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/store"
)

// replication is how many replicas have to have a write before it counts as made.
type replication struct {
	wanted  int
	timeout time.Duration
	late    atomic.Bool // they were when they were last waited for
}

// errUnconfirmed is the outcome of a write that the server made, and that too few
// replicas have confirmed in time.
var errUnconfirmed = fmt.Errorf("the server has made the write, but too few replicas have confirmed it in time: %w", store.ErrUnconfirmed)

// confirmed returns an error if a command wrote something, and the WAIT behind it says
// that too few replicas have it. What didn't write, as in a conflict, needs no
// confirming.
func (r *replication) confirmed(reply, waited any) error {
	have, ok := waited.(int64)
	enough := ok && have >= int64(r.wanted)
	r.late.Store(!enough)
	if enough || !wrote(reply) {
		return nil
	}
	if failed, ok := waited.(redis.Error); ok {
		return fmt.Errorf("%w: WAIT: %w", errUnconfirmed, presentableReply(failed))
	}
	return errUnconfirmed
}

// wrote reports whether a command wrote something, as those that are to be confirmed
// say with a 1.
func wrote(reply any) bool {
	n, ok := reply.(int64)
	return ok && n == 1
}

// wait returns the command that waits until replicas have what was written over its
// connection. It ends before ctx does, so that its reply can still be told from a
// server that doesn't answer.
func (r *replication) wait(ctx context.Context) command {
	patience := r.timeout
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)*9/10)
	}
	// In milliseconds, where 0 would mean for ever.
	return command{name: "WAIT", args: []any{r.wanted, max(patience.Milliseconds(), 1)}}
}

// foundOwn is the outcome of a Swap that met its own work.
func (s *Store) foundOwn() error {
	if n := s.wanted; n > 0 {
		return s.readFailed("swap", errUnconfirmed)
	}
	return nil
}
