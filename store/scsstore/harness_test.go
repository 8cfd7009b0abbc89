package scsstore_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// deed is what a request does in its handler.
type deed = func(ctx context.Context)

type deedKey struct{}

// open returns a browser in front of an app whose sessions are in s, and which does
// in each request what the test wants done there.
func open(s store.Store) *trial.Browser {
	m := session.New(s, session.Options{
		Insecure:     true,
		StoreTimeout: 30 * time.Second, // the machine may be busy
		Logger:       slog.New(slog.DiscardHandler),
	})
	return trial.NewBrowser(m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.Context().Value(deedKey{}).(deed)(r.Context())
	})))
}

// elsewhere returns a browser with b's cookies in front of another app over s.
func elsewhere(s store.Store, b *trial.Browser) *trial.Browser {
	other := open(s)
	for name, value := range b.Cookies() {
		other.SetCookie(name, value)
	}
	return other
}

// visit has b send a request that does do.
func visit(t testing.TB, b *trial.Browser, do deed) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	return b.Do(t, r.WithContext(context.WithValue(r.Context(), deedKey{}, do)))
}

// visitOK is visit where the response has to be a 200.
func visitOK(t testing.TB, b *trial.Browser, do deed) {
	t.Helper()
	if w := visit(t, b, do); w.Code != http.StatusOK {
		t.Errorf("status %d, want 200: %s", w.Code, w.Body)
	}
}

// atOnce sends n requests of b's session that are all loaded before the first goes
// on, and returns when the last is answered. Each does do with its number.
func atOnce(t testing.TB, b *trial.Browser, n int, do func(ctx context.Context, i int)) {
	t.Helper()
	var loaded, answered sync.WaitGroup
	loaded.Add(n)
	for i := range n {
		answered.Go(func() {
			visit(t, b.Fork(), func(ctx context.Context) {
				loaded.Done()
				loaded.Wait()
				do(ctx, i)
			})
		})
	}
	answered.Wait()
}
