package session_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// atMost are options with a limit per user.
func atMost(n int) session.Options {
	o := patient()
	o.MaxPerUser = n
	return o
}

// awaitMillisecond returns when the clock shows another millisecond.
func awaitMillisecond() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
	}
}

func TestP12_TheNewestSignInEndsTheOldest(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		other := device(t, s, atMost(3), "8")
		guest := visitor(t, s, atMost(3), full)
		var all []*trial.Browser
		for range 6 {
			all = append(all, device(t, s, atMost(3), "7"))
			awaitMillisecond() // sign-ins of one and the same have no order
		}
		for i, b := range all {
			if i < 3 {
				wantEnded(t, b)
			} else {
				wantSignedIn(t, "7", b)
			}
		}
		wantListed(t, s, "7", 3)
		wantSignedIn(t, "8", other)
		wantSame(t, "a guest's session", contentsOf(t, guest), contents{"apple", 1, "red"})
	})
}

// TestP12_AtMostNWithSignInsAtTheSameTime that have all created their session
// before any of them looks how many there are.
func TestP12_AtMostNWithSignInsAtTheSameTime(t *testing.T) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				const signIns = 20
				before := devices(t, n, s, atMost(n), "7")
				c := newCensus(t, s)
				var created sync.WaitGroup
				created.Add(signIns)
				for i := range signIns {
					c.on("owned", 1+i, preceded(func() { created.Done(); created.Wait() }))
				}
				var browsers []*trial.Browser
				var requests []*underway
				for range signIns {
					b := browse(c, atMost(n), obliging)
					browsers = append(browsers, b)
					requests = append(requests, begin(t, b, nil, signIn("7")))
				}
				for _, w := range finishAll(requests) {
					if w.Code == http.StatusConflict {
						wantNoCookie(t, w)
					} else {
						wantStatus(t, w, http.StatusOK)
					}
				}
				c.wantSpent(t)
				in := 0
				for _, b := range append(browsers, before...) {
					if userOf(t, b) == "7" {
						in++
					}
				}
				wantSame(t, "browsers that are signed in", in, n)
				wantSame(t, "new sessions that are alive", len(c.live()), n)
				wantListed(t, s, "7", n)
			})
		})
	}
}

// TestP12_AnOvertakenSignInSaysSo: others have signed in since it was asked for,
// so it is not the newest, and nobody is told that they are signed in.
func TestP12_AnOvertakenSignInSaysSo(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		slow := browse(s, atMost(1), obliging)
		u := begin(t, slow, signIn("7"), nil)
		awaitMillisecond()
		newer := device(t, s, atMost(1), "7")
		w := u.finish()
		wantStatus(t, w, http.StatusConflict)
		wantNoCookie(t, w)
		wantSignedIn(t, "7", newer)
		wantListed(t, s, "7", 1)
	})
}

// TestP12_WhatIsNoNewSessionEndsNone: re-login, renewal, and sign-ins of others.
func TestP12_WhatIsNoNewSessionEndsNone(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		all := devices(t, 3, s, atMost(3), "7")
		for _, do := range []deed{signIn("7"), session.Renew, addPoint, signIn("7")} {
			for _, b := range all {
				visitOK(t, b, do)
				wantSignedIn(t, "7", all...)
			}
		}
		device(t, s, atMost(3), "8")
		wantSignedIn(t, "7", all...)
		wantListed(t, s, "7", 3)
	})
}

// TestP12_SigningInAgainCountsAsTheNewest, so that it works also where the limit
// was lowered below the number of sessions that there are.
func TestP12_SigningInAgainCountsAsTheNewest(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		oldest := device(t, s, plainHTTP(), "7")
		awaitMillisecond()
		devices(t, 3, s, plainHTTP(), "7")
		oldest = through(s, atMost(2), oldest)
		wantStatus(t, visit(t, oldest, signIn("7")), http.StatusOK)
		wantSignedIn(t, "7", oldest)
		wantListed(t, s, "7", 2)
	})
}

