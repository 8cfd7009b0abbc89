package session_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// isThere reports whether a session of full is there with b's cookies.
func isThere(t testing.TB, b *trial.Browser) bool {
	t.Helper()
	return seen(t, b, color) == "red"
}

// TestP12_ASessionEndsAtItsTime: exactly at it, with requests and without, by the
// manager's options and by its own.
func TestP12_ASessionEndsAtItsTime(t *testing.T) {
	const day = 24 * time.Hour
	options := func(lifetime, idle, anonymous time.Duration) session.Options {
		o := plainHTTP()
		o.Lifetime, o.IdleTimeout, o.AnonymousLifetime = lifetime, idle, anonymous
		return o
	}
	then := func(all ...deed) deed {
		return func(ctx context.Context) {
			for _, do := range all {
				do(ctx)
			}
		}
	}
	idle := func(d time.Duration) deed { return func(ctx context.Context) { session.SetIdleTimeout(ctx, d) } }
	ends := func(d time.Duration) deed {
		return func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(d)) }
	}
	remembered := func(d time.Duration) deed { return func(ctx context.Context) { session.Remember(ctx, d) } }
	for name, c := range map[string]struct {
		o     session.Options
		do    deed
		alone time.Duration // how long it lives without a request
		kept  time.Duration // and how long with one every 25 minutes
	}{
		"by default":                         {options(0, 0, 0), full, 14 * day, 14 * day},
		"Lifetime":                           {options(2*day, 0, 0), full, 2 * day, 2 * day},
		"IdleTimeout":                        {options(2*day, 30*time.Minute, 0), full, 30 * time.Minute, 2 * day},
		"SetIdleTimeout, longer":             {options(2*day, 30*time.Minute, 0), then(full, idle(day)), day, 2 * day},
		"SetIdleTimeout, shorter":            {options(2*day, 2*time.Hour, 0), then(full, idle(30*time.Minute)), 30 * time.Minute, 2 * day},
		"SetIdleTimeout where there is none": {options(2*day, 0, 0), then(full, idle(time.Hour)), time.Hour, 2 * day},
		"SetIdleTimeout, taken back":         {options(2*day, time.Hour, 0), then(full, idle(30*time.Minute), idle(0)), time.Hour, 2 * day},
		"SetIdleTimeout past the end":        {options(2*day, time.Hour, 0), then(full, idle(9*day)), 2 * day, 2 * day},
		"SetIdleTimeout and a sign-in":       {options(2*day, time.Hour, 0), then(full, idle(30*time.Minute), signIn("7")), time.Hour, 2 * day},
		"a sign-in and SetIdleTimeout":       {options(2*day, time.Hour, 0), then(full, signIn("7"), idle(30*time.Minute)), 30 * time.Minute, 2 * day},
		"SetDeadline, sooner":                {options(2*day, 0, 0), then(full, ends(day)), day, day},
		"SetDeadline, later":                 {options(2*day, time.Hour, 0), then(full, ends(3*day)), time.Hour, 3 * day},
		"Remember":                           {options(2*day, time.Hour, 0), then(full, remembered(30*day)), 30 * day, 30 * day},
		"Remember, shorter":                  {options(2*day, 0, 0), then(full, remembered(day)), day, day},
		"Remember and SetIdleTimeout":        {options(2*day, time.Hour, 0), then(full, remembered(30*day), idle(time.Hour)), 30 * day, 30 * day},
		"Remember, and a sign-in":            {options(2*day, time.Hour, 0), then(full, remembered(30*day), signIn("7")), time.Hour, 2 * day},
		"a sign-in, and Remember":            {options(2*day, time.Hour, 0), then(full, signIn("7"), remembered(30*day)), 30 * day, 30 * day},
		"Remember, and Renew":                {options(2*day, time.Hour, 0), then(full, remembered(30*day), func(ctx context.Context) { session.Commit(ctx) }, session.Renew), 30 * day, 30 * day},
		"AnonymousLifetime":                  {options(2*day, 0, time.Hour), full, time.Hour, time.Hour},
		"AnonymousLifetime, and a sign-in":   {options(2*day, 0, time.Hour), then(full, signIn("7")), 2 * day, 2 * day},
		"AnonymousLifetime, and SetDeadline": {options(2*day, 0, time.Hour), then(full, ends(day)), day, day},
		"AnonymousLifetime, after a logout": {options(2*day, 0, time.Hour), then(signIn("7"), func(ctx context.Context) {
			session.Commit(ctx)
			session.Logout(ctx)
		}, full), time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := trial.Memory(t)
				for _, end := range []time.Duration{c.alone - time.Millisecond, c.alone} {
					b := visitor(t, s, c.o, c.do)
					advance(end)
					if got, want := isThere(t, b), end < c.alone; got != want {
						t.Errorf("without a request, after %v: is it there? %v, want %v", end, got, want)
					}
				}
				b := visitor(t, s, c.o, c.do)
				start := time.Now()
				for time.Since(start)+25*time.Minute < c.kept {
					advance(25 * time.Minute)
					if !isThere(t, b) {
						t.Fatalf("it is used every 25 minutes, and gone after %v", time.Since(start))
					}
				}
				advance(time.Until(start.Add(c.kept - time.Millisecond)))
				wantSame(t, "used all the time, is it there a moment before its end", isThere(t, b), true)
				advance(time.Millisecond)
				wantSame(t, "used all the time, is it there at its end", isThere(t, b), false)
			})
		})
	}
}

