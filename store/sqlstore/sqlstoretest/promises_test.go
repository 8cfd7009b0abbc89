package sqlstoretest_test

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
	"github.com/gosatchel/satchel/store/sqlstore"
)

// How the promises are kept is tested with the session package. This is that they hold
// between two processes over one database: two managers, each with a pool of its own.

type deedKey struct{}

func open(s *sqlstore.Store) (*session.Manager, *trial.Browser) {
	m := session.New(s, session.Options{Insecure: true, StoreTimeout: 20 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	return m, trial.NewBrowser(m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.Context().Value(deedKey{}).(func(context.Context))(r.Context())
	})))
}

func visit(t testing.TB, b *trial.Browser, do func(ctx context.Context)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	return b.Do(t, r.WithContext(context.WithValue(r.Context(), deedKey{}, do)))
}

func TestTwoProcesses_LoseNothingAndLogOutForGood(t *testing.T) {
	items := session.NewKey[[]int]("sqlstore/items")
	onEach(t, func(t *testing.T, d database) {
		manager, here := open(d.Store)
		if w := visit(t, here, func(ctx context.Context) { session.Login(ctx, "42") }); w.Code != http.StatusOK {
			t.Fatalf("status %d", w.Code)
		}
		_, there := open(d.again(t))
		for name, value := range here.Cookies() {
			there.SetCookie(name, value)
		}
		const requests = 50
		var loaded, answered sync.WaitGroup
		loaded.Add(requests)
		for i := range requests {
			b := []*trial.Browser{here, there}[i%2].Fork()
			answered.Go(func() {
				visit(t, b, func(ctx context.Context) {
					loaded.Done()
					loaded.Wait()
					items.Update(ctx, func(all *[]int) { *all = append(*all, i) })
				})
			})
		}
		answered.Wait()
		visit(t, here, func(ctx context.Context) {
			if n := len(items.Get(ctx)); n != requests {
				t.Errorf("%d of %d updates are left", n, requests)
			}
		})

		visit(t, here, func(ctx context.Context) {
			if sessions, err := manager.Sessions(ctx, "42"); err != nil || len(sessions) != 1 {
				t.Errorf("Sessions: %v, %v", sessions, err)
			}
			// Elsewhere, between this request's load and its commit.
			visit(t, there.Fork(), func(ctx context.Context) {
				if err := session.Logout(ctx); err != nil {
					t.Errorf("Logout: %v", err)
				}
			})
			items.Set(ctx, nil)
		})
		visit(t, there, func(ctx context.Context) {
			if user := session.UserID(ctx); user != "" {
				t.Errorf("user %s is signed in after the logout", user)
			}
		})
	})
}
