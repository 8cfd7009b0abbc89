package session

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

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

// An undo puts back what a page took, for the user whose page it was.
type undo struct {
	run  func(context.Context)
	user string
}

func (t *transaction) Unseen(run func(ctx context.Context)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.headersSent {
		return // it is being shown
	}
	u := undo{run: run}
	if t.view != nil {
		u.user = t.view.user
	}
	t.undos = append(t.undos, u)
}

// unseen runs what was registered for the case that the response shows nothing,
// and returns it, to be registered again if what it changed can't be committed.
// What a user had not seen is nothing for whoever is signed in by now.
func (t *transaction) unseen(ctx context.Context) []undo {
	t.mu.Lock()
	undos, user := t.undos, ""
	t.undos = nil
	if t.view != nil {
		user = t.view.user
	}
	t.mu.Unlock()
	for _, u := range slices.Backward(undos) { // what was taken last goes back first
		if u.user == "" || u.user == user {
			u.run(exchange.With(ctx, t))
		}
	}
	return undos
}

// stillUnseen registers again what unseen has returned.
func (t *transaction) stillUnseen(undos []undo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undos = append(undos, t.undos...)
}

// giveBack drops what was to be changed, and puts back what was taken. It costs
// no round trip if nothing was. Where the store has just failed, it shares the deadline
// of the operation that failed.
func (t *transaction) giveBack(ctx context.Context, storeFailed bool) {
	t.drop()
	if storeFailed {
		t.mu.Lock()
		t.until = t.attempted
		t.mu.Unlock()
		defer func() {
			t.mu.Lock()
			t.until = time.Time{}
			t.mu.Unlock()
		}()
	}
	if len(t.unseen(ctx)) == 0 {
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