// TestP12_AnonymousLifetimeCountsFromTheBeginning, and a sign-in later gives what a
// sign-in gives.
func TestP12_AnonymousLifetimeCountsFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := plainHTTP()
		o.Lifetime, o.AnonymousLifetime = 48*time.Hour, time.Hour
		b := browse(trial.Memory(t), o, obliging)
		wantAbout(t, "Max-Age for a guest", maxAge(t, visitOK(t, b, full)), time.Hour)
		advance(59 * time.Minute)
		visitOK(t, b, addPoint)
		wantAbout(t, "Max-Age of a sign-in", maxAge(t, visitOK(t, b, signIn("7"))), 48*time.Hour)
		advance(47 * time.Hour)
		wantSignedIn(t, "7", b)
		wantSame(t, "what the guest had", isThere(t, b), true)
		advance(time.Hour)
		wantSignedIn(t, "", b)
	})
	o := plainHTTP()
	o.Lifetime, o.AnonymousLifetime = time.Hour, 2*time.Hour
	mustPanic(t, func() { session.New(trial.Memory(t), o) })
}

// TestP12_TransientCookiesEndWithTheBrowser, except where somebody wants to be
// remembered, until they sign in anew without that.
func TestP12_TransientCookiesEndWithTheBrowser(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		o := plainHTTP()
		o.Cookie.Transient = true
		b := browse(s, o, obliging)
		persists := func(what string, w *httptest.ResponseRecorder, want bool) {
			t.Helper()
			cookies := w.Result().Cookies()
			if len(cookies) != 1 {
				t.Errorf("%s: %d cookies, want 1", what, len(cookies))
				return
			}
			wantSame(t, what+": does the cookie survive the browser", cookies[0].MaxAge > 0 || !cookies[0].Expires.IsZero(), want)
		}
		remember := func(ctx context.Context) { session.Remember(ctx, 30*24*time.Hour) }
		persists("a guest", visitOK(t, b, full), false)
		persists("a sign-in", visitOK(t, b, signIn("7")), false)
		persists("Remember", visitOK(t, b, remember), true)
		persists("Renew of a remembered one", visitOK(t, b, session.Renew), true)
		persists("a sign-in that forgets", visitOK(t, b, signIn("7")), false)
		persists("a sign-in and Remember", visitOK(t, b, func(ctx context.Context) { signIn("7")(ctx); remember(ctx) }), true)
	})
}

