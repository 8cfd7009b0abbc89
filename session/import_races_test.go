package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP1_FirstRequestsAtOnce: a browser with the old cookie sends several requests
// at once, to two instances, and each changes the session. There is one, with all of it.
func TestP1_FirstRequestsAtOnce(t *testing.T) {
	onTwoInstances(t, func(t *testing.T, one, two store.Store) {
		const n = 20
		l := midCart()
		watched, ops := newFaulty(one), newFaulty(two)
		var requests []*underway
		want := []string{"lime"}
		var begun sync.WaitGroup
		var mu sync.Mutex
		var browsers []*trial.Browser
		for i := range n {
			item := fmt.Sprint("item ", i)
			want = append(want, item)
			begun.Go(func() {
				b := arrives([]store.Store{watched, ops}[i%2], l.to(patient()), "ann")
				u := begin(t, b, nil, put(item))
				mu.Lock()
				defer mu.Unlock()
				requests, browsers = append(requests, u), append(browsers, b)
			})
		}
		begun.Wait()
		for _, w := range finishAll(requests) {
			wantStatus(t, w, http.StatusOK)
		}
		for _, b := range browsers {
			wantSame(t, "the session's cookie", b.Cookies()["session"], browsers[0].Cookies()["session"])
		}
		wantCart(t, browsers[0], want...)
		wantListed(t, one, "7", 1)
		all := append(watched.trace(), ops.trace()...)
		wantSame(t, "records in the store", liveRecords(t, one, all), 2) // the session, and the receipt
	})
}

// TestP1_AllAtTheSameStep: none goes on before all have seen that there is no receipt,
// or are about to write it.
func TestP1_AllAtTheSameStep(t *testing.T) {
	for _, m := range takeoverSteps[1:3] {
		t.Run(m.String(), func(t *testing.T) {
			onTwoInstances(t, func(t *testing.T, one, two store.Store) {
				const n = 8
				l := midCart()
				var reached, done sync.WaitGroup
				reached.Add(n)
				want := []string{"lime"}
				for i := range n {
					f := newFaulty([]store.Store{one, two}[i%2])
					f.at(m, func() { reached.Done(); reached.Wait() })
					item := fmt.Sprint("item ", i)
					want = append(want, item)
					b := arrives(f, l.to(patient()), "ann")
					done.Go(func() { visitOK(t, b, put(item)) })
				}
				done.Wait()
				l.wantAsked(t, n)
				wantCart(t, arrives(one, l.to(plainHTTP()), "ann"), want...)
				wantListed(t, two, "7", 1)
			})
		})
	}
}

// The steps of a takeover, as operations on the store.
var takeoverSteps = []moment{
	{"find", 1, false}, {"find", 1, true}, // the receipt is looked for
	{"swap", 1, false}, {"swap", 1, true}, // it is written
	{"index", 1, false}, {"index", 1, true},
	{"swap", 2, false}, {"swap", 2, true}, // the session is
	{"swap", 3, false}, {"swap", 3, true}, // the receipt is sealed
}

// TestP1_AnotherInstanceIsFaster at each step of a takeover: all of its own takeover
// and a change come in between. Both change the one session.
func TestP1_AnotherInstanceIsFaster(t *testing.T) {
	for _, m := range takeoverSteps {
		t.Run(m.String(), func(t *testing.T) {
			onTwoInstances(t, func(t *testing.T, one, two store.Store) {
				l, f := midCart(), newFaulty(one)
				slow, fast := arrives(f, l.to(plainHTTP()), "ann"), arrives(two, l.to(plainHTTP()), "ann")
				f.at(m, func() { visitOK(t, fast, put("mint")) })
				visitOK(t, slow, put("sage"))
				f.wantSpent(t)
				wantSame(t, "the session's cookie", slow.Cookies()["session"], fast.Cookies()["session"])
				wantCart(t, fast, "lime", "mint", "sage")
				wantListed(t, one, "7", 1)
				m := session.New(one, l.to(plainHTTP()))
				wantSame(t, "ref of the current session", refOf(t, m, slow, "7"), refsOf(t, one, "7")[0])
			})
		})
	}
}

// TestP1_TheOldLibraryAnswersTwiceDifferently, since an old instance changes the
// session while two new ones take it over. One answer is taken, by both.
func TestP1_TheOldLibraryAnswersTwiceDifferently(t *testing.T) {
	for _, m := range takeoverSteps[2:] {
		t.Run(m.String(), func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				l, f := midCart(), newFaulty(s)
				other := midCart()
				other.sessions["ann"].User = "8"
				slow, fast := arrives(f, l.to(plainHTTP()), "ann"), arrives(s, other.to(plainHTTP()), "ann")
				f.at(m, func() { visitOK(t, fast, put("mint")) })
				visitOK(t, slow, put("sage"))
				user := userOf(t, slow)
				wantSame(t, "who is signed in for the other", userOf(t, fast), user)
				wantListed(t, s, user, 1)
				wantListed(t, s, map[string]string{"7": "8", "8": "7"}[user], 0)
			})
		})
	}
}

