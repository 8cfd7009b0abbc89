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
	m := &member{node: openNode(o, dial)}
	m.breaker = breaker.New(m.probe, probeTimeout, inVain)
	return m
}

// errHangs is also a reason to look for a successor, but not one to wait for it.
var errHangs error = &unsentError{errors.New("the node has not been answering; until it does, nothing else is tried")}

const (
	// inVain is how long a call must have waited that failed, for its node to seem to
	// hang.
	inVain = 100 * time.Millisecond

	// probeTimeout is how long a node that seems to hang is waited for each time.
	probeTimeout = 2 * time.Second
)

// probe asks for a reply of any kind, be it that this is not permitted.
func (m *member) probe(p breaker.Pass) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	_, err := m.node.do(ctx, command{name: "PING"})
	m.breaker.Settle(p, m.judge(err, p))
}

func (m *member) do(ctx context.Context, c command) (reply any, err error) {
	p, ok := m.breaker.Enter(ctx)
	if !ok {
		return nil, errHangs
	}
	reply, err = m.node.do(ctx, c)
	m.breaker.Settle(p, m.judge(err, p))
	return reply, err
}

func (m *member) pipeline(ctx context.Context, cs []command) (replies []any, err error) {
	p, ok := m.breaker.Enter(ctx)
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
	case errors.Is(err, context.Canceled):
		return breaker.Nothing // by who called
	case m.breaker.Took(p) >= inVain:
		return breaker.Strike
	case timedOut(err), errors.Is(err, context.DeadlineExceeded):
		return breaker.Nothing
	}
	return breaker.Answered // it refused the connection: nobody waits for that
}
