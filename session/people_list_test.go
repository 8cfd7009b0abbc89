package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP12_InfoSaysWhatTheListShows: when the session began, when it ends, which
// one it is; and nothing of last seen where there is no idle timeout.
func TestP12_InfoSaysWhatTheListShows(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		o := plainHTTP()
		o.Lifetime = 48 * time.Hour
		before := time.Now().Truncate(time.Millisecond)
		m := session.New(s, o)
		b := trial.NewBrowser(m.Handler(obliging))
		visitOK(t, b, signIn("7"))
		after := time.Now()
		all, err := m.Sessions(t.Context(), "7")
		wantError(t, "Sessions", err, nil)
		if len(all) != 1 {
			t.Fatalf("%d sessions, want 1", len(all))
		}
		i := all[0]
		if i.Created.Before(before) || i.Created.After(after) {
			t.Errorf("created %v, want a time between %v and %v", i.Created, before, after)
		}
		wantSame(t, "expires after creation", i.Expires.Sub(i.Created), 48*time.Hour)
		wantSame(t, "last seen without an idle timeout", i.LastSeen, time.Time{})
		wantSame(t, "current, seen from no session", i.Current, false)
		token := b.Cookies()["session"]
		if i.Ref == "" || strings.Contains(token, i.Ref) || strings.Contains(idOf(t, s, b), i.Ref) {
			t.Errorf("the ref %q is to be random, and no part of an id", i.Ref)
		}
		visitOK(t, b, func(ctx context.Context) {
			mine, err := m.Sessions(ctx, "7")
			wantError(t, "Sessions", err, nil)
			wantSame(t, "current, seen from the session itself", len(mine) == 1 && mine[0].Current, true)
		})
		visitOK(t, device(t, s, o, "8"), func(ctx context.Context) {
			theirs, err := session.New(s, o).Sessions(ctx, "7")
			wantError(t, "Sessions", err, nil)
			wantSame(t, "current, seen from another user's", len(theirs) == 1 && theirs[0].Current, false)
		})
	})
}

// TestP12_RefsOutliveRenewals, sign-ins of the same user and merged changes, and
// end with the user's session.
func TestP12_RefsOutliveRenewals(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := device(t, s, plainHTTP(), "7")
		refs := refsOf(t, s, "7")
		created := sessionsOf(t, s, "7")[0].Created
		for name, do := range map[string]deed{
			"Renew":                    session.Renew,
			"Login as the same":        signIn("7"),
			"Renew and a change":       func(ctx context.Context) { session.Renew(ctx); addPoint(ctx) },
			"Login as the same, twice": func(ctx context.Context) { signIn("7")(ctx); commitNow(t, ctx); signIn("7")(ctx) },
			"Clear":                    session.Clear,
		} {
			old := b.Cookies()["session"]
			visitOK(t, b, do)
			if name != "Clear" && b.Cookies()["session"] == old {
				t.Errorf("%s: the id is still the same", name)
			}
			if got := refsOf(t, s, "7"); !slices.Equal(got, refs) {
				t.Errorf("%s: the refs are %q, want %q still: one device, one line in the list", name, got, refs)
			}
			wantSame(t, name+": created", sessionsOf(t, s, "7")[0].Created, created)
		}
		visitOK(t, b, signIn("8"))
		wantListed(t, s, "7", 0)
		if got := refsOf(t, s, "8"); len(got) != 1 || got[0] == refs[0] {
			t.Errorf("refs of the user who signed in next: %q; want one, and not the former user's", got)
		}
	})
}

// TestP12_EndedSessionsAreNotListed, be it by logout, by renewal or by another's
// sign-in, and their ids don't stay in the index.
func TestP12_EndedSessionsAreNotListed(t *testing.T) {
	for name, c := range map[string]struct {
		do   deed
		left int
	}{
		"Logout":           {func(ctx context.Context) { session.Logout(ctx) }, 0},
		"Renew":            {session.Renew, 1},
		"Login again":      {signIn("7"), 1},
		"Login as another": {signIn("8"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				lists := &unsteady{faulty: newFaulty(s)}
				entries := -1
				b := device(t, s, plainHTTP(), "7")
				visitOK(t, b, c.do)
				wantListed(t, s, "7", c.left)
				if _, err := session.New(tally{lists, &entries}, plainHTTP()).Sessions(t.Context(), "7"); err != nil {
					t.Error(err)
				}
				wantSame(t, "entries in the index", entries, c.left)
			})
		})
	}
}

// tally counts the entries that an index returns.
type tally struct {
	*unsteady
	entries *int
}

func (c tally) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	all, err := c.unsteady.Owned(ctx, owner)
	*c.entries = len(all)
	return all, err
}

// TestP12_TheNewestSignInComesFirst, and the order is the same each time.
func TestP12_TheNewestSignInComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trial.Memory(t)
		m := session.New(s, plainHTTP())
		var want []string
		for range 5 {
			b := device(t, s, plainHTTP(), "7")
			want = append([]string{refOf(t, m, b, "7")}, want...)
			advance(time.Second)
		}
		order := func() (refs []string) {
			for _, i := range sessionsOf(t, s, "7") {
				refs = append(refs, i.Ref)
			}
			return refs
		}
		if got := order(); !slices.Equal(got, want) {
			t.Errorf("the order is %q, want the newest sign-in first: %q", got, want)
		}
		devices(t, 5, s, plainHTTP(), "7") // at the same moment, in this bubble
		first := order()
		for range 20 {
			if got := order(); !slices.Equal(got, first) {
				t.Fatalf("two lists of the same sessions differ in their order: %q and %q", first, got)
			}
		}
	})
}