// TestP12_ARenewalDoesNotEscapeTheLimit: the oldest session is renewed after the
// sign-in has looked, and before it ends it.
func TestP12_ARenewalDoesNotEscapeTheLimit(t *testing.T) {
	for name, between := range map[string]bool{"after the listing": false, "between the entries and their records": true} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				old := device(t, s, atMost(1), "7")
				awaitMillisecond()
				renewed := 0
				renew := func() {
					if visit(t, old, session.Renew).Code == http.StatusOK {
						renewed++
					}
				}
				u := &unsteady{faulty: newFaulty(s)}
				if between {
					u.between = renew
				} else {
					u.on("swap", 2, preceded(renew)) // the marker, after the creation
				}
				b := browse(u, atMost(1), obliging)
				visitOK(t, b, signIn("7"))
				wantSame(t, "renewals, which the test is about", renewed, 1)
				in := 0
				for _, b := range []*trial.Browser{old, b} {
					if userOf(t, b) == "7" {
						in++
					}
				}
				wantSame(t, "browsers that are signed in, with a limit of 1", in, 1)
				wantListed(t, s, "7", 1)
			})
		})
	}
}

// TestP12_WhereTheLimitCantBeKept, since the store fails, nobody is signed in, and
// the visitor has what they had.
func TestP12_WhereTheLimitCantBeKept(t *testing.T) {
	for name, before := range map[string]deed{"a guest": full, "a newcomer": nil} {
		for _, op := range []string{"owned", "swap"} {
			t.Run(name+", "+op, func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					there := device(t, s, atMost(1), "7")
					c := newCensus(t, s)
					b := browse(s, atMost(1), obliging)
					if before != nil {
						visitOK(t, b, before)
					}
					fails := browse(c, atMost(1), failing)
					for name, value := range b.Cookies() {
						fails.SetCookie(name, value)
					}
					if op == "owned" {
						c.on("owned", 1, refused)
					} else {
						c.on("swap", 2, refused) // the end of the oldest
					}
					w := visit(t, fails, signIn("7"))
					if w.Code == http.StatusOK {
						t.Fatal("the sign-in succeeds")
					}
					wantNoCookie(t, w)
					if before != nil {
						wantSame(t, "what the visitor had", contentsOf(t, b), contents{"apple", 1, "red"})
					}
					wantSignedIn(t, "7", there)
					wantSame(t, "new sessions that are alive: nobody has their ids", len(c.live()), 0)
					wantListed(t, s, "7", 1)
				})
			})
		}
	}
}

// TestP12_TheLimitIsEachManagersOwn: two managers on one store don't count, list
// or end each other's.
func TestP12_TheLimitIsEachManagersOwn(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		shop, panel := atMost(1), atMost(1)
		panel.Cookie.Name = "panel"
		inShop, inPanel := device(t, s, shop, "7"), device(t, s, panel, "7")
		wantSignedIn(t, "7", inShop, inPanel)
		m, p := session.New(s, shop), session.New(s, panel)
		theirs, err := p.Sessions(t.Context(), "7")
		wantError(t, "Sessions", err, nil)
		if len(theirs) != 1 || slices.Contains(refsOf(t, s, "7"), theirs[0].Ref) {
			t.Errorf("the panel lists %v, want its own session alone", theirs)
		}
		wantError(t, "Revoke with the other manager's ref", m.Revoke(t.Context(), "7", theirs[0].Ref), store.ErrNotFound)
		visitOK(t, inShop, func(ctx context.Context) { wantError(t, "RevokeOthers", session.RevokeOthers(ctx), nil) })
		wantError(t, "RevokeAll", m.RevokeAll(t.Context(), "7"), nil)
		wantEnded(t, inShop)
		wantSignedIn(t, "7", inPanel)
		inPanel.SetCookie("session", inPanel.Cookies()["panel"])
		wantSignedIn(t, "", through(s, shop, inPanel))
	})
}
