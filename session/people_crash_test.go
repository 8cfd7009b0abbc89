package session_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// dies has the store fail for good from the operation after this moment on, as if
// the process had been killed there.
func (f *faulty) dies(m moment) {
	f.at(m, func() {
		for _, op := range []string{"find", "swap", "touch", "delete", "index", "owned", "unindex"} {
			f.on(op, 0, refused)
		}
	})
}

// TestP12_WhatACrashLeavesCanBeEnded: a process that dies at any step of a renewal
// or a sign-in leaves nothing alive that is not listed, and nobody's RevokeAll
// stumbles over it.
func TestP12_WhatACrashLeavesCanBeEnded(t *testing.T) {
	for name, c := range map[string]struct {
		before, do deed
		markers    int // swaps that follow the creation
	}{
		"Renew":                 {signIn("7"), session.Renew, 1},
		"Login as the same":     {signIn("7"), signIn("7"), 1},
		"Login of a guest":      {full, signIn("7"), 1},
		"Login of another user": {signIn("8"), signIn("7"), 1},
		"Login of a newcomer":   {nil, signIn("7"), 0},
		"Remember":              {signIn("7"), func(ctx context.Context) { session.Remember(ctx, 90*24*time.Hour) }, 0},
	} {
		for _, m := range []moment{{"index", 1, true}, {"swap", 1, true}, {"swap", 2, true}} {
			if m.op == "swap" && m.nth > 1+c.markers {
				continue
			}
			t.Run(name+", "+m.String(), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					fallen := newCensus(t, s)
					b := browse(s, plainHTTP(), obliging)
					if c.before != nil {
						visitOK(t, b, c.before)
						if name != "Login of a guest" && name != "Login of another user" {
							fallen.ids = append(fallen.ids, idOf(t, s, b))
						}
					}
					old, b := b.Fork(), through(fallen, plainHTTP(), b)
					fallen.dies(m)
					visit(t, b, c.do)
					endAll(t, s, "7")
					wantSame(t, "sessions of the user that are alive", len(fallen.live()), 0)
					wantNobody(t, "7", old, through(s, plainHTTP(), b))
					wantListed(t, s, "7", 0)
					again := device(t, s, plainHTTP(), "7")
					wantSignedIn(t, "7", again)
					wantListed(t, s, "7", 1)
				})
			})
		}
	}
}

// failing is an app that does in each request what the test wants done, and then
// says that it failed, after which the response's commit does not try again.
var failing = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	obliging(w, r)
	w.WriteHeader(http.StatusServiceUnavailable)
})

// TestP12_AFailedSignInLeavesNothing behind that is alive or listed, and the
// visitor keeps what they had.
func TestP12_AFailedSignInLeavesNothing(t *testing.T) {
	for name, before := range map[string]deed{"a guest's": full, "a newcomer's": nil, "the user's own": signedIn} {
		for _, m := range []struct {
			op  string
			nth int
			how mishap
		}{
			{"index", 1, refused}, {"swap", 1, refused}, {"swap", 2, refused},
		} {
			if m.nth == 2 && before == nil {
				continue // there is no old record to end
			}
			t.Run(name+", "+m.op, func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					c := newCensus(t, s)
					b := browse(s, plainHTTP(), obliging)
					if before != nil {
						visitOK(t, b, before)
					}
					had := len(sessionsOf(t, s, "7"))
					fails := browse(c, plainHTTP(), failing)
					for name, value := range b.Cookies() {
						fails.SetCookie(name, value)
					}
					c.on(m.op, m.nth, m.how)
					w := visit(t, fails, func(ctx context.Context) {
						signIn("7")(ctx)
						wantStoreError(t, "Commit", session.Commit(ctx), false)
					})
					c.wantSpent(t)
					wantStatus(t, w, http.StatusServiceUnavailable)
					wantNoCookie(t, w)
					wantSame(t, "new sessions that are alive", len(c.live()), 0)
					wantListed(t, s, "7", had)
					if before != nil {
						wantSame(t, "what the visitor had", contentsOf(t, b), contents{"apple", 1, "red"})
					}
				})
			})
		}
	}
}

