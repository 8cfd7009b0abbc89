package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/breaker"
	"github.com/gosatchel/satchel/store"
)

// member is a node of a cluster. One that hangs keeps waiting only those who find that
// out, and no others, until it answers or another one has its slots.
//
// For a store on one server the sessions do that. They can't tell which of several
// hangs.
type member struct {
	*node
	breaker *breaker.Breaker
}

func openMember(o Options, dial func(context.Context) (redis.Conn, error)) *member {
	return &member{openNode(o, dial), breaker.New(o.DialTimeout + o.ReadTimeout)}
}

// errHangs is also a reason to look for a successor, but not one to wait for it.
var errHangs error = &unsentError{errors.New("the node has not been answering; until one command finds it back, no other is tried")}

// inVain is how long a call must have waited that failed, for its node to seem to hang.
const inVain = 100 * time.Millisecond

func (m *member) do(ctx context.Context, c command) (reply any, err error) {
	p, ok := m.breaker.Admit()
	if !ok {
		return nil, errHangs
	}
	reply, err = m.node.do(ctx, c)
	m.breaker.Settle(p, m.judge(err, p))
	return reply, err
}

func (m *member) pipeline(ctx context.Context, cs []command) (replies []any, err error) {
	p, ok := m.breaker.Admit()
	if !ok {
		return nil, errHangs
	}
	replies, err = m.node.pipeline(ctx, cs)
	m.breaker.Settle(p, m.judge(err, p))
	return replies, err
}

func (m *member) judge(err error, p breaker.Pass) breaker.Finding {
	switch {
	case err == nil, isReply(err), errors.Is(err, store.ErrUnconfirmed):
		return breaker.Answered
	case m.breaker.Took(p) >= inVain:
		return breaker.Strike
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return breaker.Nothing
	}
	return breaker.Answered // it refused the connection: nobody waits for that
}
