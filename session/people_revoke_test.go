package session_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP12_RevokeEndsTheOneThatIsMeant, from the very next request on, in every
// process, for readers and for writers.
func TestP12_RevokeEndsTheOneThatIsMeant(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		all := devices(t, 3, s, plainHTTP(), "7")
		other := device(t, s, plainHTTP(), "8")
		m := session.New(s, plainHTTP())
		wantError(t, "Revoke", office(s).Revoke(t.Context(), "7", refOf(t, m, all[1], "7")), nil)
		wantEnded(t, all[1])
		wantEnded(t, through(s, plainHTTP(), all[1]))
		wantSignedIn(t, "7", all[0], all[2])
		wantSignedIn(t, "8", other)
		wantListed(t, s, "7", 2)
	})
}

// TestP12_RevokeOfARefThatIsNotTheUsers ends nothing and says so.
func TestP12_RevokeOfARefThatIsNotTheUsers(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		m := session.New(s, plainHTTP())
		one, gone, other := device(t, s, plainHTTP(), "7"), device(t, s, plainHTTP(), "7"), device(t, s, plainHTTP(), "8")
		theirs, ended := refOf(t, m, other, "8"), refOf(t, m, gone, "7")
		logout(t, gone)
		for name, ref := range map[string]string{
			"unknown": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "empty": "", "another user's": theirs, "of one that has ended": ended,
			"an id": idOf(t, s, one), "a token": one.Cookies()["session"],
		} {
			wantError(t, "Revoke of a ref that is "+name, m.Revoke(t.Context(), "7", ref), store.ErrNotFound)
		}
		wantError(t, "Revoke for a user without sessions", m.Revoke(t.Context(), "9", theirs), store.ErrNotFound)
		wantError(t, "RevokeAll for a user without sessions", m.RevokeAll(t.Context(), "9"), nil)
		wantSignedIn(t, "7", one)
		wantSignedIn(t, "8", other)
	})
}

func TestP12_RevokeAllEndsAllOfOneUser(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		all, other := devices(t, 4, s, plainHTTP(), "7"), device(t, s, plainHTTP(), "8")
		guest := visitor(t, s, plainHTTP(), full)
		visitOK(t, all[1], session.Renew)
		endAll(t, s, "7")
		for _, b := range all {
			wantEnded(t, b)
		}
		wantSignedIn(t, "8", other)
		wantSame(t, "a guest's session", contentsOf(t, guest), contents{"apple", 1, "red"})
		wantListed(t, s, "7", 0)
		endAll(t, s, "7") // also if there is nothing left to do
	})
}

// TestP12_RevokeOthersKeepsTheOneInHand, also when it is just being signed in to
// or renewed, and needs somebody who is signed in.
func TestP12_RevokeOthersKeepsTheOneInHand(t *testing.T) {
	for name, before := range map[string]deed{
		"as it is":             func(context.Context) {},
		"Renew, pending":       session.Renew,
		"Renew, committed":     func(ctx context.Context) { session.Renew(ctx); session.Commit(ctx) },
		"Login, pending":       signIn("7"),
		"Login, committed":     func(ctx context.Context) { signIn("7")(ctx); session.Commit(ctx) },
		"a change, pending":    addPoint,
		"from another user's":  nil,
		"from a guest's":       nil,
		"from no session yet":  nil,
		"after an own Logout":  func(ctx context.Context) { session.Logout(ctx); signIn("7")(ctx) },
		"in Transact, refused": func(ctx context.Context) {},
	} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				mine, others := device(t, s, plainHTTP(), "7"), devices(t, 2, s, plainHTTP(), "7")
				stranger := device(t, s, plainHTTP(), "8")
				do := before
				switch name {
				case "from another user's":
					mine, do = device(t, s, plainHTTP(), "6"), signIn("7")
				case "from a guest's":
					mine, do = visitor(t, s, plainHTTP(), full), signIn("7")
				case "from no session yet":
					mine, do = browse(s, plainHTTP(), obliging), signIn("7")
				}
				visitOK(t, mine, func(ctx context.Context) {
					do(ctx)
					wantError(t, "RevokeOthers", session.RevokeOthers(ctx), nil)
				})
				wantSignedIn(t, "7", mine)
				wantSignedIn(t, "8", stranger)
				for _, b := range others {
					wantEnded(t, b)
				}
				if got := refOf(t, session.New(s, plainHTTP()), mine, "7"); got == "" {
					t.Error("the session in hand is not listed any more")
				}
			})
		})
	}
}

