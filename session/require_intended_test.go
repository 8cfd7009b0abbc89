package session_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// bypasses are what has led browsers to another site from apps that thought it
// was a path (OWASP Unvalidated Redirects, PortSwigger's lists of open redirects).
var bypasses = []string{
	"https://evil.example/", "http://evil.example", "HTTPS://evil.example", "https:evil.example", "http:/evil.example", "https:///evil.example",
	"//evil.example", "//evil.example/%2e%2e", "///evil.example", "////evil.example", "//evil%E3%80%82example",
	`/\evil.example`, `/\/evil.example`, `\/evil.example`, `\\evil.example`, `\/\/evil.example`, `/\\evil.example`, `\evil.example`, `/a\..\\evil.example`,
	"/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "\n//evil.example", "\x00//evil.example", "/\x00/evil.example", "/ /evil.example",
	"/\x0b/evil.example", "/\x7f/evil.example", "/ok\r\nSet-Cookie: session=evil", "/ok\r\n\r\n<script>",
	"javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "mailto:a@evil.example", "file:///etc/passwd",
	"evil.example", ".evil.example", "@evil.example", "user:pass@evil.example", "//user:pass@evil.example", "//user@shop.example:80@evil.example/", "//shop.example@evil.example", ":80/", ";//evil.example", "?//evil.example", "#//evil.example",
	"\u2215\u2215evil.example", "\uff0f\uff0fevil.example", "\u3002evil.example", "\u00a0//evil.example", "\ufeff//evil.example", "\xc0\xaf\xc0\xafevil.example",
	"/%zz", "%2f%2fevil.example", "..//evil.example", "./evil.example", "",
}

// local are paths of this site that look like a bypass and are none, since
// browsers take them as they are.
var local = []string{
	"/", "/cart", "/cart?item=lime&qty=2", "/a//b", "/%2f%2fevil.example", "/%09/evil.example", "/%5cevil.example", "/%0d%0aSet-Cookie:x",
	"/@evil.example", "/user:pass@evil.example", "/https://evil.example", "/search?next=https://evil.example/", "/search?next=//evil.example", "/..%2f..%2f", "/;//evil.example", "/:80", "/javascript:alert(1)", "/a?b#c",
	"/\u00fcber", "/\uff0f\uff0fevil.example",
}

// planted is the key under which the library keeps where somebody was going.
var planted = session.NewKey[string]("satchel:intended")

// elsewhere says where a browser on https://shop.example/login goes that is told
// Location, if that is another site. It reads it as WHATWG URL says, in so far as
// that is kinder than url.Parse.
func elsewhere(location string) string {
	kind := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimFunc(location, func(c rune) bool { return c <= ' ' }))
	if strings.HasPrefix(kind, "//") {
		return "the host of " + kind
	}
	base, _ := url.Parse("https://shop.example/login")
	u, err := base.Parse(kind)
	if err != nil || u.Scheme != "https" || u.Host != "shop.example" {
		return fmt.Sprint(u, err)
	}
	return ""
}

// TestP12_IntendedIsNoOpenRedirect, whatever is in the store.
func TestP12_IntendedIsNoOpenRedirect(t *testing.T) {
	visitTo := func(t *testing.T, target string) string {
		b := browse(trial.Memory(t), plainHTTP(), members(session.RequireUser("/login")))
		do(t, b, func(ctx context.Context) {
			planted.Set(ctx, fmt.Sprint(time.Now().Add(time.Minute).Unix(), " ", target))
		})
		return b.Post(t, "/login", "").Header().Get("Location")
	}
	for _, target := range append(bypasses, "/"+strings.Repeat("\\", 10_000), strings.Repeat("/", 100_000)+"evil.example") {
		if got := visitTo(t, target); got != "/home" {
			t.Errorf("planted %.80q: the sign-in leads to %.80q, want the fallback", target, got)
		}
	}
	b := browse(trial.Memory(t), plainHTTP(), members(session.RequireUser("/login")))
	do(t, b, func(ctx context.Context) { planted.Set(ctx, fmt.Sprint(time.Now().Add(-time.Minute).Unix(), " /cart")) })
	if got := b.Post(t, "/login", "").Header().Get("Location"); got != "/home" {
		t.Errorf("what was wanted long ago is still where the sign-in leads: %q", got)
	}
	for _, target := range local {
		got := visitTo(t, target)
		if got == "/home" {
			t.Errorf("planted %q, which is a path of this site: the sign-in does not lead there", target)
		}
		if where := elsewhere(got); where != "" {
			t.Errorf("planted %q: the sign-in leads to %s", target, where)
		}
	}
	for _, target := range bypasses { // of the test itself: what it would let pass
		if target != "" && strings.Contains(target, "//evil") && strings.HasPrefix(target, "/") && elsewhere(target) == "" {
			t.Errorf("the test takes %q for a path of this site", target)
		}
	}
}

