package session

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gosatchel/satchel/internal/exchange"
)

// looks reports whether nobody will see the response to r, or not yet.
func looks(r *http.Request) bool {
	if r.Method == http.MethodHead {
		return true
	}
	for _, header := range []string{"Sec-Purpose", "Purpose", "X-Sec-Purpose"} {
		for _, v := range r.Header[header] {
			if strings.Contains(strings.ToLower(v), "prefetch") {
				return true
			}
		}
	}
	return false
}

func (t *transaction) Looks() bool { return t.request != nil && looks(t.request) }

func (t *transaction) Unseen(undo func(ctx context.Context)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undos = append(t.undos, undo)
}

// unseen runs what was registered for the case that the response shows nothing,
// and reports whether there was anything.
func (t *transaction) unseen(ctx context.Context) bool {
	t.mu.Lock()
	undos := t.undos
	t.undos = nil
	t.mu.Unlock()
	for _, undo := range undos {
		undo(exchange.With(ctx, t))
	}
	return len(undos) > 0
}

// giveBack drops what was to be changed, and puts back what was taken. It costs
// no round trip if nothing was.
func (t *transaction) giveBack(ctx context.Context) {
	t.drop()
	if !t.unseen(ctx) {
		return
	}
	if err := t.commit(ctx, nil); err != nil {
		t.log(slog.LevelError, "session: what was taken could not be put back", "error", err)
	}
}

func (t *transaction) Local(key any, init func() any) any {
	if t.outer != nil {
		return t.outer.Local(key, init)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.locals[key]
	if !ok {
		if t.locals == nil {
			t.locals = make(map[any]any)
		}
		v = init()
		t.locals[key] = v
	}
	return v
}

func (t *transaction) Report(doing string, err error) {
	t.mu.Lock()
	t.failure = err
	t.mu.Unlock()
	t.log(slog.LevelError, "session: "+doing, "error", err)
}
