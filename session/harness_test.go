package session_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// routes is an app whose handlers are functions of the context, by path. What
// one returns is the body.
type routes map[string]func(ctx context.Context) string

func (a routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action, ok := a[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	io.WriteString(w, action(r.Context()))
}

// plainHTTP are the options of most tests, which have no TLS.
func plainHTTP() session.Options {
	return session.Options{Insecure: true, Logger: slog.New(slog.DiscardHandler)}
}

// browse returns a browser in front of app, with its sessions in s.
func browse(s store.Store, o session.Options, app http.Handler) *trial.Browser {
	return trial.NewBrowser(session.New(s, o).Handler(app))
}

// body returns the body of a response that has to be a 200.
func body(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Errorf("status %d, want 200; body: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// logged is a place for a logger's lines.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// to returns o with its log in l.
func (l *logged) to(o session.Options) session.Options {
	o.Logger = slog.New(slog.NewTextHandler(l, nil))
	return o
}

// counted returns s, and a function that says which operations reached it since
// it was asked last, as in "find swap".
func counted(s store.Store) (store.Store, func() string) {
	var mu sync.Mutex
	var names []string
	watched := trial.Intercept(s, func(op trial.Op, call func() error) error {
		mu.Lock()
		names = append(names, op.Name)
		mu.Unlock()
		return call()
	})
	return watched, func() string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { names = nil }()
		return strings.Join(names, " ")
	}
}

// advance moves the clock of a synctest bubble.
func advance(d time.Duration) { time.Sleep(d) }

// mustPanic runs f and returns what it panics with, which has to be a string.
func mustPanic(t *testing.T, f func()) (message string) {
	t.Helper()
	defer func() {
		v := recover()
		if v == nil {
			t.Fatal("it does not panic")
		}
		var ok bool
		if message, ok = v.(string); !ok {
			t.Fatalf("it panics with %v, want a sentence", v)
		}
	}()
	f()
	return ""
}
