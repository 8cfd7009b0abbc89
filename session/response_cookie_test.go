package session_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

// The lines are exact: a browser drops a cookie over one attribute, and an
// attacker lives from one that is missing.
func TestP10_TheCookieIsExactlyWhatTheOptionsSay(t *testing.T) {
	cases := []struct {
		name    string
		options session.Options
		line    string // TOKEN, EXPIRES and SECONDS stand for what they say
		expired string
	}{
		{
			name:    "default",
			line:    "__Host-session=TOKEN; Path=/; Expires=EXPIRES; Max-Age=SECONDS; HttpOnly; Secure; SameSite=Lax",
			expired: "__Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		{
			name:    "Insecure",
			options: session.Options{Insecure: true},
			line:    "session=TOKEN; Path=/; Expires=EXPIRES; Max-Age=SECONDS; HttpOnly; SameSite=Lax",
			expired: "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax",
		},
		{
			name:    "Name",
			options: session.Options{Cookie: session.Cookie{Name: "sid"}},
			line:    "__Host-sid=TOKEN; Path=/; Expires=EXPIRES; Max-Age=SECONDS; HttpOnly; Secure; SameSite=Lax",
			expired: "__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		{
			name:    "Domain",
			options: session.Options{Cookie: session.Cookie{Domain: "example.com"}},
			line:    "__Secure-session=TOKEN; Path=/; Domain=example.com; Expires=EXPIRES; Max-Age=SECONDS; HttpOnly; Secure; SameSite=Lax",
			expired: "__Secure-session=; Path=/; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		{
			name:    "Path",
			options: session.Options{Cookie: session.Cookie{Path: "/shop"}},
			line:    "__Secure-session=TOKEN; Path=/shop; Expires=EXPIRES; Max-Age=SECONDS; HttpOnly; Secure; SameSite=Lax",
			expired: "__Secure-session=; Path=/shop; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		{
			name:    "Transient",
			options: session.Options{Cookie: session.Cookie{Transient: true}},
			line:    "__Host-session=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax",
			expired: "__Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		{
			name:    "Partitioned, SameSite None",
			options: session.Options{Cookie: session.Cookie{Partitioned: true, SameSite: http.SameSiteNoneMode}},
			line:    "__Host-session=TOKEN; Path=/; Expires=EXPIRES; Max-Age=SECONDS; HttpOnly; Secure; SameSite=None; Partitioned",
			expired: "__Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned",
		},
		{
			name:    "Transient, Partitioned, Domain, Path",
			options: session.Options{Cookie: session.Cookie{Transient: true, Partitioned: true, Domain: "example.com", Path: "/shop"}},
			line:    "__Secure-session=TOKEN; Path=/shop; Domain=example.com; HttpOnly; Secure; SameSite=Lax; Partitioned",
			expired: "__Secure-session=; Path=/shop; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax; Partitioned",
		},
		{
			name:    "SameSite Strict, Lifetime",
			options: session.Options{Lifetime: time.Hour, IdleTimeout: time.Minute, Cookie: session.Cookie{SameSite: http.SameSiteStrictMode}},
			line:    "__Host-session=TOKEN; Path=/; Expires=EXPIRES; Max-Age=3601; HttpOnly; Secure; SameSite=Strict",
			expired: "__Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := c.options
				o.Logger = plainHTTP().Logger
				site := browse(trial.Memory(t), o, routes{
					"/set":    func(ctx context.Context) string { shade.Set(ctx, "green"); return "" },
					"/get":    func(ctx context.Context) string { return shade.Get(ctx) },
					"/logout": func(ctx context.Context) string { session.Logout(ctx); return "" },
				})
				lifetime := o.Lifetime
				if lifetime == 0 {
					lifetime = 14 * 24 * time.Hour
				}
				got := site.Get(t, "/set").Header()["Set-Cookie"]
				var token string
				for _, value := range site.Cookies() {
					token = value
				}
				want := strings.NewReplacer("TOKEN", token, "SECONDS", fmt.Sprint(int(lifetime.Seconds())+1),
					"EXPIRES", time.Now().Add(lifetime+time.Second).UTC().Format(http.TimeFormat)).Replace(c.line)
				if !reflect.DeepEqual(got, []string{want}) {
					t.Errorf("a new session's cookie is\n%q, want\n%q", got, want)
				}
				if got := site.Get(t, "/get").Header()["Set-Cookie"]; got != nil {
					t.Errorf("a request that changes nothing sets the cookie %q", got)
				}
				if got := site.Get(t, "/set").Header()["Set-Cookie"]; got != nil {
					t.Errorf("a request that changes nothing of the cookie sets %q", got)
				}
				if got := site.Get(t, "/logout").Header()["Set-Cookie"]; !reflect.DeepEqual(got, []string{c.expired}) {
					t.Errorf("the cookie of a logout is\n%q, want\n%q", got, c.expired)
				}
			})
		})
	}
}

