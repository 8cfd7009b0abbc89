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

// quiet is an app with everything that changes nothing, and what does.
var quiet = routes{
	"/nothing": func(context.Context) string { return "" },
	"/read":    notes["/read"],
	"/write":   notes["/write"],
	"/again":   notes["/write"],
	"/noop": func(ctx context.Context) string {
		note.Update(ctx, func(*string) {})
		return ""
	},
	"/there-and-back": func(ctx context.Context) string {
		was := note.Get(ctx)
		note.Set(ctx, "elsewhere")
		note.Set(ctx, was)
		return ""
	},
	"/set-and-delete": func(ctx context.Context) string {
		countText.Set(ctx, "1")
		countText.Delete(ctx)
		return ""
	},
	"/delete-absent": func(ctx context.Context) string { countText.Delete(ctx); return "" },
	"/on-nothing": func(ctx context.Context) string {
		session.Renew(ctx)
		session.Clear(ctx)
		session.Remember(ctx, time.Hour)
		session.SetDeadline(ctx, time.Now().Add(time.Hour))
		return ""
	},
	"/user": func(ctx context.Context) string { return session.UserID(ctx) },
	"/take": func(ctx context.Context) string {
		_, ok, err := countText.Take(ctx)
		return fmt.Sprint(ok, err)
	},
	"/commit": func(ctx context.Context) string { return fmt.Sprint(session.Commit(ctx)) },
	"/transact": func(ctx context.Context) string {
		return fmt.Sprint(session.Transact(ctx, func(ctx context.Context) error { note.Get(ctx); return nil }))
	},
	"/logout": func(ctx context.Context) string { return fmt.Sprint(session.Logout(ctx)) },
	"/login":  func(ctx context.Context) string { session.Login(ctx, "42"); return "" },
	"/renew":  func(ctx context.Context) string { session.Renew(ctx); return "" },
	"/write-and-commit": func(ctx context.Context) string {
		note.Set(ctx, "one")
		err := session.Commit(ctx)
		note.Set(ctx, "two")
		return fmt.Sprint(err)
	},
	"/leave": func(ctx context.Context) string { countText.Set(ctx, "1"); return "" },
	"/take-and-write": func(ctx context.Context) string {
		_, ok, err := countText.Take(ctx)
		note.Set(ctx, "three")
		return fmt.Sprint(ok, err)
	},
}

func TestP8_NothingIsStoredUntilSomethingIs(t *testing.T) {
	for _, path := range []string{"/nothing", "/read", "/noop", "/set-and-delete", "/delete-absent", "/on-nothing", "/user", "/take", "/commit", "/transact", "/logout"} {
		watched, operations := counted(trial.Memory(t))
		w := browse(watched, plainHTTP(), quiet).Get(t, path)
		body(t, w)
		if got := operations(); got != "" {
			t.Errorf("%s by a visitor without a session took: %s", path, got)
		}
		if got := w.Header().Values("Set-Cookie"); got != nil {
			t.Errorf("%s by a visitor without a session was answered with %q", path, got)
		}
	}
}

func TestP8_ARequestThatChangesNothingWritesNothing(t *testing.T) {
	for _, path := range []string{"/nothing", "/read", "/again", "/noop", "/there-and-back", "/set-and-delete", "/delete-absent", "/user", "/take", "/commit", "/transact"} {
		watched, operations := counted(trial.Memory(t))
		b := browse(watched, plainHTTP(), quiet)
		b.Get(t, "/write")
		operations()
		w := b.Get(t, path)
		body(t, w)
		if got := operations(); got != "find" {
			t.Errorf("%s took: %s; want one find", path, got)
		}
		if got := w.Header().Values("Set-Cookie"); got != nil {
			t.Errorf("%s was answered with %q", path, got)
		}
	}
}

func TestP8_AChangeSendsNoCookieThatTheBrowserHasAlready(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, plainHTTP(), quiet)
		if b.Get(t, "/write-and-commit").Header().Get("Set-Cookie") == "" {
			t.Error("a new session got no cookie")
		}
		if got := b.Get(t, "/write").Header().Get("Set-Cookie"); got != "" {
			t.Errorf("a change of a value was answered with %s", got)
		}
	})
}

