package flash_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// keptBy are the ways in which a page can end that took a and b, added c, and kept
// what it took. What is there after it is there once, however it ends.
var keptBy = map[string]http.HandlerFunc{
	"200":     func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") },
	"303":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) },
	"500":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) },
	"a panic": func(http.ResponseWriter, *http.Request) { panic("oops") },
	"a change that can't be made": func(_ http.ResponseWriter, r *http.Request) {
		session.SetDeadline(r.Context(), session.Deadline(r.Context()).AddDate(-1, 0, 0))
	},
}

func TestKeep_ShowsOnThisPageAndOnTheNext_AndNeverTwice(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for name, end := range keptBy {
			t.Run(name, func(t *testing.T) {
				b := browse(s, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
					if got := flash.Take(r.Context()); len(got) != 2 {
						t.Errorf("took %v", got)
					}
					flash.Info(r.Context(), "c")
					flash.Keep(r.Context())
					flash.Keep(r.Context())
					end(w, r)
				}})
				b.Get(t, "/add?a")
				b.Get(t, "/add?b")
				func() {
					defer func() { recover() }()
					b.Get(t, "/page")
				}()
				if got := strings.Join(shown(b.Get(t, "/take")), " "); got != "a b c" {
					t.Errorf("the next page shows %q, want a b c", got)
				}
				if got := shown(b.Get(t, "/take")); len(got) != 0 {
					t.Errorf("shown again: %v", got)
				}
			})
		}
	})
}

func TestKeep_WhatAnotherRequestHasTakenIsNotThereTwice(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		kept, taken := make(chan struct{}), make(chan struct{})
		b := browse(s, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
			flash.Take(r.Context())
			flash.Keep(r.Context())
			close(kept)
			<-taken
			http.Redirect(w, r, "/", http.StatusSeeOther) // would give back what was not kept
		}})
		b.Get(t, "/add?a")
		done := make(chan struct{})
		go func() { defer close(done); b.Get(t, "/page") }()
		<-kept
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
			t.Errorf("the other request is shown %v", got)
		}
		close(taken)
		<-done
		if got := shown(b.Get(t, "/take")); len(got) != 0 {
			t.Errorf("shown again: %v", got)
		}
	})
}

func TestKeep_OnlyWhatThisRequestTookFromThisBag(t *testing.T) {
	var operations []string
	watched := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		operations = append(operations, op.Name)
		return call()
	})
	b := browse(watched, pages{"/add": add, "/take": take, "/keep": func(_ http.ResponseWriter, r *http.Request) {
		flash.Now(r.Context(), flash.Message{Text: "now"})
		flash.Keep(r.Context())
	}, "/both": func(_ http.ResponseWriter, r *http.Request) {
		receipts.Add(r.Context(), receipt{Number: 1})
		receipts.Take(r.Context())
		flash.Now(r.Context(), flash.Message{Text: "now"})
		flash.Take(r.Context())
		flash.Keep(r.Context())
	}, "/receipts": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, receipts.Take(r.Context())) }})
	b.Get(t, "/add?a")
	operations = nil
	b.Get(t, "/keep")
	if !slices.Equal(operations, []string{"find"}) {
		t.Errorf("keeping where nothing was taken costs %v", operations)
	}
	b.Get(t, "/both")
	if got := b.Get(t, "/receipts").Body.String(); got != "[]" {
		t.Errorf("keeping messages kept receipts: %s", got)
	}
	if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("shown %v, want what waited, and not what was for that page alone", got)
	}
}

func TestKeep_KeepsNothingForAnotherUser(t *testing.T) {
	for name, c := range map[string]struct {
		before string
		change func(context.Context)
		next   []string
	}{
		"signed in since":    {"", func(ctx context.Context) { session.Login(ctx, "7") }, []string{"a"}},
		"signed out":         {"7", func(ctx context.Context) { session.Logout(ctx) }, nil},
		"signed in as other": {"7", func(ctx context.Context) { session.Login(ctx, "8") }, nil},
	} {
		b := browse(trial.Memory(t), pages{"/add": add, "/take": take, "/login": func(_ http.ResponseWriter, r *http.Request) {
			session.Login(r.Context(), "7")
		}, "/page": func(_ http.ResponseWriter, r *http.Request) {
			flash.Take(r.Context())
			c.change(r.Context())
			flash.Keep(r.Context())
		}})
		if c.before != "" {
			b.Get(t, "/login")
		}
		b.Get(t, "/add?a")
		b.Get(t, "/page")
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, c.next) {
			t.Errorf("%s: the next page shows %v, want %v", name, got, c.next)
		}
	}
}

