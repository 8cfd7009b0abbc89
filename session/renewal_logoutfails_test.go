package session_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP2_LogoutFails while the store is down: nothing says that it worked, the
// visitor keeps the cookie, and when the store is back, the session is.
func TestP2_LogoutFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		mishap  mishap
		unknown bool
	}{{"refused", refused, false}, {"no answer", lostRequest, true}} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				f := newFaulty(s)
				b := visitor(t, f, plainHTTP(), signedIn)
				w := visit(t, b, func(ctx context.Context) {
					f.all(c.mishap)
					wantStoreError(t, "Logout", session.Logout(ctx), c.unknown)
					wantStoreError(t, "Logout again", session.Logout(ctx), c.unknown)
					wantSame(t, "user after a Logout that failed", session.UserID(ctx), "")
					addPoint(ctx) // a message for the next page, say
					wantStoreError(t, "Commit", session.Commit(ctx), c.unknown)
				})
				wantStatus(t, w, http.StatusServiceUnavailable)
				wantNoCookie(t, w)
				f.mend()
				wantSame(t, "user, when the store is back", userOf(t, b), "7")
				wantSame(t, "the session, when the store is back", contentsOf(t, b), contents{"apple", 1, "red"})
			})
		})
	}
}

// TestP2_LogoutSucceedsWithTheResponse if the store failed before, at each kind
// of failure.
func TestP2_LogoutSucceedsWithTheResponse(t *testing.T) {
	for _, m := range []mishap{refused, lostRequest, lostReply} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			f := newFaulty(s)
			b := visitor(t, f, plainHTTP(), signedIn)
			old := b.Fork()
			w := visitOK(t, b, func(ctx context.Context) {
				f.all(func(op trial.Op, call func() error) error {
					if op.Name == "find" {
						return errBroken
					}
					return m(op, call)
				})
				if err := session.Logout(ctx); err == nil {
					t.Error("Logout says that it worked")
				}
				f.mend()
			})
			wantSame(t, "cookies of who has logged out", len(b.Cookies()), 0)
			wantSame(t, "Set-Cookie lines", len(w.Header()["Set-Cookie"]), 1)
			wantEnded(t, old)
		})
	}
}

// TestP2_LogoutWithoutAnAnswer is applied or is not, and is final either way,
// also if it comes when everything is over.
func TestP2_LogoutWithoutAnAnswer(t *testing.T) {
	for _, others := range []int{0, 1, 8, 9, 20} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			f := newFaulty(s)
			l := &late{store: s}
			b := visitor(t, f, plainHTTP(), signedIn)
			old, rival := b.Fork(), through(s, plainHTTP(), b)
			f.on("swap", 1, l.leave)
			f.on("find", 2, preceded(func() {
				for range others {
					visitOK(t, rival, addPoint)
				}
			}))
			visitOK(t, b, func(ctx context.Context) {
				err := session.Logout(ctx)
				if others > 8 {
					wantStoreError(t, "Logout, when it can't be known", err, true)
				} else {
					wantError(t, "Logout", err, nil)
				}
			})
			f.wantSpent(t)
			wantEnded(t, old)
			l.arrive()
			wantEnded(t, old)
		})
	}
}

// TestP2_ARefusedLogoutIsNoSuccess: an app that does not look at Logout's error
// must not tell a visitor that they are signed out while the session lives.
func TestP2_ARefusedLogoutIsNoSuccess(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		t.Run("during an outage", func(t *testing.T) {
			f := newFaulty(s)
			o := plainHTTP()
			o.Outage = session.ReadOnly
			b := visitor(t, f, o, signedIn)
			f.on("find", 1, refused)
			w := visit(t, b, func(ctx context.Context) { session.Logout(ctx) })
			wantStatus(t, w, http.StatusServiceUnavailable)
			wantNoCookie(t, w)
		})
		t.Run("after a commit of unknown outcome", func(t *testing.T) {
			f := newFaulty(s)
			b := visitor(t, f, plainHTTP(), signedIn)
			old := b.Fork()
			w := visit(t, b, func(ctx context.Context) {
				f.on("swap", 1, lostRequest)
				f.on("find", 1, lostRequest)
				addPoint(ctx)
				wantStoreError(t, "Commit", session.Commit(ctx), true)
				session.Logout(ctx)
			})
			if w.Code == http.StatusOK {
				wantEnded(t, old)
			}
		})
		t.Run("of a session that was renewed before", func(t *testing.T) {
			b := visitor(t, s, plainHTTP(), signedIn)
			late := b.Fork()
			visitOK(t, b, session.Renew)
			var err error
			w := visit(t, late, func(ctx context.Context) { err = session.Logout(ctx) })
			wantError(t, "Logout", err, session.ErrEnded)
			wantStatus(t, w, http.StatusConflict)
			wantNoCookie(t, w)
			wantSame(t, "user", userOf(t, b), "7")
		})
	})
}