func TestP8_IdleTimeoutsAreExtendedByATouch_OncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched, operations := counted(trial.Memory(t))
		o := plainHTTP()
		o.IdleTimeout = 30 * time.Minute // so that the interval is a minute
		b := browse(watched, o, quiet)
		b.Get(t, "/write")
		operations()
		for _, step := range []struct {
			after time.Duration
			want  string
		}{
			{59 * time.Second, "find"},
			{time.Second, "find touch"},
			{time.Second, "find"},
			{58 * time.Second, "find"},
			{29 * time.Minute, "find touch"},
		} {
			advance(step.after)
			w := b.Get(t, "/nothing")
			body(t, w)
			if got := operations(); got != step.want {
				t.Errorf("a request %v after the last took: %s; want: %s", step.after, got, step.want)
			}
			if w.Header().Get("Set-Cookie") != "" {
				t.Error("an idle timeout is the server's business; it needs no cookie")
			}
		}
		advance(30*time.Minute - time.Second)
		if got := body(t, b.Get(t, "/read")); got != `"written" true` {
			t.Errorf("within the idle timeout the session reads %s", got)
		}
		advance(30 * time.Minute)
		if got := body(t, b.Get(t, "/read")); got != `"" false` {
			t.Errorf("after the idle timeout the session reads %s", got)
		}
	})
}

func TestP8_AFailingTouchFailsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logged
		o := log.to(plainHTTP())
		o.IdleTimeout = time.Hour
		failing := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
			if op.Name == "touch" {
				return fmt.Errorf("the disk is on fire")
			}
			return call()
		})
		b := browse(failing, o, quiet)
		b.Get(t, "/write")
		advance(10 * time.Minute)
		body(t, b.Get(t, "/read"))
		if log.String() == "" {
			t.Error("nothing of it in the log")
		}
	})
}

func TestP8_VaryOnlyWhereTheSessionWasUsed(t *testing.T) {
	b := browse(trial.Memory(t), plainHTTP(), quiet)
	b.Get(t, "/write")
	for path, want := range map[string]string{
		"/nothing": "", "/read": "Cookie", "/user": "Cookie", "/write": "Cookie", "/take": "Cookie", "/noop": "Cookie",
	} {
		if got := b.Get(t, path).Header().Get("Vary"); got != want {
			t.Errorf("%s has Vary %q, want %q", path, got, want)
		}
	}
}

func TestP8_SkippedRequestsCostNothing(t *testing.T) {
	watched, operations := counted(trial.Memory(t))
	o := plainHTTP()
	o.Skip = func(r *http.Request) bool { return r.URL.RawQuery == "skip" }
	b := browse(watched, o, quiet)
	b.Get(t, "/write")
	operations()
	if got := body(t, b.Get(t, "/read?skip")); got != `"" false` {
		t.Errorf("a skipped request reads %s", got)
	}
	if w := b.Get(t, "/write?skip"); w.Code != http.StatusInternalServerError {
		t.Errorf("a change in a skipped request ends with status %d, want 500", w.Code)
	}
	if got := operations(); got != "" {
		t.Errorf("skipped requests took: %s", got)
	}
}

// onTheWire are the round trips that each request is allowed. (P9)
var onTheWire = []struct {
	path string
	want int
	what string
}{
	{"/read", 1, "a read"},
	{"/write", 2, "a change"},
	{"/again", 1, "a Set of what is there already"},
	{"/write-and-commit", 3, "a change, an explicit commit, and another change"},
	{"/leave", 2, "a change"},
	{"/take-and-write", 3, "a Take, which commits, and a change"},
	{"/take", 1, "a Take with nothing to take"},
	{"/renew", 3, "a renewal: load, create, end"},
	{"/login", 4, "a sign-in: load, list, create, end"},
	{"/renew", 5, "a renewal of a user's session: load, list, create, end, unlist"},
	{"/logout", 3, "a logout: load, end, unlist"},
	{"/write", 1, "a new session"},
	{"/logout", 2, "an anonymous visitor's logout: load, end"},
}

func TestP9_RoundTrips(t *testing.T) {
	server := redistest.Shared(t)
	proxy := redistest.NewProxy(t, server.Addr())
	s := trial.OpenRedis(t, proxy.URL(), redistest.Prefix(t))
	b := browse(s, plainHTTP(), quiet)
	trips := func(path string) int {
		proxy.Trips() // begins to count anew
		body(t, b.Get(t, path))
		return proxy.Trips()
	}
	if got := trips("/read"); got != 0 {
		t.Errorf("a request without a cookie took %d round trips, want 0", got)
	}
	// The first ones teach the server the scripts.
	for _, path := range []string{"/write", "/login", "/logout", "/write-and-commit"} {
		trips(path)
	}

	for _, r := range onTheWire {
		if got := trips(r.path); got != r.want {
			t.Errorf("%s (%s) took %d round trips, want %d", r.path, r.what, got, r.want)
		}
	}
}
