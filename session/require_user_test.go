package session_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// members is an app with pages for members, and a login page that is for all.
func members(guard func(http.Handler) http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello "+session.UserID(r.Context()))
	})))
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			session.Login(r.Context(), "7")
			http.Redirect(w, r, session.Intended(r.Context(), "/home"), http.StatusSeeOther)
		}
	})
	mux.Handle("/do", obliging)
	return mux
}

// atTheDoor returns a browser in front of members, whose sessions are in s.
func atTheDoor(s store.Store, o session.Options) *trial.Browser {
	return browse(s, o, members(session.RequireUser("/login")))
}

// do has b send a request that does something, to a page for all.
func do(t testing.TB, b *trial.Browser, what deed) *httptest.ResponseRecorder {
	t.Helper()
	return fetch(t, b, httptest.NewRequest(http.MethodPost, "/do", nil), what)
}

func method(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }

// An outcome is what is to be seen of a response, all of it.
type outcome struct {
	status                  int
	location, cache, cookie string // the names of the cookies it sets
}

func outcomeOf(w *httptest.ResponseRecorder) outcome {
	var names []string
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			c.Name = "-" + c.Name
		}
		names = append(names, c.Name)
	}
	return outcome{w.Code, w.Header().Get("Location"), w.Header().Get("Cache-Control"), strings.Join(names, " ")}
}

const (
	wantsHTML = "text/html,application/xhtml+xml,*/*;q=0.8"
	wantsJSON = "application/json"
)

// TestP12_RequireUserSendsGuestsAway: browsers to the login page, JSON clients with
// a 401. It remembers where somebody was going that will see the answer.
func TestP12_RequireUserSendsGuestsAway(t *testing.T) {
	for name, c := range map[string]struct {
		edits []func(*http.Request)
		want  outcome
		after string // where a sign-in leads then
	}{
		"GET":                  {nil, outcome{303, "/login", "no-store", "session"}, "/deep/page?a=1&b=2"},
		"GET that accepts all": {[]func(*http.Request){trial.Header("Accept", "*/*")}, outcome{303, "/login", "no-store", "session"}, "/deep/page?a=1&b=2"},
		"GET for HTML":         {[]func(*http.Request){trial.Header("Accept", wantsHTML)}, outcome{303, "/login", "no-store", "session"}, "/deep/page?a=1&b=2"},
		"HEAD":                 {[]func(*http.Request){method(http.MethodHead)}, outcome{303, "/login", "no-store", ""}, "/home"},
		"POST":                 {[]func(*http.Request){method(http.MethodPost)}, outcome{303, "/login", "no-store", ""}, "/home"},
		"DELETE":               {[]func(*http.Request){method(http.MethodDelete)}, outcome{303, "/login", "no-store", ""}, "/home"},
		"prefetch":             {[]func(*http.Request){trial.Header("Sec-Purpose", "prefetch;prerender")}, outcome{303, "/login", "no-store", ""}, "/home"},
		"JSON":                 {[]func(*http.Request){trial.Header("Accept", wantsJSON)}, outcome{401, "", "no-store", ""}, "/home"},
		"JSON POST":            {[]func(*http.Request){trial.Header("Accept", wantsJSON), method(http.MethodPost)}, outcome{401, "", "no-store", ""}, "/home"},
	} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := atTheDoor(s, plainHTTP())
				w := b.Get(t, "/deep/page?a=1&b=2", c.edits...)
				wantSame(t, "the answer", outcomeOf(w), c.want)
				if strings.Contains(w.Body.String(), "hello") {
					t.Error("a guest is shown the page")
				}
				if c.want.status == 401 {
					wantSame(t, "Content-Type", w.Header().Get("Content-Type"), "application/json")
					wantSame(t, "is there a WWW-Authenticate, which a 401 needs", w.Header().Get("WWW-Authenticate") != "", true)
				}
				wantSame(t, "where the sign-in leads", b.Post(t, "/login", "").Header().Get("Location"), c.after)
				wantSame(t, "the page", body(t, b.Get(t, "/deep/page")), "hello 7")
			})
		})
	}
}

// TestP12_RequireUserLetsUsersThrough, at no round trip of its own, and nothing of
// the page is there after a logout.
func TestP12_RequireUserLetsUsersThrough(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		watched, operations := counted(s)
		b := atTheDoor(watched, plainHTTP())
		b.Post(t, "/login", "")
		operations()
		for _, edit := range []func(*http.Request){method(http.MethodGet), method(http.MethodPost), trial.Header("Accept", wantsJSON)} {
			w := b.Get(t, "/page", edit)
			wantSame(t, "the page", body(t, w), "hello 7")
			wantSame(t, "the answer", outcomeOf(w), outcome{200, "", "no-store", ""})
			wantSame(t, "operations", operations(), "find")
		}
		old := b.Fork()
		do(t, b, func(ctx context.Context) { session.Logout(ctx) })
		wantSame(t, "after the logout", outcomeOf(b.Get(t, "/page")), outcome{303, "/login", "no-store", "session"})
		wantSame(t, "with the old cookie", outcomeOf(old.Get(t, "/page")), outcome{303, "/login", "no-store", ""})
	})
}

