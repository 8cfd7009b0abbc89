package session

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// linesPerSecond bounds how many lines of one kind are logged: in an outage, or
// where somebody sends bad requests on purpose, each request is worth one.
const linesPerSecond = 10

// A logLimit counts the lines of each kind in the current second.
type logLimit struct {
	mu    sync.Mutex
	kinds map[string]*logged // by message, of which there are few
}

type logged struct {
	second     time.Time
	lines      int
	suppressed int
}

// admit reports whether another line of a kind may be logged now, and how many
// were not since the last one that was.
func (l *logLimit) admit(kind string) (ok bool, suppressed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[kind]
	if k == nil {
		if l.kinds == nil {
			l.kinds = make(map[string]*logged)
		}
		k = &logged{}
		l.kinds[kind] = k
	}
	if now := time.Now(); now.Sub(k.second) >= time.Second {
		k.second, k.lines = now, 0
	}
	if k.lines++; k.lines > linesPerSecond {
		k.suppressed++
		return false, 0
	}
	suppressed, k.suppressed = k.suppressed, 0
	return true, suppressed
}

// log writes one line, which names the manager by its cookie. No lock is held.
func (m *Manager) log(level slog.Level, msg string, args ...any) {
	ok, suppressed := m.logLimit.admit(msg)
	if !ok {
		return
	}
	args = append(args, "cookie", m.options.Cookie.Name)
	if suppressed > 0 {
		args = append(args, "more_like_this", suppressed)
	}
	m.options.Logger.Log(context.Background(), level, msg, args...)
}

func (t *transaction) log(level slog.Level, msg string, args ...any) {
	t.manager.log(level, msg, args...)
}
