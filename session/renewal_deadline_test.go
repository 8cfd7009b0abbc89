package session_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP3_MergedDeadline: how long a record lives comes
// from what is stored in the end, not from what the request had in mind before
// it met the others' changes.
func TestP3_MergedDeadline(t *testing.T) {
	soon := func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(10*time.Minute)) }
	inAnHour := func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(time.Hour)) }
	inADay := func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(24*time.Hour)) }
	rememberAWeek := func(ctx context.Context) { session.Remember(ctx, 7*24*time.Hour) }
	login := func(ctx context.Context) { session.Login(ctx, "7") }
	for _, c := range []struct {
		name        string
		mine, rival deed
		ttl, cookie time.Duration
	}{
		{"a change, and a rival's SetDeadline", addPoint, inAnHour, 20 * time.Minute, time.Hour},
		{"a change, and a rival's SetDeadline before the idle timeout", addPoint, soon, 10 * time.Minute, 10 * time.Minute},
		{"a change, and a rival's Remember", addPoint, rememberAWeek, 7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{"SetDeadline, and a rival's SetDeadline", inADay, inAnHour, 20 * time.Minute, 24 * time.Hour},
		{"SetDeadline, and a rival's Remember", inAnHour, rememberAWeek, time.Hour, time.Hour},
		{"Remember, and a rival's change", rememberAWeek, addPoint, 7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{"Renew, and a rival's SetDeadline", session.Renew, inAnHour, 20 * time.Minute, time.Hour},
		{"Renew, and a rival's SetDeadline before the idle timeout", session.Renew, soon, 10 * time.Minute, 10 * time.Minute},
		{"Renew, and a rival's Remember", session.Renew, rememberAWeek, 7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{"Login, and a rival's SetDeadline", login, inAnHour, 20 * time.Minute, 14 * 24 * time.Hour},
		{"Login, and a rival's Remember", login, rememberAWeek, 20 * time.Minute, 14 * 24 * time.Hour},
		{"Login and Remember, and a rival's change", func(ctx context.Context) { login(ctx); rememberAWeek(ctx) }, addPoint, 7 * 24 * time.Hour, 7 * 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				o := plainHTTP()
				o.IdleTimeout = 20 * time.Minute
				b := visitor(t, s, o, full)
				w := visitOK(t, b, func(ctx context.Context) {
					c.mine(ctx)
					visitOK(t, b.Fork(), c.rival)
				})
				wantAbout(t, "time to live in the store", lapse(t, s, b), c.ttl)
				wantAbout(t, "Max-Age", maxAge(t, w), c.cookie)
			})
		})
	}
}

// TestP3_CookieRunsToTheDeadline: the idle timeout is the server's
// business, and a cookie that were to end with it would end too early.
func TestP3_CookieRunsToTheDeadline(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		o := plainHTTP()
		o.Lifetime, o.IdleTimeout = 48*time.Hour, 20*time.Minute
		b := browse(s, o, obliging)
		wantAbout(t, "Max-Age of a new session", maxAge(t, visitOK(t, b, full)), 48*time.Hour)
		wantAbout(t, "time to live", lapse(t, s, b), 20*time.Minute)
		wantAbout(t, "Max-Age of a renewed session", maxAge(t, visitOK(t, b, session.Renew)), 48*time.Hour)
		wantAbout(t, "time to live of a renewed session", lapse(t, s, b), 20*time.Minute)
	})
}

// maxAge returns that of the one cookie in a response.
func maxAge(t *testing.T, w *httptest.ResponseRecorder) time.Duration {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Errorf("the response sets %d cookies, want 1", len(cookies))
		return 0
	}
	return time.Duration(cookies[0].MaxAge) * time.Second
}

// wantAbout allows for the minute that a test may take on a busy machine, and
// the second by which scs rounds a Max-Age up.
func wantAbout(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got > want+time.Second || got < want-time.Minute {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
