package session_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// signInMoments are the steps of a sign-in of a visitor who had a session.
var signInMoments = []moment{
	{"index", 1, false}, {"index", 1, true}, {"swap", 1, false}, {"swap", 1, true}, {"swap", 2, false}, {"swap", 2, true},
}

// TestP12_ASignInAmidRevokeAll is either ended too, which it says, or happened
// after: nobody is told that they are signed in and is not, unless they were
// ended, and nobody is signed in who is not listed.
func TestP12_ASignInAmidRevokeAll(t *testing.T) {
	for name, first := range map[string]deed{"a guest's": full, "a new visitor's": nil, "another user's": signIn("8")} {
		for _, m := range append([]moment{{"owned", 1, false}, {"owned", 1, true}, {"owned", 2, false}, {"owned", 2, true}}, signInMoments...) {
			if first == nil && m.op == "swap" && m.nth == 2 {
				continue // there is no old record to end
			}
			t.Run(name+", "+m.String(), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					c := newCensus(t, s)
					other := device(t, s, plainHTTP(), "7")
					b := browse(s, plainHTTP(), obliging)
					if first != nil {
						visitOK(t, b, first)
					}
					b = through(c, plainHTTP(), b)
					status := 0
					sign := func() { status = visit(t, b, signIn("7")).Code }
					if m.op == "owned" {
						c.at(m, sign)
						endAll(t, c, "7")
					} else {
						c.at(m, func() { endAll(t, s, "7") })
						sign()
					}
					c.wantSpent(t)
					wantEnded(t, other)
					live := len(c.live())
					wantListed(t, s, "7", live)
					user := userOf(t, b)
					switch {
					case status == http.StatusOK && user == "7": // happened after
						wantSame(t, "sessions that are alive", live, 1)
					case status == http.StatusOK && user == "": // ended, after it was there
						wantSame(t, "sessions that are alive", live, 0)
						if m == (moment{"owned", 2, true}) || m == (moment{"index", 1, false}) {
							t.Error("nothing was listed when the end was over, and the sign-in is ended all the same")
						}
					case status == http.StatusConflict: // ended, before it was there
						wantSame(t, "sessions that are alive", live, 0)
					default:
						t.Errorf("status %d, and %q is signed in", status, user)
					}
					if m == (moment{"index", 1, true}) || m == (moment{"swap", 1, false}) {
						wantSame(t, "status of what was listed, and not there yet, when all was ended", status, http.StatusConflict)
					}
					endAll(t, s, "7")
					wantNobody(t, "7", b)
				})
			})
		}
	}
}

// TestP12_RevokeAmidALogin of the same session: the visitor signs in once more,
// in it, while it is ended from elsewhere.
func TestP12_RevokeAmidALogin(t *testing.T) {
	for _, user := range []string{"7", "8"} {
		for _, m := range signInMoments {
			t.Run("as "+user+", "+m.String(), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					f := newFaulty(s)
					b := through(f, plainHTTP(), device(t, s, plainHTTP(), "7"))
					old := b.Fork()
					ref := refsOf(t, s, "7")[0]
					f.at(m, func() {
						err := office(s).Revoke(t.Context(), "7", ref)
						if user == "8" && m.op == "swap" && m.nth == 2 && m.after {
							wantError(t, "Revoke of what is another's by now", err, store.ErrNotFound)
							return
						}
						wantError(t, "Revoke", err, nil)
					})
					w := visit(t, b, signIn(user))
					f.wantSpent(t)
					wantEnded(t, old)
					wantListed(t, s, "7", 0)
					want := ""
					if user == "8" && w.Code == http.StatusOK {
						want = "8" // who has signed in after
					}
					wantSignedIn(t, want, b)
					if want == "" {
						wantListed(t, s, "8", 0)
					}
				})
			})
		}
	}
}

// TestP12_TwoLoginsAtOnce with one old id, as by a double click: one is taken, and
// one session is listed. The other's answer leaves the cookie alone.
func TestP12_TwoLoginsAtOnce(t *testing.T) {
	for name, users := range map[string][2]string{"of one user": {"7", "7"}, "of two users": {"7", "8"}} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				f := newFaulty(s)
				b := through(f, plainHTTP(), visitor(t, s, plainHTTP(), full))
				old := b.Fork()
				var created sync.WaitGroup
				created.Add(2)
				for n := range 2 {
					f.on("swap", 1+n, followed(func() { created.Done(); created.Wait() }))
				}
				won := 0
				for _, w := range finishAll([]*underway{begin(t, b, nil, signIn(users[0])), begin(t, b, nil, signIn(users[1]))}) {
					switch w.Code {
					case http.StatusOK:
						won++
					case http.StatusConflict:
						wantNoCookie(t, w)
					default:
						t.Errorf("status %d: %s", w.Code, w.Body)
					}
				}
				f.wantSpent(t)
				wantSame(t, "sign-ins that were taken", won, 1)
				listed := len(sessionsOf(t, s, "7"))
				if users[1] == "8" {
					listed += len(sessionsOf(t, s, "8"))
				}
				wantSame(t, "sessions on the lists", listed, 1)
				wantSame(t, "what the guest had", contentsOf(t, b), contents{"apple", 1, "red"})
				if user := userOf(t, b); user != users[0] && user != users[1] {
					t.Errorf("%q is signed in", user)
				}
				wantEnded(t, old)
			})
		})
	}
}

