package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/examples/internal/check"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// What the browsers of these tests call themselves.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)

// visitor returns a browser that has just signed user in; form may add to that.
func visitor(t *testing.T, h http.Handler, user, userAgent string, form ...string) *trial.Browser {
	t.Helper()
	b := trial.NewBrowser(h)
	if w := b.Post(t, "/login", credentials[user]+strings.Join(form, ""), trial.Header("User-Agent", userAgent)); w.Code != http.StatusSeeOther {
		t.Fatalf("signing %s in got %d", user, w.Code)
	}
	return b
}

var credentials = map[string]string{"alice": "user=alice&password=wonderland", "bob": "user=bob&password=builder"}

// devices returns the sessions on b's account page.
func devices(t *testing.T, b *trial.Browser) []listed {
	t.Helper()
	var page accountPage
	if err := json.Unmarshal([]byte(shown(t, b, "/account")), &page); err != nil {
		t.Fatal(err)
	}
	return page.Sessions
}

// refOf returns the ref of b's own session.
func refOf(t *testing.T, b *trial.Browser) string {
	t.Helper()
	for _, d := range devices(t, b) {
		if d.Current {
			return d.Ref
		}
	}
	t.Fatal("no session is the current one")
	return ""
}

// wantSignedIn checks whose each browser's session is, "" for nobody's.
func wantSignedIn(t *testing.T, user string, browsers ...*trial.Browser) {
	t.Helper()
	for i, b := range browsers {
		var page common
		if err := json.Unmarshal([]byte(shown(t, b, "/")), &page); err != nil || page.User != user {
			t.Errorf("browser %d: signed in is %q (%v), want %q", i, page.User, err, user)
		}
	}
}

// wantSentAway checks that a request, as in "GET /account", was redirected to the
// login page, which says why.
func wantSentAway(t *testing.T, b *trial.Browser, request, why string) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	w := b.Get(t, path)
	if method == http.MethodPost {
		w = b.Post(t, path, "ref=x")
	}
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login" {
		t.Errorf("%s got %d to %q, want 303 to /login", request, w.Code, w.Header().Get("Location"))
	}
	if c := w.Header().Get("Cache-Control"); !strings.Contains(c, "no-store") {
		t.Errorf("%s: Cache-Control is %q", request, c)
	}
	if page := shown(t, b, "/login"); !strings.Contains(page, `"text":"`+why+`"`) {
		t.Errorf("%s: the login page lacks %q: %s", request, why, page)
	}
}

// wantUnauthorized checks that a request for JSON was refused for want of a sign-in.
func wantUnauthorized(t *testing.T, b *trial.Browser, request string) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	w := b.Get(t, path, check.JSON)
	if method == http.MethodPost {
		w = b.Post(t, path, "ref=x", check.JSON)
	}
	if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Body.String(), `{"error":"`) {
		t.Errorf("%s as JSON got %d %s, want 401 with an error", request, w.Code, w.Body)
	}
}

func TestAccount_ListsTheDevices(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		h := newApp(s)
		a, b := visitor(t, h, "alice", firefox), visitor(t, h, "alice", safari)
		visitor(t, h, "bob", safari)
		shown(t, a, "/") // takes the greeting

		var page map[string]any
		if err := json.Unmarshal([]byte(shown(t, a, "/account")), &page); err != nil {
			t.Fatal(err)
		}
		sessions, _ := page["sessions"].([]any)
		if messages, _ := page["messages"].([]any); page["user"] != "alice" || messages == nil || len(messages) > 0 || len(sessions) != 2 || len(page) != 3 {
			t.Fatalf("got %v, want alice, her two sessions, and no messages", page)
		}
		current := map[any]bool{}
		for _, each := range sessions {
			fields, _ := each.(map[string]any)
			names := slices.Sorted(maps.Keys(fields))
			if want := []string{"created", "current", "lastSeen", "ref", "userAgent"}; !slices.Equal(names, want) {
				t.Errorf("a session has %v, want %v", names, want)
			}
			current[fields["userAgent"]], _ = fields["current"].(bool)
			for _, name := range []string{"created", "lastSeen"} {
				text, _ := fields[name].(string)
				if at, err := time.Parse(time.RFC3339, text); err != nil || time.Since(at).Abs() > time.Minute {
					t.Errorf("%s is %q, want now as RFC 3339 has it", name, text)
				}
			}
		}
		if want := map[any]bool{firefox: true, safari: false}; !maps.Equal(current, want) {
			t.Errorf("which session is the current one: got %v, want %v", current, want)
		}
		if refOf(t, a) == refOf(t, b) {
			t.Error("two sessions have one ref")
		}
	})
}