// A remembered session's cookie survives the browser, also where others don't.
func TestP10_ARememberedSessionsCookieIsNotTransient(t *testing.T) {
	s, get := rehearse(t, site{
		options: session.Options{Cookie: session.Cookie{Transient: true}},
		handler: func(_ http.ResponseWriter, r *http.Request) {
			session.Login(r.Context(), "ann")
			session.Remember(r.Context(), 30*24*time.Hour)
		},
	})
	cookies := get(s.visitor(t, "red")).Cookies()
	if len(cookies) != 1 || cookies[0].MaxAge < 30*24*3600-60 || cookies[0].Expires.IsZero() {
		t.Errorf("the cookies are %v, want one of 30 days", cookies)
	}
}

// A response with our cookie is for one visitor, whatever the handler said of caches.
func TestP8_AResponseWithACookieIsForNoSharedCache(t *testing.T) {
	cases := []struct {
		handler http.Header
		want    []string // Cache-Control with our cookie; without it the handler's stays
	}{
		{http.Header{}, []string{"private"}},
		{http.Header{"Cache-Control": {"public, max-age=60, s-maxage=600"}}, []string{"max-age=60, private"}},
		{http.Header{"Cache-Control": {"Public", "S-MaxAge=600", "max-age=60"}}, []string{"max-age=60, private"}},
		{http.Header{"Cache-Control": {"no-store"}}, []string{"no-store"}},
		{http.Header{"Cache-Control": {"private, max-age=60"}}, []string{"private, max-age=60"}},
		{http.Header{"Cache-Control": {"no-cache"}}, []string{"no-cache, private"}},
		{http.Header{"Cache-Control": {"max-age=60,,must-revalidate,"}}, []string{"max-age=60, must-revalidate, private"}},
		{http.Header{"Cache-Control": {`private="X-User", max-age=60`}}, []string{"max-age=60, private"}},
		{http.Header{"Cache-Control": {`private="X-User, X-Name", max-age=60`}}, []string{"max-age=60, private"}},
		{http.Header{"Cache-Control": {`no-cache="Set-Cookie, public", max-age=60`}}, []string{`no-cache="Set-Cookie, public", max-age=60, private`}},
		{http.Header{"Cache-Control": {`max-age=60, note="a \", public"`}}, []string{`max-age=60, note="a \", public", private`}},
		{http.Header{
			"Cache-Control":                {"public"},
			"Cdn-Cache-Control":            {"max-age=600"},
			"Cloudflare-Cdn-Cache-Control": {"max-age=600"},
			"Surrogate-Control":            {"max-age=600"},
		}, []string{"private"}},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, c := range cases {
			for _, cookie := range []bool{true, false} {
				t.Run(fmt.Sprint(c.handler, cookie), func(t *testing.T) {
					s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						for name, lines := range c.handler {
							w.Header()[name] = lines
						}
						shade.Get(r.Context())
						if cookie {
							session.Login(r.Context(), "ann")
						}
					}})
					want := headers("Content-Length: 0", "Vary: Cookie")
					if cookie {
						want["Cache-Control"], want["Set-Cookie"] = c.want, []string{ourCookie}
					} else {
						for name, lines := range c.handler {
							want[name] = lines
						}
					}
					s.expect(t, s.get(t, s.visitor(t, "red")), 200, "", want)
				})
			}
		}
	})
}

// Vary names the cookie once, and only where the response depends on it.
func TestP8_VaryNamesTheCookieOnce(t *testing.T) {
	cases := []struct {
		name    string
		use     func(ctx context.Context)
		handler []string
		want    []string
	}{
		{"not used", func(context.Context) {}, nil, nil},
		{"not used, other fields", func(context.Context) {}, []string{"Accept"}, []string{"Accept"}},
		{"read", func(ctx context.Context) { shade.Get(ctx) }, nil, []string{"Cookie"}},
		{"user read", func(ctx context.Context) { session.UserID(ctx) }, nil, []string{"Cookie"}},
		{"written", func(ctx context.Context) { shade.Set(ctx, "green") }, nil, []string{"Cookie"}},
		{"read, other fields", func(ctx context.Context) { shade.Get(ctx) }, []string{"Accept, Origin"}, []string{"Accept, Origin", "Cookie"}},
		{"read, named already", func(ctx context.Context) { shade.Get(ctx) }, []string{"Accept, cookie"}, []string{"Accept, cookie"}},
		{"read, named in another line", func(ctx context.Context) { shade.Get(ctx) }, []string{"Accept", "COOKIE"}, []string{"Accept", "COOKIE"}},
		{"read, everything", func(ctx context.Context) { shade.Get(ctx) }, []string{"*"}, []string{"*"}},
		{"read, similar names", func(ctx context.Context) { shade.Get(ctx) }, []string{"Cookie2, X-Cookie"}, []string{"Cookie2, X-Cookie", "Cookie"}},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					for _, line := range c.handler {
						w.Header().Add("Vary", line)
					}
					c.use(r.Context())
				}})
				want := headers("Content-Length: 0")
				if c.want != nil {
					want["Vary"] = c.want
				}
				s.expect(t, s.get(t, s.visitor(t, "red")), 200, "", want)
			})
		}
	})
}