// TestP12_RequireUserAfterAnEnd: who was signed out is sent to the login page, who
// was renewed has a newer cookie by now and tries once more.
func TestP12_RequireUserAfterAnEnd(t *testing.T) {
	ends := map[string]func(t *testing.T, s store.Store, b *trial.Browser){
		"Logout": func(t *testing.T, _ store.Store, b *trial.Browser) {
			do(t, b, func(ctx context.Context) { session.Logout(ctx) })
		},
		"Revoke":  func(t *testing.T, s store.Store, _ *trial.Browser) { endAll(t, s, "7") },
		"Renew":   func(t *testing.T, _ store.Store, b *trial.Browser) { do(t, b, session.Renew) },
		"Login":   func(t *testing.T, _ store.Store, b *trial.Browser) { do(t, b, signIn("7")) },
		"Login 8": func(t *testing.T, _ store.Store, b *trial.Browser) { do(t, b, signIn("8")) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := atTheDoor(s, plainHTTP())
				b.Post(t, "/login", "")
				late := b.Fork()
				end(t, s, b)
				get := late.Get(t, "/page?x=1")
				again := late.Get(t, "/page?x=1")
				post := late.Post(t, "/page", "")
				json := late.Get(t, "/page", trial.Header("Accept", wantsJSON))
				if name == "Logout" || name == "Revoke" {
					away := outcome{303, "/login", "no-store", ""}
					wantSame(t, "GET", outcomeOf(get), away)
					wantSame(t, "GET again", outcomeOf(again), away)
					wantSame(t, "POST", outcomeOf(post), away)
					wantSame(t, "JSON", outcomeOf(json), outcome{401, "", "no-store", ""})
					return
				}
				conflict := outcome{409, "", "no-store", ""}
				wantSame(t, "GET", outcomeOf(get), outcome{303, "/page?x=1", "no-store", "session-retry"})
				wantSame(t, "GET again, still with the old cookie", outcomeOf(again), conflict)
				wantSame(t, "POST", outcomeOf(post), conflict)
				wantSame(t, "JSON", outcomeOf(json), conflict)

				// With the cookie that the browser has by now, the second try succeeds.
				late = b.Fork()
				late.SetCookie("session-retry", "1")
				if w := late.Get(t, "/page?x=1"); !strings.HasPrefix(body(t, w), "hello ") {
					t.Errorf("the second try, with the new cookie: %s", w.Body)
				}
			})
		})
	}
}

// TestP12_TheRetryCookieIsSentWhereTheSessionsIs, or a page in a frame of another
// site would be sent to itself for ever.
func TestP12_TheRetryCookieIsSentWhereTheSessionsIs(t *testing.T) {
	for name, cookie := range map[string]session.Cookie{
		"default":        {},
		"with a path":    {Path: "/app"},
		"of a domain":    {Domain: "example.com"},
		"of other sites": {SameSite: http.SameSiteNoneMode},
		"strict":         {SameSite: http.SameSiteStrictMode},
		"partitioned":    {SameSite: http.SameSiteNoneMode, Partitioned: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := plainHTTP()
			o.Insecure, o.Cookie = false, cookie
			b := atTheDoor(trial.Memory(t), o)
			ours := b.Post(t, "/login", "").Result().Cookies()[0]
			late := b.Fork()
			do(t, b, session.Renew)
			cookies := late.Get(t, "/app/page").Result().Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%d cookies, want 1 that remembers the try", len(cookies))
			}
			retry := cookies[0]
			wantSame(t, "name", retry.Name, ours.Name+"-retry")
			wantSame(t, "path", retry.Path, ours.Path)
			wantSame(t, "domain", retry.Domain, ours.Domain)
			wantSame(t, "secure", retry.Secure, ours.Secure)
			wantSame(t, "HttpOnly", retry.HttpOnly, true)
			if ours.SameSite == http.SameSiteNoneMode { // a stricter one is not sent in frames
				wantSame(t, "SameSite", retry.SameSite, ours.SameSite)
			}
			wantSame(t, "partitioned: kept in the same frames", retry.Partitioned, ours.Partitioned)
			wantSame(t, "lives for seconds", retry.MaxAge > 0 && retry.MaxAge <= 60, true)
		})
	}
}

// TestP12_RequireUserInAnOutage sends nobody to a login page that can't work.
func TestP12_RequireUserInAnOutage(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		o := plainHTTP()
		o.Outage = session.ReadOnly
		f := newFaulty(s)
		b := atTheDoor(f, o)
		b.Post(t, "/login", "")
		f.all(lostRequest)
		for _, accept := range []string{wantsHTML, wantsJSON} {
			w := b.Get(t, "/page", trial.Header("Accept", accept))
			wantSame(t, "the answer", outcomeOf(w), outcome{503, "", "no-store", ""})
			wantSame(t, "is there a Retry-After", w.Header().Get("Retry-After") != "", true)
		}
		f.mend()
		wantSame(t, "the page, when the store is back", body(t, b.Get(t, "/page")), "hello 7")
	})
}

func TestP12_RequireUserRefusesWhatCantWork(t *testing.T) {
	for _, page := range []string{"", "login", "//evil.example/login", `/\evil.example`, "https://evil.example/", "javascript:alert(1)"} {
		mustPanic(t, func() { session.RequireUser(page) })
	}
	mustPanic(t, func() { session.RequireRecent(0, "/login") })
	mustPanic(t, func() { session.RequireRecent(-1, "/login") })
	mustPanic(t, func() {
		session.RequireUser("/login")(obliging).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	})
}