func TestAccount_IsAPage(t *testing.T) {
	h := newApp(trial.Memory(t))
	a := visitor(t, h, "alice", firefox)
	page := a.Get(t, "/account").Body.String()
	if strings.Contains(page, "revoke") || !strings.Contains(page, "No other device is signed in.") {
		t.Errorf("one session, and the page offers to end another:\n%s", page)
	}
	visitor(t, h, "alice", safari, "&remember=on")
	visitor(t, h, "alice", `<script>alert(1)</script>`)
	page = a.Get(t, "/account").Body.String()
	for _, want := range []string{
		`<h2>Firefox on Linux <span class="badge">this device</span></h2>`, "Active now",
		`<h2>Safari on iPhone</h2>`, "Stays signed in", `aria-label="Sign out Safari on iPhone"`,
		`<h2>An unknown device</h2>`, `just now</time>`,
		`action="/account/revoke-others"`, `href="/account/codes"`, `action="/logout"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<script") {
		t.Errorf("the page has a script:\n%s", page)
	}
}

func TestAccount_EndsOneSession(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		h := newApp(s)
		a, lost, other := visitor(t, h, "alice", firefox), visitor(t, h, "alice", safari), visitor(t, h, "alice", safari)
		ref := refOf(t, lost)
		post(t, a, "/account/revoke", "ref="+ref, "/account")
		if page := shown(t, a, "/account"); !strings.Contains(page, `{"level":"success","text":"Safari on iPhone is signed out."}`) || strings.Contains(page, ref) {
			t.Errorf("then the page is %s", page)
		}
		wantUnauthorized(t, lost, "GET /account")
		wantSignedIn(t, "", lost)
		wantSignedIn(t, "alice", a, other)
	})
}

func TestAccount_EndsTheOtherSessions(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		h := newApp(s)
		a, bob := visitor(t, h, "alice", firefox), visitor(t, h, "bob", firefox)
		b, c := visitor(t, h, "alice", safari), visitor(t, h, "alice", safari, "&remember=on")
		post(t, a, "/account/revoke-others", "", "/account")
		if page := shown(t, a, "/account"); !strings.Contains(page, `{"level":"success","text":"All other devices are signed out."}`) {
			t.Errorf("then the page is %s", page)
		}
		wantSignedIn(t, "", b, c)
		wantSignedIn(t, "alice", a)
		wantSignedIn(t, "bob", bob)
		if n := len(devices(t, a)); n != 1 {
			t.Errorf("%d sessions are listed, want 1", n)
		}
	})
}

func TestAccount_EndsItsOwnSession(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		a := visitor(t, newApp(s), "alice", firefox)
		thief := a.Fork()
		post(t, a, "/account/revoke", "ref="+refOf(t, a), "/")
		if got := shown(t, a, "/"); got != `{"user":"","messages":[{"level":"info","text":"You are signed out."}]}` {
			t.Errorf("then: %s", got)
		}
		wantSignedIn(t, "", thief)
	})
}

func TestAccount_RefusesWhatEndsNothing(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		h := newApp(s)
		a, bob := visitor(t, h, "alice", firefox), visitor(t, h, "bob", safari)
		ended := visitor(t, h, "alice", safari)
		endedRef := refOf(t, ended)
		post(t, ended, "/logout", "", "/")
		shown(t, a, "/") // takes the greeting
		for _, c := range []struct {
			form   string
			status int
			text   string
		}{
			{"ref=" + refOf(t, bob), 404, notYours},
			{"ref=" + endedRef, 404, notYours},
			{"ref=" + url.QueryEscape(a.Cookies()["login"]), 404, notYours},
			{"ref=nothing", 404, notYours},
			{"ref=", 404, notYours},
			{"", 400, "Which device is to be signed out?"},
			{"ref=%zz", 400, "That form can't be read."},
		} {
			if w := a.Post(t, "/account/revoke", c.form, check.JSON); w.Code != c.status || !strings.HasPrefix(w.Body.String(), `{"error":"`) {
				t.Errorf("%s as JSON: got %d %s, want %d with an error", c.form, w.Code, w.Body, c.status)
			}
			post(t, a, "/account/revoke", c.form, "/account")
			text, _ := json.Marshal(c.text)
			if got, want := shown(t, a, "/"), `{"user":"alice","messages":[{"level":"error","text":`+string(text)+`}]}`; got != want {
				t.Errorf("after %s:\n got %s\nwant %s", c.form, got, want)
			}
		}
		wantSignedIn(t, "bob", bob)
	})
}
