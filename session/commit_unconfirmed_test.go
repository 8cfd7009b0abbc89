package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// The end of the old id is unconfirmed, and the new session is there: the visitor
// must not be left without both.
func TestUnconfirmed_ASignInKeepsTheSession(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		swaps := 0
		lagging := trial.Intercept(s, func(op trial.Op, call func() error) error {
			err := call()
			if op.Name == "swap" {
				if swaps++; err == nil && swaps == 2 {
					err = fmt.Errorf("1 replica: %w", store.ErrUnconfirmed)
				}
			}
			return err
		})
		b := browse(lagging, plainHTTP(), routes{
			"/write": notes["/write"],
			"/login": func(ctx context.Context) string { session.Login(ctx, "ann"); return "" },
			"/look":  func(ctx context.Context) string { return note.Get(ctx) + " " + session.UserID(ctx) },
		})
		b.Get(t, "/write")
		straggler := b.Fork()
		swaps = 0
		body(t, b.Get(t, "/login"))
		if got := body(t, b.Get(t, "/look")); got != "written ann" {
			t.Errorf("after the sign-in the session reads %q", got)
		}
		if got := body(t, straggler.Get(t, "/look")); got != " " {
			t.Errorf("with the old id it reads %q", got)
		}
	})
}

// A store that waits for replicas has written what they did not confirm. To look
// whether it is there would find that it is, and make a page say "saved" or "signed
// out" that a failover makes untrue.
func TestUnconfirmed_IsNotReportedAsDone(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		confirmed, swaps := true, 0
		lagging := trial.Intercept(s, func(op trial.Op, call func() error) error {
			err := call()
			if op.Name == "swap" {
				if swaps++; err == nil && !confirmed {
					err = fmt.Errorf("1 replica: %w", store.ErrUnconfirmed)
				}
			}
			return err
		})
		unknown := func(err error) string { return fmt.Sprint(errors.Is(err, session.ErrUnknown)) }
		b := browse(lagging, plainHTTP(), routes{
			"/write": notes["/write"], "/read": notes["/read"],
			"/commit": func(ctx context.Context) string {
				note.Set(ctx, "unconfirmed")
				return unknown(session.Commit(ctx))
			},
			"/change": func(ctx context.Context) string { note.Set(ctx, "changed"); return "saved" },
			"/login":  func(ctx context.Context) string { session.Login(ctx, "ann"); return "" },
		})
		b.Get(t, "/write")
		confirmed, swaps = false, 0
		wantRefused(t, b.Get(t, "/change"))
		if swaps != 1 {
			t.Errorf("%d writes, want one that is not repeated", swaps)
		}
		wantRefused(t, b.Get(t, "/login"))
		if got := body(t, b.Get(t, "/commit")); got != "true" {
			t.Errorf("Commit is ErrUnknown: %s", got)
		}
		if got := body(t, b.Get(t, "/read")); got != `"unconfirmed" true` {
			t.Errorf("on the next page the session reads %s", got)
		}
	})
}

// Nor is a logout, at any try, until the store has confirmed it: neither by what the
// response's commit finds there, nor by the next request.
func TestUnconfirmed_NobodyIsToldToBeSignedOut(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		confirmed := true
		lagging := trial.Intercept(s, func(op trial.Op, call func() error) error {
			err := call()
			if op.Name == "swap" && err == nil && !confirmed {
				err = fmt.Errorf("1 replica: %w", store.ErrUnconfirmed)
			}
			return err
		})
		m := session.New(lagging, plainHTTP())
		for name, end := range map[string]func(t *testing.T, b *trial.Browser) (ended bool){
			"Logout, whose error is dropped": func(t *testing.T, b *trial.Browser) bool {
				return visit(t, b, func(ctx context.Context) { session.Logout(ctx) }).Code == http.StatusOK
			},
			"RevokeAll": func(t *testing.T, b *trial.Browser) bool { return m.RevokeAll(t.Context(), "ann") == nil },
		} {
			t.Run(name, func(t *testing.T) {
				b := browse(lagging, plainHTTP(), obliging)
				visitOK(t, b, signIn("ann"))
				other := b.Fork()
				confirmed = false
				for try := range 3 {
					if end(t, b.Fork()) {
						t.Errorf("try %d says that the session has ended", try)
					}
					wantNobody(t, "ann", other)
				}
				confirmed = true
				if !end(t, b) {
					t.Error("it fails when the replicas are back")
				}
				wantNobody(t, "ann", other)
			})
		}

		b := browse(lagging, plainHTTP(), obliging)
		visitOK(t, b, signIn("ann"))
		other := b.Fork()
		wantRefused(t, visit(t, b, func(ctx context.Context) {
			confirmed = false
			wantRefused(t, visit(t, other, logOut))
			wantError(t, "Reload", session.Reload(ctx), session.ErrEnded)
			wantError(t, "Logout after it", session.Logout(ctx), session.ErrUnknown)
		}))
	})
}

// A marker that is written again lives no longer for that.
func TestP2_SigningOutAgainKeepsNoMarkerAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := browse(trial.Memory(t), plainHTTP(), obliging)
		visitOK(t, b, put("lime"))
		for range 3 {
			visitOK(t, b.Fork(), logOut)
			wantSame(t, "status of a change", visit(t, b.Fork(), put("lime")).Code, http.StatusConflict)
			advance(25 * time.Second)
		}
		visitOK(t, b, put("lime")) // in a new session
	})
}

// Nor is it an error to sign out when the marker has gone of a session that somebody else
// has signed out of, however long a request takes.
func TestP2_SigningOutWhenTheMarkerIsGone(t *testing.T) {
	for name, before := range map[string]struct {
		logOut func(t *testing.T, b *trial.Browser) // before the request loads
		reload bool
	}{
		"before the request":    {logOut: func(t *testing.T, b *trial.Browser) { visitOK(t, b, logOut) }},
		"while it is under way": {reload: true},
	} {
		for _, wait := range []time.Duration{0, 30 * time.Second, 61 * time.Second, time.Hour} {
			t.Run(fmt.Sprint(name, ", after ", wait), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := browse(trial.Memory(t), plainHTTP(), obliging)
					visitOK(t, b, signIn("ann"))
					other := b.Fork()
					if before.logOut != nil {
						before.logOut(t, other)
					}
					visitOK(t, b, func(ctx context.Context) {
						if before.reload {
							visitOK(t, other, logOut)
							wantError(t, "Reload", session.Reload(ctx), session.ErrEnded)
						}
						advance(wait)
						wantError(t, "Logout", session.Logout(ctx), nil)
					})
				})
			})
		}
	}
}

// A failure of one operation takes no time from those after it.
func TestUnconfirmed_LogoutAfterAnUnknownOutcomeHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(trial.Memory(t))
		b := browse(f, plainHTTP(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			note.Set(ctx, r.URL.Path)
			if r.URL.Path == "/first" {
				return
			}
			f.all(timedOut)
			w.Write([]byte("hello"))
			f.mend()
			advance(time.Minute)
			wantError(t, "Logout", session.Logout(ctx), nil)
		}))
		b.Get(t, "/first")
		wantRefused(t, b.Get(t, "/"))
	})
}
