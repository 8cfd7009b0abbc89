package session

import (
	"context"
	"log/slog"
	"time"
)

// timeToLive returns how long the store is to keep r, if it is committed now.
func (m *Manager) timeToLive(r *record) time.Duration {
	left := time.Until(r.deadline)
	if idle := m.idleTimeout(r); idle > 0 {
		left = min(left, idle)
	}
	return left
}

// idleTimeout returns the idle timeout of r, or 0 if it has none.
func (m *Manager) idleTimeout(r *record) time.Duration {
	switch {
	case r.ended, r.remembered:
		return 0
	case r.idle > 0:
		return r.idle
	}
	return m.options.IdleTimeout
}

// touchInterval is how stale the time to live of a session with this idle timeout
// may get.
func touchInterval(idle time.Duration) time.Duration {
	return min(time.Minute, idle/10)
}

// touch extends the idle timeout of a session that was only read, if it got
// stale enough to be worth a round trip. A failure costs the visitor nothing
// now, so it is no reason to fail the request.
func (t *transaction) touch(ctx context.Context) {
	m := t.manager
	t.mu.Lock()
	id, saved, left := t.ident.id, t.saved, t.left
	t.mu.Unlock()
	if saved == nil || left == 0 || m.idleTimeout(saved) == 0 {
		return
	}
	ttl := m.timeToLive(saved)
	if ttl <= 0 || ttl-left < touchInterval(m.idleTimeout(saved)) {
		return
	}
	touching := patience{Context: context.WithoutCancel(ctx), until: time.Now().Add(m.options.StoreTimeout)}
	defer touching.end()
	if err := m.store.Touch(&touching, id, saved.version, ttl); err != nil {
		t.log(slog.LevelWarn, "session: the idle timeout could not be extended", "error", &StoreError{"touch", err})
		return
	}
	t.mu.Lock()
	t.left = ttl
	t.mu.Unlock()
}