// TestP12_LastSeenIsExactToTheTouchInterval, also where the deadline has come
// closer than the idle timeout.
func TestP12_LastSeenIsExactToTheTouchInterval(t *testing.T) {
	for _, c := range []struct {
		name    string
		visits  []time.Duration // since the sign-in
		look    time.Duration
		seen    time.Duration
		deviate time.Duration
	}{
		{"never again", nil, 10 * time.Minute, 0, 0},
		{"a visit", []time.Duration{7 * time.Minute}, 20 * time.Minute, 7 * time.Minute, 0},
		{"a visit within the touch interval", []time.Duration{7 * time.Minute, 7*time.Minute + 30*time.Second}, 20 * time.Minute, 7*time.Minute + 30*time.Second, time.Minute},
		{"shortly before the deadline", []time.Duration{25 * time.Minute}, 45 * time.Minute, 25 * time.Minute, 0},
		{"where it ends before its idle timeout could", []time.Duration{25 * time.Minute, 50 * time.Minute}, 55 * time.Minute, 55 * time.Minute, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := trial.Memory(t), plainHTTP()
				o.Lifetime, o.IdleTimeout = time.Hour, 30*time.Minute
				b := device(t, s, o, "7")
				start := time.Now()
				for _, v := range c.visits {
					advance(time.Until(start.Add(v)))
					visitOK(t, b, func(context.Context) {})
				}
				advance(time.Until(start.Add(c.look)))
				all, err := session.New(s, o).Sessions(t.Context(), "7")
				wantError(t, "Sessions", err, nil)
				if len(all) != 1 {
					t.Fatalf("%d sessions, want 1", len(all))
				}
				if got := all[0].LastSeen.Sub(start); (got - c.seen).Abs() > c.deviate {
					t.Errorf("last seen %v after the sign-in, want %v, give or take %v", got, c.seen, c.deviate)
				}
			})
		})
	}
}

// TestP12_UserAgents are what the browser said at its sign-in, in no more than a
// line of valid UTF-8.
func TestP12_UserAgents(t *testing.T) {
	long := strings.Repeat("x", 255)
	for sent, want := range map[string]string{
		"":                          "",
		"Mozilla/5.0 (X11; Linux)":  "Mozilla/5.0 (X11; Linux)",
		long + "yz":                 long + "y",
		long + "é":                  long, // the limit goes through the middle of it
		"a\xff\xfeb":                "ab",
		"<script>alert(1)</script>": "<script>alert(1)</script>", // for the page to escape
	} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			b := browse(s, plainHTTP(), obliging)
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("User-Agent", sent)
			wantStatus(t, fetch(t, b, r, signIn("7")), http.StatusOK)
			visitOK(t, b, session.Renew) // by a client that does not say who it is
			got := sessionsOf(t, s, "7")[0].UserAgent
			wantSame(t, "user agent", got, want)
			if !utf8.ValidString(got) {
				t.Errorf("the user agent %q is no UTF-8", got)
			}
		})
	}
}

// TestP12_ListingTakesThreeRoundTripsAtMost, however many sessions there are, and
// one by one they are not asked for.
func TestP12_ListingTakesThreeRoundTripsAtMost(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	proxy := redistest.NewProxy(t, server.Addr())
	direct, proxied := trial.OpenRedis(t, server.URL(), prefix), trial.OpenRedis(t, proxy.URL(), prefix)
	m := session.New(proxied, plainHTTP())
	have := 0
	for _, n := range []int{1, 3, 40} {
		devices(t, n-have, direct, plainHTTP(), "7")
		devices(t, 10, direct, plainHTTP(), "somebody else")
		have = n
		m.Sessions(t.Context(), "7") // so that the scripts are loaded
		proxy.Trips()
		all, err := m.Sessions(t.Context(), "7")
		wantError(t, "Sessions", err, nil)
		wantSame(t, "sessions", len(all), n)
		if trips := proxy.Trips(); trips > 3 {
			t.Errorf("listing %d sessions took %d round trips, want no more than 3", n, trips)
		}
	}
}

// TestP12_WithoutAnIndex there is a clear error, and at the start where an option
// needs one.
func TestP12_WithoutAnIndex(t *testing.T) {
	s := noIndex{trial.Memory(t)}
	m := session.New(s, plainHTTP())
	_, err := m.Sessions(t.Context(), "7")
	wantError(t, "Sessions", err, session.ErrNoIndex)
	wantError(t, "Revoke", m.Revoke(t.Context(), "7", "ref"), session.ErrNoIndex)
	wantError(t, "RevokeAll", m.RevokeAll(t.Context(), "7"), session.ErrNoIndex)
	visitOK(t, device(t, s, plainHTTP(), "7"), func(ctx context.Context) {
		wantError(t, "RevokeOthers", session.RevokeOthers(ctx), session.ErrNoIndex)
	})
	o := plainHTTP()
	o.MaxPerUser = 3
	if message := mustPanic(t, func() { session.New(s, o) }); !strings.Contains(message, "MaxPerUser") {
		t.Errorf("the panic does not name the option that asks too much: %s", message)
	}
}

// TestP12_AFailingStoreIsNoEmptyList, and nobody is told that sessions were ended.
func TestP12_AFailingStoreIsNoEmptyList(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := device(t, s, plainHTTP(), "7")
		for _, op := range []string{"owned", "swap"} {
			f := newFaulty(s)
			f.on(op, 0, refused)
			m := session.New(f, plainHTTP())
			if op == "owned" {
				_, err := m.Sessions(t.Context(), "7")
				wantStoreError(t, "Sessions", err, false)
			}
			wantStoreError(t, "RevokeAll", m.RevokeAll(t.Context(), "7"), false)
			wantStoreError(t, "Revoke", m.Revoke(t.Context(), "7", refsOf(t, s, "7")[0]), false)
			wantSignedIn(t, "7", b)
		}
	})
}
