package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

const (
	stall = 500 * time.Millisecond // the StoreTimeout of these tests
	slack = 400 * time.Millisecond // for a machine that is busy with other tests
)

// inTime runs a request and fails if it outlives the deadline of operations on the store.
func inTime(t *testing.T, operations int, request func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	t.Helper()
	began := time.Now()
	w := request()
	if took := time.Since(began); took > time.Duration(operations)*stall+slack {
		t.Errorf("the request took %v, with a deadline of %v for each of %d operations", took, stall, operations)
	}
	return w
}

func wantRefused(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("status %d with Retry-After %q, want 503 with one", w.Code, w.Header().Get("Retry-After"))
	}
	if got := w.Header().Get("Set-Cookie"); got != "" {
		t.Errorf("an outage touches the visitor's cookie: %s", got)
	}
}

func TestP6_AFrozenRedisHoldsNobody(t *testing.T) {
	server := redistest.Start(t)
	s := trial.OpenRedis(t, server.URL(), redistest.Prefix(t))
	o := plainHTTP()
	o.StoreTimeout = stall
	b := browse(s, o, routes{
		"/read": notes["/read"], "/write": notes["/write"],
		"/freeze-and-write": func(ctx context.Context) string {
			server.Freeze(t)
			note.Set(ctx, "in the outage")
			return "saved"
		},
		"/freeze-and-log-out": func(ctx context.Context) string {
			server.Freeze(t)
			return fmt.Sprint(session.Logout(ctx) != nil)
		},
	})
	b.Get(t, "/write")

	wantRefused(t, inTime(t, 1, func() *httptest.ResponseRecorder { return b.Get(t, "/freeze-and-write") }))
	wantRefused(t, inTime(t, 1, func() *httptest.ResponseRecorder { return b.Get(t, "/read") }))
	server.Thaw(t)
	got := body(t, b.Get(t, "/read"))
	if got != `"written" true` && got != `"in the outage" true` {
		t.Errorf("when the store is back, the session reads %s", got)
	}
	// The handler does not look at Logout's error, so it is tried once more.
	wantRefused(t, inTime(t, 2, func() *httptest.ResponseRecorder { return b.Get(t, "/freeze-and-log-out") }))
	server.Thaw(t)
}

func TestP6_ReadOnlyGoesOnWithoutTheSession(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		down := false
		failing := trial.Intercept(s, func(op trial.Op, call func() error) error {
			if down {
				return errors.New("no route to host")
			}
			return call()
		})
		o := plainHTTP()
		o.Outage = session.ReadOnly
		b := browse(failing, o, routes{
			"/write": notes["/write"],
			"/read": func(ctx context.Context) string {
				var failed *session.StoreError
				return fmt.Sprint(note.Get(ctx), errors.As(session.Err(ctx), &failed))
			},
		})
		b.Get(t, "/write")
		down = true
		w := b.Get(t, "/read")
		if got := body(t, w); got != "true" || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("in the outage the page reads %q, with Set-Cookie %q; want nothing, and Err to say why", got, w.Header().Get("Set-Cookie"))
		}
		wantRefused(t, b.Get(t, "/write"))
		down = false
		if got := body(t, b.Get(t, "/read")); got != "writtenfalse" {
			t.Errorf("when the store is back, the page reads %q", got)
		}
	})
}

// TestP6_AStoreThatOnlyConflicts, which none should, does not hold a request either.
func TestP6_AStoreThatOnlyConflicts(t *testing.T) {
	var current store.Record
	stubborn := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		if op.Name == "swap" && op.Prev != (store.Version{}) {
			current.Version[0]++
			return &store.Conflict{Current: current}
		}
		if op.Name == "swap" {
			current = op.Next
		}
		return call()
	})
	o := plainHTTP()
	o.StoreTimeout = stall
	b := browse(stubborn, o, routes{
		"/write":  notes["/write"],
		"/change": func(ctx context.Context) string { note.Update(ctx, func(s *string) { *s += "!" }); return "" },
		"/logout": func(ctx context.Context) string { session.Logout(ctx); return "" },
		"/renew":  func(ctx context.Context) string { session.Renew(ctx); return "" },
	})
	b.Get(t, "/write")
	wantRefused(t, inTime(t, 1, func() *httptest.ResponseRecorder { return b.Get(t, "/change") }))
	if w := inTime(t, 1, func() *httptest.ResponseRecorder { return b.Get(t, "/renew") }); w.Code == http.StatusOK {
		t.Error("a renewal that could not be stored ends with a 200")
	}
	wantRefused(t, inTime(t, 2, func() *httptest.ResponseRecorder { return b.Get(t, "/logout") }))
}

func TestLog_LinesOfOneKindAreLimited(t *testing.T) {
	down := false
	failing := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		if down {
			return fmt.Errorf("no route to host: %w", store.ErrNotApplied)
		}
		return call()
	})
	var log logged
	b := browse(failing, log.to(plainHTTP()), notes)
	b.Get(t, "/write")
	down = true
	for range 500 {
		b.Get(t, "/read")
	}
	if n := strings.Count(log.String(), "\n"); n < 10 || n > 200 {
		t.Errorf("500 requests in an outage left %d lines, want some, and not one for each", n)
	}
}

// TestGiveUp: a handler that answers a failed Commit with a 5xx has said that
// nothing was saved. Then nothing is.
func TestGiveUp_AfterAFailureThatTheHandlerHasReported(t *testing.T) {
	failures := 0
	flaky := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		if op.Name == "swap" && failures > 0 {
			failures--
			return fmt.Errorf("for a moment: %w", store.ErrNotApplied)
		}
		return call()
	})
	m := session.New(flaky, plainHTTP())
	b := trial.NewBrowser(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		switch r.URL.Path {
		case "/write":
			note.Set(ctx, "before")
		case "/fail":
			failures = 1
			note.Set(ctx, "not saved, said the page")
			if err := session.Commit(ctx); err != nil {
				session.Error(w, r, err)
			}
		case "/fail-to-log-out":
			failures = 1
			if err := session.Logout(ctx); err != nil {
				session.Error(w, r, err)
			}
		default:
			fmt.Fprint(w, note.Get(ctx))
		}
	})))
	b.Get(t, "/write")
	for _, path := range []string{"/fail", "/fail-to-log-out"} {
		wantRefused(t, b.Get(t, path))
		if got := body(t, b.Get(t, "/")); got != "before" {
			t.Errorf("after %s the session reads %q, although its page said that nothing was done", path, got)
		}
	}
}
