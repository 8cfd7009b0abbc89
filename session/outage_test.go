package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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
	slack = 100 * time.Millisecond // by which a request may outlive its deadlines
)

// inTime runs a request and fails if it outlives the deadline of operations on the
// store by more than slack, not counting what the machine did not run this process for.
func inTime(t *testing.T, operations int, request func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	t.Helper()
	m := trial.NewMetronome(t)
	defer m.Stop()
	began := time.Now()
	w := request()
	took, limit := time.Since(began), time.Duration(operations)*stall
	if lost := m.Lost(began.Add(limit)); took > limit+slack+lost {
		t.Errorf("the request took %v, with a deadline of %v for each of %d operations; the machine was away for %v", took, stall, operations, lost)
	}
	return w
}

func wantRefused(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	unknown := strings.Contains(w.Body.String(), "check whether")
	if after := w.Header().Get("Retry-After"); w.Code != http.StatusServiceUnavailable || (after == "") != unknown {
		t.Errorf("status %d with Retry-After %q, want 503 with one, or without if it is unknown what was done", w.Code, after)
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

// TestP6_AFrozenRedisTakesNoMoreConnections, however many requests come; and after
// those that had to wait to know, one at a time waits, and the others fail at once.
func TestP6_AFrozenRedisTakesNoMoreConnections(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	o := plainHTTP()
	o.StoreTimeout = stall
	b := visitor(t, openBounded(t, proxy.URL()), o, full)
	server.Freeze(t)
	m := trial.NewMetronome(t)
	wave := func() (took []time.Duration) {
		began := time.Now()
		done := make(chan time.Duration)
		for range 200 {
			go func() {
				wantRefused(t, visit(t, b.Fork(), nothing))
				done <- time.Since(began)
			}()
		}
		for range 200 {
			took = append(took, <-done)
		}
		slices.Sort(took)
		if lost := m.Lost(began.Add(stall)); took[199] > stall+slack+lost {
			t.Errorf("a request took %v, with a deadline of %v; the machine was away for %v", took[199], stall, lost)
		}
		return took
	}
	// Looked at while all wait: at the deadline the proxy may still count what the
	// store has closed and replaced.
	peaks := make(chan int, 1)
	time.AfterFunc(stall/2, func() { _, peak := proxy.Conns(); peaks <- peak })
	wave()
	if peak := <-peaks; peak > maxConns {
		t.Errorf("%d connections for 200 requests, want at most %d", peak, maxConns)
	}
	began := time.Now()
	took := wave()
	t.Logf("of 200 requests half took less than %v, and all but the probe less than %v", took[99], took[198])
	if lost := m.Lost(began); took[198] > slack/2+lost {
		t.Errorf("all but the probe took up to %v, want a moment; the machine was away for %v", took[198], lost)
	}
	server.Thaw(t)
	for w := visit(t, b, nothing); w.Code != http.StatusOK; w = visit(t, b, nothing) {
		wantRefused(t, w)
	}
	if open, _ := proxy.Conns(); open > maxConns {
		t.Errorf("%d connections when the server is back, want at most %d", open, maxConns)
	}
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