// TestP12_RequestTargetsAreNoOpenRedirect: who makes a visitor follow a link to
// us decides on the request target. They are sent as they are, over TCP.
func TestP12_RequestTargetsAreNoOpenRedirect(t *testing.T) {
	guard := session.RequireUser("/login")
	site := guard(http.NotFoundHandler()) // without a ServeMux, which would clean the path
	m := session.New(trial.Memory(t), plainHTTP())
	server := httptest.NewServer(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			session.Login(r.Context(), "7")
			http.Redirect(w, r, session.Intended(r.Context(), "/home"), http.StatusSeeOther)
			return
		}
		site.ServeHTTP(w, r)
	})))
	defer server.Close()
	send := func(target, cookie string) *http.Response {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if cookie != "" {
			cookie = "Cookie: session=" + cookie + "\r\n"
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: shop.example\r\n%sConnection: close\r\n\r\n", target, cookie)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return &http.Response{StatusCode: 400}
		}
		res.Body.Close()
		return res
	}
	targets := append(append([]string{"http://shop.example//evil.example", "http://evil.example/x", "/../..//evil.example", "/.//evil.example"}, bypasses...), local...)
	sent := 0
	for _, target := range targets {
		if target == "" || strings.ContainsAny(target, "\r\n") {
			continue // that would be another request
		}
		res := send(target, "")
		if res.StatusCode == http.StatusBadRequest {
			continue // net/http refuses it
		}
		sent++
		token := ""
		for _, c := range res.Cookies() {
			token = c.Value
		}
		if where := elsewhere(res.Header.Get("Location")); where != "" {
			t.Errorf("GET %q redirects to %s", target, where)
		}
		location := send("/login", token).Header.Get("Location")
		if where := elsewhere(location); where != "" {
			t.Errorf("GET %q: the sign-in leads to %s", target, where)
		}
	}
	if sent < 30 {
		t.Errorf("only %d of the targets got through; the test is for nothing", sent)
	}
}

// TestP12_RetriesAreNoOpenRedirect: the second try goes to the request's own target.
func TestP12_RetriesAreNoOpenRedirect(t *testing.T) {
	b := browse(trial.Memory(t), plainHTTP(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			obliging(w, r)
			return
		}
		session.RequireUser("/login")(http.NotFoundHandler()).ServeHTTP(w, r)
	}))
	visitOK(t, b, signIn("7"))
	late := b.Fork()
	visitOK(t, b, session.Renew)
	for _, path := range []string{"//evil.example", "///evil.example/", `/\evil.example`, "//evil.example//"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path}
		r.RequestURI = r.URL.RequestURI()
		w := late.Fork().Do(t, r)
		if where := elsewhere(w.Header().Get("Location")); w.Code == http.StatusSeeOther && where != "" {
			t.Errorf("GET %q is tried again at %s", path, where)
		}
	}
}

// TestP12_IntendedIsKeptAndForgotten: over whatever happens until the sign-in, and
// not longer than until it was used.
func TestP12_IntendedIsKeptAndForgotten(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := atTheDoor(s, plainHTTP())
		b.Get(t, "/first")
		b.Get(t, "/second?a=%20b")
		b.Get(t, "/login")
		do(t, b, addPoint)
		do(t, b, session.Renew)
		wantSame(t, "the sign-in leads", b.Post(t, "/login", "").Header().Get("Location"), "/second?a=%20b")
		wantSame(t, "the next one leads", b.Post(t, "/login", "").Header().Get("Location"), "/home")

		b = atTheDoor(s, plainHTTP())
		b.Get(t, "/page?"+strings.Repeat("x", 1900))
		wantSame(t, "length of a long one", len(b.Post(t, "/login", "").Header().Get("Location")), 1906)
		b = atTheDoor(s, plainHTTP())
		b.Get(t, "/page?"+strings.Repeat("x", 5000))
		wantSame(t, "what is too long to keep", b.Post(t, "/login", "").Header().Get("Location"), "/home")

		b = atTheDoor(s, plainHTTP())
		b.Get(t, "/page")
		do(t, b, func(ctx context.Context) {
			wantSame(t, "Intended", session.Intended(ctx, "/home"), "/page")
			wantSame(t, "Intended once more", session.Intended(ctx, "/home"), "/home")
		})
	})
}

// TestP12_IntendedIsWhatTheBrowserAskedFor, also where a part of the path was
// taken off on the way to the guard.
func TestP12_IntendedIsWhatTheBrowserAskedFor(t *testing.T) {
	guarded := http.StripPrefix("/admin", session.RequireUser("/login")(http.NotFoundHandler()))
	mux := http.NewServeMux()
	mux.Handle("/", members(session.RequireUser("/login")))
	mux.Handle("/admin/", guarded)
	b := browse(trial.Memory(t), plainHTTP(), mux)
	b.Get(t, "/admin/users?page=2")
	wantSame(t, "the sign-in leads", b.Post(t, "/login", "").Header().Get("Location"), "/admin/users?page=2")

	late := b.Fork()
	do(t, b, session.Renew)
	wantSame(t, "the second try goes", late.Get(t, "/admin/users?page=2").Header().Get("Location"), "/admin/users?page=2")
}

// TestP12_IntendedIsAPage: what a page fetches along the way is not where anybody
// was going.
func TestP12_IntendedIsAPage(t *testing.T) {
	b := browse(trial.Memory(t), plainHTTP(), members(session.RequireUser("/login")))
	b.Get(t, "/secret?page", trial.Header("Sec-Fetch-Mode", "navigate"))
	for _, mode := range []string{"no-cors", "cors", "same-origin", "websocket"} {
		b.Get(t, "/secret?part", trial.Header("Sec-Fetch-Mode", mode))
	}
	if got := b.Post(t, "/login", "").Header().Get("Location"); got != "/secret?page" {
		t.Errorf("the sign-in leads to %q, want the page", got)
	}
}