func TestP12_RevokeOthersNeedsAUser(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := device(t, s, plainHTTP(), "7")
		for name, visitor := range map[string]*trial.Browser{
			"nobody": browse(s, plainHTTP(), obliging), "a guest": visitor(t, s, plainHTTP(), full),
		} {
			visitOK(t, visitor, func(ctx context.Context) {
				if err := session.RevokeOthers(ctx); err == nil {
					t.Errorf("RevokeOthers by %s succeeds, want an error: a page would say that others are signed out", name)
				}
			})
		}
		ended := b.Fork()
		logout(t, b)
		visitOK(t, ended, func(ctx context.Context) {
			wantError(t, "RevokeOthers by a straggler", session.RevokeOthers(ctx), session.ErrEnded)
		})
		visitOK(t, device(t, s, plainHTTP(), "7"), func(ctx context.Context) {
			session.Transact(ctx, func(ctx context.Context) error {
				if session.RevokeOthers(ctx) == nil {
					t.Error("RevokeOthers inside Transact succeeds; a function that runs again is no place to end sessions")
				}
				return nil
			})
		})
	})
}

// TestP12_ARevokedRequestOfItsOwn: who revokes the session in hand can answer, and
// change nothing more.
func TestP12_ARevokedRequestOfItsOwn(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		m := session.New(s, plainHTTP())
		b := trial.NewBrowser(m.Handler(obliging))
		visitOK(t, b, signIn("7"))
		old := b.Fork()
		wantNoCookie(t, visitOK(t, b, func(ctx context.Context) { wantError(t, "RevokeAll", m.RevokeAll(ctx, "7"), nil) }))
		wantEnded(t, old)

		visitOK(t, b, signIn("7"))
		wantStatus(t, visit(t, b, func(ctx context.Context) {
			wantError(t, "RevokeAll", m.RevokeAll(ctx, "7"), nil)
			addPoint(ctx)
		}), http.StatusConflict)
		wantListed(t, s, "7", 0)
	})
}

// TestP12_ADamagedRecordIsEnded like any other, and keeps none of the others alive.
func TestP12_ADamagedRecordIsEnded(t *testing.T) {
	damages := map[string][]byte{
		"no record at all":      []byte("garbage"),
		"empty":                 {},
		"of a newer version":    {session.FormatVersion + 1, 0, 1, 2, 3},
		"cut off in the middle": {session.FormatVersion, 0, 200},
	}
	for name, data := range damages {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				all := devices(t, 4, s, plainHTTP(), "7")
				id := idOf(t, s, all[1])
				r, err := s.Find(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				r.Data = data
				next := r
				next.Version[3]++
				if err := s.Swap(t.Context(), id, r.Version, next); err != nil {
					t.Fatal(err)
				}
				wantListed(t, s, "7", 4)
				endAll(t, s, "7")
				for _, b := range all {
					wantEnded(t, b)
				}
				wantListed(t, s, "7", 0)
			})
		})
	}
}

// TestP12_WhatIsNoRecordForRedisKeepsNoneAlive: not even the version can be read.
func TestP12_WhatIsNoRecordForRedisKeepsNoneAlive(t *testing.T) {
	for name, damage := range map[string][]any{
		"too short":       {"SET", "short", "PX", 3_600_000},
		"of another kind": {"HSET", "a", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			server, prefix := redistest.Shared(t), redistest.Prefix(t)
			s := trial.OpenRedis(t, server.URL(), prefix)
			all := devices(t, 4, s, plainHTTP(), "7")
			key := prefix + "session:" + idOf(t, s, all[1])
			server.Do(t, "DEL", key)
			server.Do(t, damage[0].(string), append([]any{key}, damage[1:]...)...)
			err := office(s).RevokeAll(t.Context(), "7")
			wantError(t, "RevokeAll, with one that no request can use either", err, nil)
			for i, b := range all {
				if i != 1 {
					wantEnded(t, b)
				}
			}
		})
	}
}

