package session_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// A moment is a point in a commit at which a test gets in between.
type moment struct {
	op    string
	nth   int
	after bool
}

func (m moment) String() string {
	when := "before"
	if m.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, m.op, m.nth)
}

// at has do done at that moment.
func (f *faulty) at(m moment, do func()) {
	if m.after {
		f.on(m.op, m.nth, followed(do))
	} else {
		f.on(m.op, m.nth, preceded(do))
	}
}

// moments are those of a renewal: it loads, lists the new id, creates the new
// record, puts a marker in the place of the old one, and takes that off the list.
var moments = []moment{
	{"find", 1, true}, {"index", 1, false}, {"index", 1, true}, {"swap", 1, false}, {"swap", 1, true},
	{"swap", 2, false}, {"swap", 2, true}, {"unindex", 1, false}, {"unindex", 1, true},
}

// renewals are what gives a session of user 7 a new id.
var renewals = map[string]deed{
	"Renew":             session.Renew,
	"Login as the same": signIn("7"),
	"Renew in Transact": func(ctx context.Context) {
		session.Transact(ctx, func(ctx context.Context) error { session.Renew(ctx); return nil })
	},
	"Renew and Remember": func(ctx context.Context) { session.Renew(ctx); session.Remember(ctx, 90*24*time.Hour) },
}

// TestP12_RevokeAllAmidARenewal, at each of its steps: when it has returned, no
// session is left, and none comes back; and all the time, every session that is
// alive was listed.
func TestP12_RevokeAllAmidARenewal(t *testing.T) {
	for name, renew := range renewals {
		for _, m := range moments {
			t.Run(name+", "+m.String(), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					c := newCensus(t, s)
					b := device(t, c, plainHTTP(), "7")
					old, others := b.Fork(), devices(t, 2, c, plainHTTP(), "7")
					c.at(m, func() {
						endAll(t, s, "7")
						wantListed(t, s, "7", 0)
					})
					w := visit(t, b, renew)
					c.wantSpent(t)
					if w.Code != http.StatusOK && w.Code != http.StatusConflict {
						t.Errorf("status %d: %s", w.Code, w.Body)
					}
					wantSame(t, "sessions that are alive", len(c.live()), 0)
					for _, b := range append(others, old, b) {
						wantEnded(t, b)
					}
					wantListed(t, s, "7", 0)
				})
			})
		}
	}
}

// TestP12_RevokeAmidARenewal ends the one that is meant, under whichever id.
func TestP12_RevokeAmidARenewal(t *testing.T) {
	for _, m := range moments {
		t.Run(m.String(), func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				c := newCensus(t, s)
				b := device(t, c, plainHTTP(), "7")
				ref := refsOf(t, s, "7")[0]
				other := device(t, c, plainHTTP(), "7")
				c.at(m, func() { wantError(t, "Revoke", office(s).Revoke(t.Context(), "7", ref), nil) })
				visit(t, b, session.Renew)
				c.wantSpent(t)
				wantEnded(t, b)
				wantSignedIn(t, "7", other)
				wantListed(t, s, "7", 1)
			})
		})
	}
}

// TestP12_ARenewalAmidRevokeAll slips in at each step of the ending.
func TestP12_ARenewalAmidRevokeAll(t *testing.T) {
	for name, renew := range renewals {
		for _, m := range []moment{{"owned", 1, false}, {"owned", 1, true}, {"swap", 1, false}, {"swap", 1, true}, {"unindex", 1, true}, {"owned", 2, false}, {"owned", 2, true}} {
			if name == "Login as the same" && m == (moment{"owned", 2, true}) {
				continue // a sign-in after the end, which begins a session
			}
			t.Run(name+", "+m.String(), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					b := device(t, s, plainHTTP(), "7")
					old := b.Fork()
					f := newFaulty(s)
					f.at(m, func() { visit(t, b, renew) })
					endAll(t, f, "7")
					f.wantSpent(t)
					wantNobody(t, "7", old, b)
					wantEnded(t, old)
				})
			})
		}
	}
}

