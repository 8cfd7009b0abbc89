package flash_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// A page that is not to be shown, and whose commit fails on top of it, is an error
// page: what it took is not shown either.
func TestP4_MessagesGoBackIfTheCommitThatPutsThemBackFails(t *testing.T) {
	for _, status := range []int{303, 500} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			b := browse(s, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
				flash.Take(r.Context())
				session.SetDeadline(r.Context(), session.Deadline(r.Context()).AddDate(-1, 0, 0))
				w.WriteHeader(status)
			}})
			b.Get(t, "/add?a")
			if w := b.Get(t, "/page"); w.Code != http.StatusInternalServerError {
				t.Errorf("a change that can't be made got %d", w.Code)
			}
			if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
				t.Errorf("after a %d the next page shows %v", status, got)
			}
		})
	}
}

// A handler that answers a failure of the store with a 5xx has given up its
// changes, and not what it took.
func TestP4_MessagesGoBackIfTheHandlerGivesUp(t *testing.T) {
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
			flash.Info(r.Context(), "given up")
			refuse = true
			err := session.Commit(r.Context())
			refuse = false
			if err == nil {
				t.Error("the commit worked")
			}
			session.Error(w, r, err)
		}})
		b.Get(t, "/add?a")
		b.Get(t, "/page")
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
			t.Errorf("the next page shows %v", got)
		}
	})
}

func TestP4_MessagesGoBackInTheirOrder(t *testing.T) {
	b := browse(trial.Memory(t), pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
		flash.Take(r.Context())
		flash.Info(r.Context(), "b")
		flash.Take(r.Context())
		flash.Info(r.Context(), "c")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}})
	b.Get(t, "/add?a")
	b.Get(t, "/page")
	if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("the next page shows %v", got)
	}
}

// A store that lets the page's commit wait in vain is not waited for once more to take
// the messages back: together they have the time of one operation.
func TestP6_PuttingMessagesBackHasNoTimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := false
		hanging := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
			if hangs && op.Name == "swap" {
				<-op.Ctx.Done() // as for a connection
				return fmt.Errorf("%w: %w", op.Ctx.Err(), store.ErrNotApplied)
			}
			return call()
		})
		b := browse(hanging, pages{"/add": add, "/page": func(w http.ResponseWriter, r *http.Request) {
			flash.Take(r.Context())
			flash.Info(r.Context(), "b")
			hangs = true
		}})
		b.Get(t, "/add?a")
		began := time.Now()
		if w := b.Get(t, "/page"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", w.Code)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v, want no more than one StoreTimeout of two seconds", took)
		}
	})
}

// Nor have they less than that, where a program of its own has failed long after the
// store did anything.
func TestP4_MessagesGoBackAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := session.New(trial.Memory(t), session.Options{})
		token, err := m.Do(t.Context(), "", func(ctx context.Context) error { flash.Info(ctx, "a"); return nil })
		if err != nil {
			t.Fatal(err)
		}
		failed := &session.StoreError{Op: "list", Err: errors.New("of another store")}
		if _, err := m.Do(t.Context(), token, func(ctx context.Context) error {
			flash.Take(ctx)
			time.Sleep(3 * time.Second) // the bubble's clock
			return failed
		}); !errors.Is(err, failed) {
			t.Errorf("Do: %v", err)
		}
		if _, err := m.Do(t.Context(), token, func(ctx context.Context) error {
			if got := flash.Take(ctx); len(got) != 1 || got[0].Text != "a" {
				t.Errorf("what was taken in vain is %v now", got)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}