// TestP12_ADoubleClickedLoginWhoseFirstResponseIsLost: the second click comes with
// the old id, be it under way already, or after the first was taken. The visitor
// gets in, at the latest with one more try, and can end what the lost one left.
func TestP12_ADoubleClickedLoginWhoseFirstResponseIsLost(t *testing.T) {
	for name, overlap := range map[string]bool{"the second is under way": true, "the second comes later": false} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), full)
				lost, old := b.Fork(), b.Fork() // nobody will see the cookies of the first click
				if overlap {
					second := begin(t, b, nil, signIn("7"))
					visitOK(t, lost, signIn("7"))
					w := second.finish()
					wantStatus(t, w, http.StatusConflict)
					wantNoCookie(t, w)
				} else {
					visitOK(t, lost, signIn("7"))
				}
				wantEnded(t, b)
				visitOK(t, b, signIn("7"))
				wantSignedIn(t, "7", b)
				wantEnded(t, old)
				wantListed(t, s, "7", 2) // the lost one is there, and is the visitor's to end
				visitOK(t, b, func(ctx context.Context) { wantError(t, "RevokeOthers", session.RevokeOthers(ctx), nil) })
				wantEnded(t, lost)
				wantSignedIn(t, "7", b)
				wantListed(t, s, "7", 1)
			})
		})
	}
}

// TestP12_LoginWhileTheCartIsChanged loses nothing of it that was answered with
// success, at whichever step of the sign-in it is changed.
func TestP12_LoginWhileTheCartIsChanged(t *testing.T) {
	for _, m := range signInMoments {
		t.Run(m.String(), func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				c := newCensus(t, s)
				guest := visitor(t, s, plainHTTP(), full)
				b, other := through(c, plainHTTP(), guest), guest.Fork()
				want := []string{"apple"}
				c.at(m, func() {
					for i := range 3 {
						item := fmt.Sprint("item ", i)
						w := visit(t, other, func(ctx context.Context) { addItem(ctx, item) })
						if w.Code == http.StatusOK {
							want = append(want, item)
						}
						wantNoCookie(t, w)
					}
				})
				visitOK(t, b, signIn("7"))
				c.wantSpent(t)
				if got := seen(t, b, basket); !slices.Equal(got, want) {
					t.Errorf("the cart after the sign-in is %q, want all that was answered with success: %q", got, want)
				}
				wantSignedIn(t, "7", b)
				wantListed(t, s, "7", 1)
				wantEnded(t, other)
			})
		})
	}
}

// TestP12_StragglersAfterAnEnd: slow requests that have the session loaded, and
// those that load it after. Neither brings it back, or gets on the list.
func TestP12_StragglersAfterAnEnd(t *testing.T) {
	ends := map[string]func(t *testing.T, s store.Store, b *trial.Browser){
		"Logout":    func(t *testing.T, _ store.Store, b *trial.Browser) { logout(t, b) },
		"RevokeAll": func(t *testing.T, s store.Store, _ *trial.Browser) { endAll(t, s, "7") },
		"Revoke": func(t *testing.T, s store.Store, _ *trial.Browser) {
			wantError(t, "Revoke", office(s).Revoke(t.Context(), "7", refsOf(t, s, "7")[0]), nil)
		},
	}
	for endName, end := range ends {
		for doName, do := range map[string]deed{
			"a change": addPoint, "Renew": session.Renew, "Login": signIn("7"), "nothing": func(context.Context) {},
			"RevokeOthers": func(ctx context.Context) { session.RevokeOthers(ctx) },
		} {
			t.Run(doName+" after "+endName, func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					b := device(t, s, plainHTTP(), "7")
					slow, late := b.Fork(), b.Fork()
					u := begin(t, slow, nil, do)
					end(t, s, b)
					w := u.finish()
					wantNoCookie(t, w)
					if doName != "nothing" && doName != "RevokeOthers" {
						wantStatus(t, w, http.StatusConflict)
					}
					wantListed(t, s, "7", 0)
					wantEnded(t, slow)
					if doName != "Login" { // which, after an end, begins a session
						wantNoCookie(t, visit(t, late, do))
						wantListed(t, s, "7", 0)
					}
				})
			})
		}
	}
}
