package scsstore

import (
	"context"
	"sync"
)

// locks are locks by token. A lock exists while somebody holds it or waits for it,
// and then is gone: there are never more of them than there are calls.
type locks struct {
	mu   sync.Mutex
	used map[string]*lock
}

type lock struct {
	holder chan struct{} // room for one
	users  int           // who hold it or wait for it; under locks.mu
}

// acquire returns with the token's lock, or with ctx's error. Who waits longest is
// next.
func (l *locks) acquire(ctx context.Context, token string) (release func(), err error) {
	k := l.enter(token)
	select {
	case k.holder <- struct{}{}:
	case <-ctx.Done():
		l.leave(token, k)
		return nil, ctx.Err()
	}
	return func() {
		<-k.holder
		l.leave(token, k)
	}, nil
}

func (l *locks) enter(token string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.used[token]
	if k == nil {
		if l.used == nil {
			l.used = make(map[string]*lock)
		}
		k = &lock{holder: make(chan struct{}, 1)}
		l.used[token] = k
	}
	k.users++
	return k
}

func (l *locks) leave(token string, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.used, token)
	}
}
