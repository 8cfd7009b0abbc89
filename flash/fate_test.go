package flash_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

var basket = session.NewKey[string]("test-fate-basket")

// TestTake_HidesNoFailureOfTheRequestsOwnChanges: taking commits them along, and
// tells the handler nothing of what became of them. So the response has to.
func TestTake_HidesNoFailureOfTheRequestsOwnChanges(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for name, c := range map[string]struct {
			spoil func(b *trial.Browser, r *http.Request, broken *bool)
			want  int
		}{
			"too large": {func(_ *trial.Browser, r *http.Request, _ *bool) {
				basket.Set(r.Context(), strings.Repeat("x", 2<<20))
			}, http.StatusInternalServerError},
			"ended by another request": {func(b *trial.Browser, r *http.Request, _ *bool) {
				basket.Set(r.Context(), "x")
				b.Fork().Get(t, "/logout")
			}, http.StatusConflict},
			"not known whether stored": {func(_ *trial.Browser, r *http.Request, broken *bool) {
				basket.Set(r.Context(), "x")
				*broken = true
			}, http.StatusServiceUnavailable},
		} {
			t.Run(name, func(t *testing.T) {
				broken := false
				failing := trial.Intercept(s, func(op trial.Op, call func() error) error {
					if broken {
						return errors.New("connection reset")
					}
					return call()
				})
				var b *trial.Browser
				b = browse(failing, pages{
					"/add":    add,
					"/logout": func(w http.ResponseWriter, r *http.Request) { session.Logout(r.Context()) },
					"/page": func(w http.ResponseWriter, r *http.Request) {
						c.spoil(b, r, &broken)
						flash.Take(r.Context())
						fmt.Fprint(w, "all is well")
					},
				})
				b.Get(t, "/add?a")
				if w := b.Get(t, "/page"); w.Code != c.want || strings.Contains(w.Body.String(), "all is well") {
					t.Errorf("status %d, %q; the page says that all is well, and it is not; want %d", w.Code, w.Body, c.want)
				}
			})
		}
	})
}

// TestP4_WhatAUserHadNotSeenIsNotForTheNextOne at the same browser.
func TestP4_WhatAUserHadNotSeenIsNotForTheNextOne(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for name, next := range map[string]func(r *http.Request){
			"Logout": func(r *http.Request) {
				if err := session.Logout(r.Context()); err != nil {
					t.Error(err)
				}
				flash.Info(r.Context(), "bye")
			},
			"Login of another": func(r *http.Request) { session.Login(r.Context(), "bob") },
		} {
			t.Run(name, func(t *testing.T) {
				b := browse(s, pages{"/take": take,
					"/alice": func(w http.ResponseWriter, r *http.Request) {
						session.Login(r.Context(), "alice")
						flash.Info(r.Context(), "for-alice-alone")
					},
					"/next": func(w http.ResponseWriter, r *http.Request) {
						flash.Take(r.Context())
						next(r)
						http.Redirect(w, r, "/", http.StatusSeeOther)
					},
				})
				b.Get(t, "/alice")
				b.Get(t, "/next")
				if got := b.Get(t, "/take").Body.String(); strings.Contains(got, "alice") {
					t.Errorf("after it the page shows %q", got)
				}
			})
		}
	})
}

// TestP4_MessagesGoBackAlsoIfTheCommitOfTheRedirectFails.
func TestP4_MessagesGoBackAlsoIfTheCommitOfTheRedirectFails(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for name, end := range map[string]func(w http.ResponseWriter, r *http.Request, fail func()){
			"a change that can't be made, and a redirect": func(w http.ResponseWriter, r *http.Request, _ func()) {
				basket.Set(r.Context(), strings.Repeat("x", 2<<20))
				http.Redirect(w, r, "/", http.StatusSeeOther)
			},
			"a commit that fails, and the 503 that says so": func(w http.ResponseWriter, r *http.Request, fail func()) {
				basket.Set(r.Context(), "x")
				fail()
				if err := session.Commit(r.Context()); err != nil {
					session.Error(w, r, err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				failures := 0
				flaky := trial.Intercept(s, func(op trial.Op, call func() error) error {
					if op.Name == "swap" && failures > 0 {
						failures--
						return fmt.Errorf("for a moment: %w", store.ErrNotApplied)
					}
					return call()
				})
				b := browse(flaky, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
					flash.Take(r.Context())
					end(w, r, func() { failures = 1 })
				}})
				b.Get(t, "/add?a")
				if w := b.Get(t, "/page"); w.Code < 500 {
					t.Errorf("status %d, want an error", w.Code)
				}
				if got := b.Get(t, "/take").Body.String(); got != "a" {
					t.Errorf("the next page shows %q, want what the failed one had taken", got)
				}
			})
		}
	})
}
