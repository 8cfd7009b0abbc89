package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// What the tests of commits and renewals keep in their sessions.
var (
	basket = session.NewKey[[]string]("commit/basket")
	points = session.NewKey[int]("commit/points")
	color  = session.NewKey[string]("commit/color")
)

// A deed is what a request does in its handler.
type deed = func(ctx context.Context)

type deedKey struct{}

// obliging is an app that does in each request what the test wants done there.
var obliging = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	r.Context().Value(deedKey{}).(deed)(r.Context())
})

// patient are options for tests in which many requests are after one session on
// a busy machine.
func patient() session.Options {
	o := plainHTTP()
	o.StoreTimeout = 30 * time.Second
	return o
}

// visitor returns a browser in front of an obliging app over s, that has sent
// one request.
func visitor(t *testing.T, s store.Store, o session.Options, first deed) *trial.Browser {
	t.Helper()
	b := browse(s, o, obliging)
	wantStatus(t, visit(t, b, first), http.StatusOK)
	return b
}

// through returns a browser with b's cookies in front of an app of its own, with
// another manager over s.
func through(s store.Store, o session.Options, b *trial.Browser) *trial.Browser {
	other := browse(s, o, obliging)
	for name, value := range b.Cookies() {
		other.SetCookie(name, value)
	}
	return other
}

// visit has b send a request that does do, and returns the response.
func visit(t testing.TB, b *trial.Browser, do deed) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	return b.Do(t, r.WithContext(context.WithValue(r.Context(), deedKey{}, do)))
}

// visitOK is visit where the response has to be a 200.
func visitOK(t testing.TB, b *trial.Browser, do deed) *httptest.ResponseRecorder {
	t.Helper()
	w := visit(t, b, do)
	wantStatus(t, w, http.StatusOK)
	return w
}

// seen returns the value of a key that a request with b's cookies reads.
func seen[T any](t testing.TB, b *trial.Browser, k session.Key[T]) (v T) {
	t.Helper()
	visitOK(t, b.Fork(), func(ctx context.Context) { v = k.Get(ctx) })
	return v
}

// userOf returns who is signed in with b's cookies.
func userOf(t testing.TB, b *trial.Browser) (user string) {
	t.Helper()
	visitOK(t, b.Fork(), func(ctx context.Context) { user = session.UserID(ctx) })
	return user
}

// An underway request has loaded its session and waits in its handler.
type underway struct {
	proceed  func()
	response chan *httptest.ResponseRecorder
}

// begin has b send a request that does before, and returns when that is done. It
// does after, and ends, when it is told to finish. Both may be nil.
func begin(t testing.TB, b *trial.Browser, before, after deed) *underway {
	t.Helper()
	waits, goOn := make(chan struct{}), make(chan struct{})
	u := &underway{
		proceed:  sync.OnceFunc(func() { close(goOn) }),
		response: make(chan *httptest.ResponseRecorder, 1),
	}
	t.Cleanup(u.proceed) // where the test failed in between
	go func() {
		u.response <- visit(t, b, func(ctx context.Context) {
			if before != nil {
				before(ctx)
			}
			close(waits)
			<-goOn
			if after != nil {
				after(ctx)
			}
		})
	}()
	select {
	case <-waits:
	case w := <-u.response:
		t.Fatalf("the request did not get to the end of its handler: %d %s", w.Code, w.Body)
	}
	return u
}

// finish lets the request go on, and returns its response.
func (u *underway) finish() *httptest.ResponseRecorder {
	u.proceed()
	return <-u.response
}

// finishAll lets all requests go on at the same time.
func finishAll(requests []*underway) (responses []*httptest.ResponseRecorder) {
	for _, u := range requests {
		u.proceed()
	}
	for _, u := range requests {
		responses = append(responses, <-u.response)
	}
	return responses
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, want int) {
	t.Helper()
	if w.Code != want {
		t.Errorf("status %d, want %d; body: %s", w.Code, want, w.Body)
	}
}

// wantNoCookie checks that a response leaves the browser's cookie alone.
func wantNoCookie(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	if lines := w.Header()["Set-Cookie"]; len(lines) > 0 {
		t.Errorf("the response sets a cookie, which would replace the visitor's: %q", lines)
	}
}

func wantSame[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantError(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: the error is %v, want %v", what, got, want)
	}
}

// wantStoreError checks that err says that the store failed, and whether it is
// known what became of the commit.
func wantStoreError(t testing.TB, what string, err error, unknown bool) {
	t.Helper()
	var failed *session.StoreError
	if !errors.As(err, &failed) {
		t.Errorf("%s: the error is %v, want a *StoreError", what, err)
	}
	if got := errors.Is(err, session.ErrUnknown); got != unknown {
		t.Errorf("%s: is the error (%v) ErrUnknown? %v, want %v", what, err, got, unknown)
	}
}

// wantEnded checks that b's cookies are those of a session that has ended: it
// reads as empty, and refuses changes.
func wantEnded(t testing.TB, b *trial.Browser) {
	t.Helper()
	b = b.Fork()
	wantNoCookie(t, visitOK(t, b, func(ctx context.Context) {
		wantError(t, "the session of an ended id", session.Err(ctx), session.ErrEnded)
		wantSame(t, "points in an ended session", points.Get(ctx), 0)
		wantSame(t, "color in an ended session", color.Get(ctx), "")
		wantSame(t, "user of an ended session", session.UserID(ctx), "")
	}))
	w := visit(t, b, func(ctx context.Context) { points.Set(ctx, 1000) })
	wantStatus(t, w, http.StatusConflict)
	wantNoCookie(t, w)
}

// liveRecords counts the records that are left of those that ops were about.
func liveRecords(t testing.TB, s store.Store, ops []trial.Op) (n int) {
	t.Helper()
	asked := map[string]bool{}
	for _, op := range ops {
		if op.ID == "" || asked[op.ID] {
			continue
		}
		asked[op.ID] = true
		if _, err := s.Find(t.Context(), op.ID); err == nil {
			n++
		} else if !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	return n
}

// idOf returns the id in the store of the session with b's cookies.
func idOf(t testing.TB, s store.Store, b *trial.Browser) string {
	t.Helper()
	f := newFaulty(s)
	visitOK(t, through(f, plainHTTP(), b), func(context.Context) {})
	ops := f.trace()
	if len(ops) != 1 {
		t.Fatalf("a visit that does nothing did %v, want one find", opNames(ops))
	}
	return ops[0].ID
}

// lapse is how long the record of b's session has to live.
func lapse(t testing.TB, s store.Store, b *trial.Browser) time.Duration {
	t.Helper()
	r, err := s.Find(t.Context(), idOf(t, s, b))
	if err != nil {
		t.Fatal(err)
	}
	return r.TTL
}
