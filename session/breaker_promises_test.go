package session_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP6_BreakerClaimsNothing: what can't be done fails clearly while it is open, in
// a request that had loaded its session before, and was not done when the store is
// back.
func TestP6_BreakerClaimsNothing(t *testing.T) {
	for name, do := range map[string]deed{
		"a change":    addPoint,
		"a sign-in":   signIn("8"),
		"a renewal":   session.Renew,
		"a logout":    func(ctx context.Context) { session.Logout(ctx) },
		"RevokeOther": func(ctx context.Context) { addPoint(ctx); session.RevokeOthers(ctx) },
		"Transact": func(ctx context.Context) {
			if err := session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil }); err != nil {
				addPoint(ctx)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				o := plainHTTP()
				o.StoreTimeout = stall
				a := newAiling(s)
				m := session.New(a, o)
				b := trial.NewBrowser(m.Handler(obliging))
				visitOK(t, b, func(ctx context.Context) { full(ctx); session.Login(ctx, "7") })
				request := begin(t, b.Fork(), nil, do)
				endProbe := keepOpen(t, a, b)

				before := a.count()
				w := request.finish()
				wantRefused(t, w)
				_, err := m.Sessions(t.Context(), "7")
				wantStoreError(t, "Sessions", err, false)
				wantStoreError(t, "RevokeAll", m.RevokeAll(t.Context(), "7"), false)
				wantSame(t, "operations tried", a.count()-before, 0)

				endProbe()
				wantSignedIn(t, "7", b)
				wantSame(t, "points when the store is back", seen(t, b, points), 1)
				visitOK(t, b, do)
			})
		})
	}
}

// keepOpen opens the breaker with requests of b, and keeps it open with a probe until
// it is told to end it. The store is well then, and the breaker closed.
func keepOpen(t *testing.T, a *ailing, b *trial.Browser) (endProbe func()) {
	t.Helper()
	a.ails(hangs)
	var all sync.WaitGroup
	for range strikes {
		all.Go(func() { visit(t, b.Fork(), nothing) })
	}
	all.Wait()
	probing, gate, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var begun sync.Once // another probe follows on a slow machine
	a.ails(func(trial.Op) error { begun.Do(func() { close(probing) }); <-gate; return nil })
	go func() {
		defer close(done)
		visit(t, b.Fork(), nothing)
	}()
	<-probing
	<-done
	return func() {
		a.ails(nil)
		close(gate)
		for end := time.Now().Add(10 * time.Second); visit(t, b.Fork(), nothing).Code != http.StatusOK; {
			if time.Now().After(end) {
				t.Fatal("it stays open when the probe has succeeded")
			}
		}
	}
}