func TestKeep_DoesNotProlongALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := browse(trial.Memory(t), pages{
			"/add": func(_ http.ResponseWriter, r *http.Request) { brief.Add(r.Context(), 1) },
			"/keep": func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, brief.Take(r.Context()))
				brief.Keep(r.Context())
			},
		})
		b.Get(t, "/add")
		time.Sleep(59 * time.Second) // the bubble's clock
		b.Get(t, "/keep")
		time.Sleep(time.Second)
		if got := b.Get(t, "/keep").Body.String(); got != "[]" {
			t.Errorf("after a minute the bag holds %s", got)
		}
	})
}

func TestKeep_IfTheStoreFails(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		next   []string
	}{"the page is shown": {200, nil}, "the page is not shown": {303, []string{"a"}}} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				refuse := false
				failing := trial.Intercept(s, func(op trial.Op, call func() error) error {
					if refuse && op.Name == "swap" {
						return fmt.Errorf("full: %w", store.ErrNotApplied)
					}
					return call()
				})
				b := browse(failing, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
					flash.Take(r.Context())
					refuse = true
					flash.Keep(r.Context())
					refuse = false
					if session.Err(r.Context()) == nil {
						t.Error("session.Err does not say that keeping failed")
					}
					w.WriteHeader(c.status)
				}})
				b.Get(t, "/add?a")
				b.Get(t, "/page")
				if got := shown(b.Get(t, "/take")); !slices.Equal(got, c.next) {
					t.Errorf("the next page shows %v, want %v", got, c.next)
				}
			})
		})
	}
}

// An answer that says the write may have happened makes it a loss, not a double.
func TestKeep_IfNobodyKnowsWhetherItHappened(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		broken := false
		failing := trial.Intercept(s, func(op trial.Op, call func() error) error {
			if !broken {
				return call()
			}
			if op.Name == "swap" {
				call()
			}
			return errors.New("connection reset")
		})
		b := browse(failing, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
			flash.Take(r.Context())
			broken = true
			flash.Keep(r.Context())
			broken = false
			w.WriteHeader(http.StatusInternalServerError)
		}})
		b.Get(t, "/add?a")
		b.Get(t, "/page")
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
			t.Errorf("shown %v, want what was stored without an answer, once", got)
		}
	})
}

func TestKeep_AndTransact(t *testing.T) {
	for name, c := range map[string]struct {
		page http.HandlerFunc
		next []string
	}{
		"both inside": {func(_ http.ResponseWriter, r *http.Request) {
			session.Transact(r.Context(), func(ctx context.Context) error {
				flash.Take(ctx)
				flash.Keep(ctx)
				return nil
			})
		}, []string{"a"}},
		"both inside, and no page": {func(w http.ResponseWriter, r *http.Request) {
			session.Transact(r.Context(), func(ctx context.Context) error {
				flash.Take(ctx)
				flash.Keep(ctx)
				return nil
			})
			w.WriteHeader(http.StatusInternalServerError)
		}, []string{"a"}},
		"taken in one that failed": {func(_ http.ResponseWriter, r *http.Request) {
			session.Transact(r.Context(), func(ctx context.Context) error {
				flash.Take(ctx)
				return errors.New("no")
			})
			flash.Keep(r.Context())
		}, []string{"a"}},
		"kept in one that failed": {func(w http.ResponseWriter, r *http.Request) {
			session.Transact(r.Context(), func(ctx context.Context) error {
				flash.Take(ctx)
				flash.Keep(ctx)
				return errors.New("no")
			})
			w.WriteHeader(http.StatusInternalServerError)
		}, []string{"a"}},
		"taken inside, kept outside": {func(_ http.ResponseWriter, r *http.Request) {
			session.Transact(r.Context(), func(ctx context.Context) error { flash.Take(ctx); return nil })
			flash.Keep(r.Context())
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := browse(trial.Memory(t), pages{"/add": add, "/take": take, "/page": c.page})
			b.Get(t, "/add?a")
			b.Get(t, "/page")
			if got := shown(b.Get(t, "/take")); !slices.Equal(got, c.next) {
				t.Errorf("the next page shows %v, want %v", got, c.next)
			}
		})
	}
}