// TestP12_TouchesAreRareAlsoForASessionsOwnTimeout: once in a tenth of it, a minute
// at most; and a remembered session needs none.
func TestP12_TouchesAreRareAlsoForASessionsOwnTimeout(t *testing.T) {
	for own, interval := range map[time.Duration]time.Duration{
		0: time.Minute, 5 * time.Minute: 30 * time.Second, 100 * time.Second: 10 * time.Second, 24 * time.Hour: time.Minute,
	} {
		t.Run(fmt.Sprint(own), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				watched, operations := counted(trial.Memory(t))
				o := plainHTTP()
				o.IdleTimeout = time.Hour
				b := visitor(t, watched, o, full)
				visitOK(t, b, func(ctx context.Context) { session.SetIdleTimeout(ctx, own) })
				operations()
				for range 3 {
					advance(interval - time.Millisecond)
					visitOK(t, b, func(context.Context) {})
					wantSame(t, "operations within the interval", operations(), "find")
					advance(time.Millisecond)
					visitOK(t, b, func(context.Context) {})
					wantSame(t, "operations after it", operations(), "find touch")
				}
				visitOK(t, b, func(ctx context.Context) { session.Remember(ctx, 48*time.Hour) })
				operations()
				advance(time.Hour)
				visitOK(t, b, func(context.Context) {})
				wantSame(t, "operations of a remembered session", operations(), "find")
			})
		})
	}
}

// TestP12_LogoutAmidATouch: what was to be extended is not brought back, nor is
// the marker that is in its place.
func TestP12_LogoutAmidATouch(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s store.Store, b *trial.Browser){
		"Logout": func(t *testing.T, _ store.Store, b *trial.Browser) { logout(t, b) },
		"Revoke": func(t *testing.T, s store.Store, _ *trial.Browser) { endAll(t, s, "7") },
		"Renew":  func(t *testing.T, _ store.Store, b *trial.Browser) { visitOK(t, b, session.Renew) },
	} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", after the touch: ", after), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					o := plainHTTP()
					o.IdleTimeout = time.Hour
					b := device(t, s, o, "7")
					old, id := b.Fork(), idOf(t, s, b)
					stale(t, s, id, 2*time.Minute)
					f := newFaulty(s)
					f.at(moment{"touch", 1, after}, func() { end(t, s, b) })
					wantNoCookie(t, visitOK(t, through(f, o, b), func(context.Context) {}))
					f.wantSpent(t)
					wantEnded(t, old)
					if r, err := s.Find(t.Context(), id); err != nil || r.TTL > time.Minute {
						t.Errorf("the marker lives %v, want no more than a minute: it was extended (%v)", r.TTL, err)
					}
				})
			})
		}
	}
}

// stale makes a record look as if it was last used d ago.
func stale(t testing.TB, s store.Store, id string, d time.Duration) {
	t.Helper()
	r, err := s.Find(t.Context(), id)
	if err == nil {
		err = s.Touch(t.Context(), id, r.Version, r.TTL-d)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestP12_AFullStoreGivesUpGuestsFirst: bots sign nobody out, and fill nothing
// that a sign-in needs.
func TestP12_AFullStoreGivesUpGuestsFirst(t *testing.T) {
	s := memstore.New(memstore.MaxRecords(20))
	defer s.Close()
	users := devices(t, 10, s, plainHTTP(), "7")
	guest := visitor(t, s, plainHTTP(), full)
	for range 200 { // bots
		visitOK(t, browse(s, plainHTTP(), obliging), full)
	}
	wantSignedIn(t, "7", users...)
	wantListed(t, s, "7", 10)
	wantSame(t, "is the guest's session there, who came before the bots", isThere(t, guest), false)
	wantSignedIn(t, "8", devices(t, 10, s, plainHTTP(), "8")...)
	wantSignedIn(t, "7", users...)
}