// TestP12_ADamagedIndexHealsAtTheNextSignIn.
func TestP12_ADamagedIndexHealsAtTheNextSignIn(t *testing.T) {
	for name, damage := range map[string][]any{
		"of another kind":      {"SET", "garbage"},
		"with foreign entries": {"HSET", "some id", "garbage"},
	} {
		t.Run(name, func(t *testing.T) {
			server, prefix := redistest.Shared(t), redistest.Prefix(t)
			s := trial.OpenRedis(t, server.URL(), prefix)
			census := newCensus(t, s)
			b := through(s, plainHTTP(), device(t, census, plainHTTP(), "7"))
			key := prefix + "owner:" + census.owner
			server.Do(t, "DEL", key)
			server.Do(t, damage[0].(string), append([]any{key}, damage[1:]...)...)
			_, err := office(s).Sessions(t.Context(), "7")
			wantError(t, "Sessions", err, nil)
			wantSignedIn(t, "7", b)

			next := device(t, s, plainHTTP(), "7")
			visitOK(t, b, signIn("7"))
			wantListed(t, s, "7", 2)
			endAll(t, s, "7")
			wantEnded(t, b)
			wantEnded(t, next)
		})
	}
}

// TestP12_DeadEntriesLeaveAfterAMinute, and not before: the session may be about
// to be created.
func TestP12_DeadEntriesLeaveAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trial.Memory(t)
		f := newFaulty(s)
		f.on("swap", 1, refused)
		b := browse(f, plainHTTP(), obliging)
		wantStatus(t, visit(t, b, signIn("7")), http.StatusServiceUnavailable)
		f.on("unindex", 0, refused)
		f.on("swap", 1, refused)
		wantStatus(t, visit(t, b, signIn("7")), http.StatusServiceUnavailable)

		entries := func() (n int) {
			m := session.New(tally{&unsteady{faulty: newFaulty(s)}, &n}, plainHTTP())
			m.Sessions(t.Context(), "7")
			return n
		}
		wantSame(t, "entries of what was not created", entries(), 1)
		wantListed(t, s, "7", 0)
		advance(59 * time.Second)
		wantSame(t, "entries after 59 seconds", entries(), 1)
		advance(2 * time.Second)
		wantSame(t, "entries after 61 seconds", entries(), 0)
	})
}

// TestP12_DeadEntriesLeaveRedisAfterAMinute is the same by Redis's clock.
func TestP12_DeadEntriesLeaveRedisAfterAMinute(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	census := newCensus(t, trial.OpenRedis(t, server.URL(), prefix))
	device(t, census, plainHTTP(), "7")
	key := prefix + "owner:" + census.owner
	for id, age := range map[string]time.Duration{"dead": 61 * time.Second, "young": 30 * time.Second} {
		now := time.Now()
		server.Do(t, "HSET", key, id, fmt.Sprintf("%d %d ref", now.Add(-age).UnixMilli(), now.Add(time.Hour).UnixMilli()))
	}
	wantListed(t, census, "7", 1)
	wantSame(t, "entries: a session, and one that may be about to be created", server.Do(t, "HLEN", key).(int64), 2)
}

// TestP6_RevokeAllEndsWithItsContext, also between two sessions: a handler must not hang
// for as many deadlines as a user has sessions.
func TestP6_RevokeAllEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		m := session.New(a, plainHTTP())
		const sessions = 10
		for range sessions {
			visitOK(t, trial.NewBrowser(m.Handler(obliging)), signIn("7"))
		}
		a.ails(failsAfter(time.Second, nil))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		wantStoreError(t, "RevokeAll", m.RevokeAll(ctx, "7"), false)
		if took := time.Since(began); took > 3*time.Second+deadline {
			t.Errorf("it took %v, with a deadline of 3 s and one session under way", took)
		}
		a.ails(nil)
		left, err := m.Sessions(t.Context(), "7")
		wantError(t, "Sessions", err, nil)
		if len(left) == 0 || len(left) == sessions {
			t.Errorf("%d of %d sessions are left, want some", len(left), sessions)
		}
		wantError(t, "RevokeAll", m.RevokeAll(t.Context(), "7"), nil)
	})
}