// TestP2_ALogoutRacesWithATakeover at each step: another instance takes over and
// signs out. The slow request brings nothing back.
func TestP2_ALogoutRacesWithATakeover(t *testing.T) {
	for _, m := range takeoverSteps {
		t.Run(m.String(), func(t *testing.T) {
			onTwoInstances(t, func(t *testing.T, one, two store.Store) {
				l, f := midCart(), newFaulty(one)
				slow, fast := arrives(f, l.to(plainHTTP()), "ann"), arrives(two, l.to(plainHTTP()), "ann")
				f.at(m, func() {
					visitOK(t, fast, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
				})
				w := visit(t, slow, put("sage"))
				f.wantSpent(t)
				wantStatus(t, w, http.StatusConflict)
				wantNoCookie(t, w)
				wantNobody(t, "7", slow, fast, arrives(one, l.to(plainHTTP()), "ann"))
				wantListed(t, one, "7", 0)
			})
		})
	}
}

// TestP12_RevokeAllRacesWithATakeover: it ends the session that is being created,
// or the takeover happened after it.
func TestP12_RevokeAllRacesWithATakeover(t *testing.T) {
	for _, m := range takeoverSteps {
		t.Run(m.String(), func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				l, f := midCart(), newFaulty(s)
				b := arrives(f, l.to(plainHTTP()), "ann")
				f.at(m, func() { endAll(t, s, "7") })
				visit(t, b, func(context.Context) {})
				f.wantSpent(t)
				before := slices.Index(takeoverSteps, m) < slices.Index(takeoverSteps, moment{"index", 1, true})
				if before {
					wantSignedIn(t, "7", b)
					wantListed(t, s, "7", 1)
				} else {
					wantNobody(t, "7", b, arrives(s, l.to(plainHTTP()), "ann"))
					wantListed(t, s, "7", 0)
				}
			})
		})
	}
}

// TestP3_ASignInInTheFirstRequest moves the session on. Who comes with the old cookie
// after it is like any straggler.
func TestP3_ASignInInTheFirstRequest(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		l := midCart()
		b, late := arrives(s, l.to(plainHTTP()), "ann"), arrives(s, l.to(plainHTTP()), "ann")
		u := begin(t, late, nil, put("sage")) // has joined, and not committed
		visitOK(t, b, signIn("7"))
		wantStatus(t, u.finish(), http.StatusConflict)
		wantStatus(t, visit(t, late, put("sage")), http.StatusConflict)
		f := newFaulty(s)
		wantCart(t, through(f, plainHTTP(), b), "lime")
		wantSame(t, "operations of the next request", len(f.trace()), 1) // nothing is left to be noted
		wantListed(t, s, "7", 1)
	})
}

// TestP1_AChangeOfTheRequestThatClaims merges with what others change.
func TestP1_AChangeOfTheRequestThatClaims(t *testing.T) {
	for _, m := range []moment{{"find", 1, true}, {"swap", 1, false}, {"swap", 1, true}} {
		t.Run(m.String(), func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				l := midCart()
				b := arrives(s, l.to(plainHTTP()), "ann")
				visitOK(t, b, func(context.Context) {})
				f := newFaulty(s)
				other := b.Fork()
				f.at(m, func() { visitOK(t, other, put("mint")) })
				visitOK(t, through(f, plainHTTP(), b), put("sage"))
				f.wantSpent(t)
				wantCart(t, b, "lime", "mint", "sage")
			})
		})
	}
}

// TestP1_AnUpgradeCanComeFirst: a WebSocket that reconnects has no place for the
// cookie. It has the session, and the next response brings the cookie.
func TestP1_AnUpgradeCanComeFirst(t *testing.T) {
	s, l := trial.Memory(t), midCart()
	m := session.New(s, l.to(plainHTTP()))
	server := httptest.NewServer(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wantCartIn(t, r.Context(), "lime")
		if r.URL.Path == "/logout" {
			wantError(t, "Logout", session.Logout(r.Context()), nil)
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				c.Close()
			}
			if !errors.Is(err, session.ErrHeadersSent) {
				t.Errorf("after a logout, whose cookies have to go out, Hijack returns %v", err)
			}
			return
		}
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n")
	})))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	wantError(t, "NewRequest", err, nil)
	r.Header.Set("Cookie", oldCookie+"=ann")
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "test")
	response, err := server.Client().Do(r)
	wantError(t, "Do", err, nil)
	response.Body.Close()
	wantSame(t, "status", response.StatusCode, http.StatusSwitchingProtocols)
	b := arrives(s, l.to(plainHTTP()), "ann")
	wantCart(t, b, "lime")

	r.URL.Path = "/logout"
	response, err = server.Client().Do(r)
	wantError(t, "Do", err, nil)
	response.Body.Close()
	wantSame(t, "cookies", len(response.Header["Set-Cookie"]), 2)
	wantNobody(t, "7", b)
}