// wantNobody checks that nobody is signed in with the browsers' cookies.
func wantNobody(t testing.TB, user string, browsers ...*trial.Browser) {
	t.Helper()
	for i, b := range browsers {
		if got := userOf(t, b); got == user {
			t.Errorf("browser %d is still signed in; a renewal at the same time got away", i)
		}
	}
}

// TestP12_ARenewalAmidAListing: a store lists the entries first and then reads
// each record by itself. A renewal that comes in between has its old id on the
// list and ended, and its new one not on it yet.
func TestP12_ARenewalAmidAListing(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, m *session.Manager, ref string)
		left string // who is signed in after it
	}{
		"RevokeAll": {func(t *testing.T, m *session.Manager, _ string) {
			wantError(t, "RevokeAll", m.RevokeAll(t.Context(), "7"), nil)
		}, ""},
		"Revoke": {func(t *testing.T, m *session.Manager, ref string) {
			wantError(t, "Revoke of a session that is alive", m.Revoke(t.Context(), "7", ref), nil)
		}, ""},
		"Sessions": {func(t *testing.T, m *session.Manager, ref string) {
			all, err := m.Sessions(t.Context(), "7")
			wantError(t, "Sessions", err, nil)
			wantSame(t, "sessions on the list, of a user who is signed in all the time", len(all), 1)
		}, "7"},
	} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := device(t, s, plainHTTP(), "7")
				ref := refsOf(t, s, "7")[0]
				u := &unsteady{newFaulty(s), func() { visitOK(t, b, session.Renew) }}
				c.do(t, session.New(u, plainHTTP()), ref)
				wantSignedIn(t, c.left, b)
			})
		})
	}
}

// TestP12_ARenewalAmidAListingOfRedis is the same where it happens: between the
// two round trips of a listing.
func TestP12_ARenewalAmidAListingOfRedis(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	proxy := redistest.NewProxy(t, server.Addr())
	direct, proxied := trial.OpenRedis(t, server.URL(), prefix), trial.OpenRedis(t, proxy.URL(), prefix)
	b := device(t, direct, plainHTTP(), "7")
	office(proxied).Sessions(t.Context(), "7") // so that the scripts are loaded

	gate := proxy.Hold()
	result := make(chan error)
	go func() { result <- office(proxied).RevokeAll(t.Context(), "7") }()
	<-gate.Held // the entries are read, the records are not
	visitOK(t, b, session.Renew)
	gate.Release()
	wantError(t, "RevokeAll", <-result, nil)
	wantNobody(t, "7", b)
}

// TestP12_TwoRenewalsOfOneId leave one session, and it is listed once.
func TestP12_TwoRenewalsOfOneId(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		c := newCensus(t, s)
		b := device(t, c, plainHTTP(), "7")
		refs := refsOf(t, s, "7")
		var created sync.WaitGroup
		created.Add(2)
		for n := range 2 {
			c.on("swap", 1+n, followed(func() { created.Done(); created.Wait() }))
		}
		won := 0
		for _, w := range finishAll([]*underway{begin(t, b, nil, session.Renew), begin(t, b, nil, signIn("7"))}) {
			if w.Code == http.StatusOK {
				won++
			}
		}
		c.wantSpent(t)
		wantSame(t, "renewals that succeeded", won, 1)
		wantSame(t, "sessions that are alive", len(c.live()), 1)
		wantSame(t, "refs", fmt.Sprint(refsOf(t, s, "7")), fmt.Sprint(refs))
		wantSignedIn(t, "7", b)
		endAll(t, s, "7")
		wantEnded(t, b)
	})
}

// TestP12_OfTwoThatEndEachOtherTheFirstWins: a thief's request that was under way
// when the owner ended all others can't end the owner's session in turn.
func TestP12_OfTwoThatEndEachOtherTheFirstWins(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		owner, thief := device(t, s, plainHTTP(), "7"), device(t, s, plainHTTP(), "7")
		visit(t, thief, func(ctx context.Context) {
			visitOK(t, owner, func(ctx context.Context) { wantError(t, "the owner's RevokeOthers", session.RevokeOthers(ctx), nil) })
			wantError(t, "the thief's RevokeOthers", session.RevokeOthers(ctx), session.ErrEnded)
		})
		wantSignedIn(t, "7", owner)
		wantListed(t, s, "7", 1)
	})
}
