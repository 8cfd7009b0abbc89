package session

import (
	"context"
	"sync"
	"time"
)

// patience is a context with a deadline, like that of context.WithDeadline, that
// costs no timer until somebody waits for it. Stores in memory never do, and
// theirs is the larger part of what a request costs.
type patience struct {
	context.Context
	until time.Time

	mu     sync.Mutex
	timed  context.Context // once somebody waits
	cancel context.CancelFunc
}

// Deadline returns the sooner of its own and its parent's deadline.
func (p *patience) Deadline() (time.Time, bool) {
	if parents, ok := p.Context.Deadline(); ok && parents.Before(p.until) {
		return parents, true
	}
	return p.until, true
}

func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed == nil {
		p.timed, p.cancel = context.WithDeadline(p.Context, p.until)
	}
	return p.timed.Done()
}

// Err agrees with Done once there is one.
func (p *patience) Err() error {
	p.mu.Lock()
	timed := p.timed
	p.mu.Unlock()
	if timed != nil {
		return timed.Err()
	}
	if err := p.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(p.until) {
		return context.DeadlineExceeded
	}
	return nil
}

type patienceKey struct{}

func (p *patience) Value(key any) any {
	if key == (patienceKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// givenUp reports whether ctx is over because its caller's is, and not because of the
// time that an operation has.
func givenUp(ctx context.Context) bool {
	if op, ok := ctx.(*operation); ok {
		ctx = op.Context // and not what else it looks values up in
	}
	p, ok := ctx.Value(patienceKey{}).(*patience)
	return ok && p.Context.Err() != nil
}

// end gives up the timer, if there is one.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		p.cancel()
	}
}