// TestP12_WhatCouldNotBeRemovedStaysListed: a renewal that fails leaves its new
// record behind where the store does not take that back either.
func TestP12_WhatCouldNotBeRemovedStaysListed(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		c := newCensus(t, s)
		b := device(t, c, plainHTTP(), "7")
		c.on("swap", 2, refused) // the marker
		c.on("delete", 1, refused)
		fails := browse(c, plainHTTP(), failing)
		fails.SetCookie("session", b.Cookies()["session"])
		visit(t, fails, func(ctx context.Context) {
			session.Renew(ctx)
			wantStoreError(t, "Commit", session.Commit(ctx), false)
		})
		c.wantSpent(t)
		wantSignedIn(t, "7", b)
		endAll(t, s, "7")
		wantSame(t, "sessions that are alive", len(c.live()), 0)
	})
}

// TestP12_AnEntryOutlivesItsSession, whatever moves the end of the session and
// whoever else moves it at the same time, also if they fail in the middle.
func TestP12_AnEntryOutlivesItsSession(t *testing.T) {
	in := func(d time.Duration) deed {
		return func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(d)) }
	}
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		do, rival deed
		fails     bool // the rival, after it has listed
		lives     time.Duration
	}{
		"SetDeadline later":                           {in(40 * day), nil, false, 40 * day},
		"SetDeadline sooner":                          {in(day), nil, false, day},
		"Remember":                                    {func(ctx context.Context) { session.Remember(ctx, 90*day) }, nil, false, 90 * day},
		"Login and Remember":                          {func(ctx context.Context) { signIn("7")(ctx); session.Remember(ctx, 90*day) }, nil, false, 90 * day},
		"Renew and Remember":                          {func(ctx context.Context) { session.Renew(ctx); session.Remember(ctx, 90*day) }, nil, false, 90 * day},
		"Renew, and a rival later":                    {session.Renew, in(40 * day), false, 40 * day},
		"a change, and a rival":                       {addPoint, in(40 * day), false, 40 * day},
		"later, and a rival sooner":                   {in(40 * day), in(20 * day), false, 40 * day},
		"later, and a rival that is sooner and fails": {in(40 * day), in(20 * day), true, 40 * day},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := trial.Memory(t)
				c1 := newCensus(t, s)
				b := device(t, c1, plainHTTP(), "7")
				if c.rival != nil {
					f := newFaulty(s)
					other := through(f, plainHTTP(), b)
					if c.fails {
						f.on("swap", 0, refused)
					}
					c1.on("swap", 1, preceded(func() { visit(t, other, c.rival) }))
				}
				visitOK(t, b, c.do)
				c1.wantSpent(t)
				advance(c.lives - time.Second)
				if user := userOf(t, b); user != "7" {
					t.Fatalf("the session is over before its time: %q is signed in", user)
				}
				c1.check("a second before the end")
				advance(2 * time.Minute)
				wantSignedIn(t, "", b)
				wantListed(t, s, "7", 0)
			})
		})
	}
}

// TestP12_ASlowCreationIsStillListed: an index forgets an entry without a record
// after a minute. So no sign-in is given the time to create its record later than
// that, and one that takes all of its time is ended with the others.
func TestP12_ASlowCreationIsStillListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trial.Memory(t)
		o := plainHTTP()
		o.StoreTimeout = 10 * time.Minute
		if message := mustPanic(t, func() { session.New(s, o) }); !strings.Contains(message, "StoreTimeout") {
			t.Errorf("the panic does not name StoreTimeout: %s", message)
		}
		o.StoreTimeout = 30 * time.Second
		c := newCensus(t, s)
		b := browse(c, o, obliging)
		c.on("swap", 1, followed(func() { // whose reply comes as late as one can
			advance(29 * time.Second)
			wantListed(t, s, "7", 1)
		}))
		visitOK(t, b, signIn("7"))
		endAll(t, s, "7")
		wantNobody(t, "7", b)
	})
}

// TestP12_EndingWorksInAFullStore: what is being created while all is ended gets a
// marker in its way, also where there is no room for anything less.
func TestP12_EndingWorksInAFullStore(t *testing.T) {
	s := memstore.New(memstore.MaxRecords(3))
	defer s.Close()
	all := devices(t, 2, s, plainHTTP(), "7")
	f := newFaulty(s)
	b := browse(f, plainHTTP(), obliging)
	f.on("swap", 1, preceded(func() {
		device(t, s, plainHTTP(), "8") // takes the last place
		endAll(t, s, "7")
	}))
	wantStatus(t, visit(t, b, signIn("7")), http.StatusConflict)
	f.wantSpent(t)
	wantNobody(t, "7", append(all, b)...)
	wantListed(t, s, "7", 0)
}
