package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/examples/internal/check"
	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// shown is what GET path returns as JSON.
func shown(t *testing.T, b *trial.Browser, path string) string {
	t.Helper()
	w := b.Get(t, path, check.JSON)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("GET %s got %d, %s", path, w.Code, w.Header().Get("Content-Type"))
	}
	return strings.TrimSpace(w.Body.String())
}

// post sends a form and returns the Set-Cookie of the answer, which must lead to
// the page at next.
func post(t *testing.T, b *trial.Browser, path, form, next string) (cookie string) {
	t.Helper()
	w := b.Post(t, path, form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != next {
		t.Fatalf("POST %s %s got %d to %q, want 303 to %s", path, form, w.Code, w.Header().Get("Location"), next)
	}
	return w.Header().Get("Set-Cookie")
}

func TestApp_SigningInAndOut(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := trial.NewBrowser(newApp(s))
		for _, step := range []struct{ path, form, next, page, want string }{
			{page: "/", want: `{"user":"","messages":[]}`},
			{page: "/login", want: `{"user":"","messages":[],"form":{"user":""}}`},
			{"/login", "user=alice&password=builder", "/login", "/login", `{"user":"","messages":[{"level":"error","text":"Unknown user name, or wrong password."}],"form":{"user":"alice"}}`},
			{page: "/login", want: `{"user":"","messages":[],"form":{"user":""}}`},
			{"/login", "user=alice&password=wonderland", "/", "/", `{"user":"alice","messages":[{"level":"success","text":"Hello alice, you are signed in."}]}`},
			{page: "/login", want: `{"user":"alice","messages":[],"form":{"user":""}}`},
			{"/login", "user=bob&password=builder&remember=on", "/", "/", `{"user":"bob","messages":[{"level":"success","text":"Hello bob, you are signed in."}]}`},
			{"/logout", "", "/", "/", `{"user":"","messages":[{"level":"info","text":"You are signed out."}]}`},
			{"/logout", "", "/", "/", `{"user":"","messages":[{"level":"info","text":"You are signed out."}]}`},
		} {
			if step.path != "" {
				post(t, b, step.path, step.form, step.next)
			}
			if got := shown(t, b, step.page); got != step.want {
				t.Errorf("after POST %s %s, GET %s:\n got %s\nwant %s", step.path, step.form, step.page, got, step.want)
			}
		}
	})
}

func TestApp_LooksAroundWithoutACookie(t *testing.T) {
	b := trial.NewBrowser(newApp(trial.Memory(t)))
	for _, path := range []string{"/", "/login"} {
		if c := b.Get(t, path).Header().Get("Set-Cookie"); c != "" {
			t.Errorf("GET %s set a cookie: %s", path, c)
		}
	}
}

func TestApp_RefusesWhatDoesNotSignIn(t *testing.T) {
	const wrong, missing = "Unknown user name, or wrong password.", "Signing in takes a user name and a password."
	for _, c := range []struct {
		form   string
		status int
		text   string
	}{
		{"user=alice&password=builder", 401, wrong},
		{"user=mallory&password=builder", 401, wrong},
		{"user=alice&password=", 401, wrong},
		{"user=&password=", 401, wrong},
		{"user=Alice&password=wonderland", 401, wrong},
		{"user=alice&password=" + strings.Repeat("x", 100), 401, wrong},
		{"user=" + strings.Repeat("x", 1000) + "&password=x", 401, wrong},
		{"", 400, missing},
		{"user=alice", 400, missing},
		{"password=wonderland", 400, missing},
		{"user=alice&password=wonderland&remember=%zz", 400, "That form can't be read."},
	} {
		t.Run(c.form, func(t *testing.T) {
			b := trial.NewBrowser(newApp(trial.Memory(t)))
			w := b.Post(t, "/login", c.form, check.JSON)
			want, _ := json.Marshal(map[string]string{"error": c.text})
			if w.Code != c.status || !bytes.Equal(bytes.TrimSpace(w.Body.Bytes()), want) {
				t.Errorf("as JSON: got %d %s, want %d %s", w.Code, w.Body, c.status, want)
			}
			post(t, b, "/login", c.form, "/login")
			text, _ := json.Marshal(c.text)
			if got := shown(t, b, "/"); got != `{"user":"","messages":[{"level":"error","text":`+string(text)+`}]}` {
				t.Errorf("then: %s", got)
			}
		})
	}
}

func TestApp_EverySignInHasItsID(t *testing.T) {
	b := trial.NewBrowser(newApp(trial.Memory(t)))
	seen := map[string]bool{}
	for _, form := range []string{"user=alice&password=x", "user=alice&password=wonderland", "user=alice&password=wonderland", "user=bob&password=builder"} {
		b.Post(t, "/login", form)
		if id := b.Cookies()["login"]; id == "" || seen[id] {
			t.Errorf("after %s the id is %q, seen before: %t", form, id, seen[id])
		}
		seen[b.Cookies()["login"]] = true
	}
}

func TestApp_KeepMeSignedIn(t *testing.T) {
	for form, lasts := range map[string]bool{
		"user=alice&password=wonderland":              false,
		"user=alice&password=wonderland&remember=off": false,
		"user=alice&password=wonderland&remember=on":  true,
	} {
		cookie := post(t, trial.NewBrowser(newApp(trial.Memory(t))), "/login", form, "/")
		if strings.Contains(cookie, "Max-Age=2592000") != lasts || strings.Contains(cookie, "Max-Age") != lasts {
			t.Errorf("%s: the cookie outlives the browser by 30 days is not %t: %s", form, lasts, cookie)
		}
	}
}

func TestApp_Pages(t *testing.T) {
	h := newApp(trial.Memory(t))
	b := trial.NewBrowser(h)
	const hostile = `"><script>alert(1)</script>`
	post(t, b, "/login", "password=x&user="+url.QueryEscape(hostile), "/login")
	w := b.Get(t, "/login")
	page := w.Body.String()
	for name, want := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": policy,
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{
		`<p class="message error" role="alert">Unknown user name, or wrong password.</p>`,
		`value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`,
		"<title>Sign in · Satchel</title>", "<code>wonderland</code>", "<code>builder</code>", "kept in memory: a restart",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Errorf("the page has a script:\n%s", page)
	}
	check.Static(t, h, page, "text/css", "/static/style.css")

	post(t, b, "/login", "user=alice&password=wonderland", "/")
	page = b.Get(t, "/").Body.String()
	for _, want := range []string{"<h1>Signed in as alice</h1>", `role="status">Hello alice`, `action="/logout"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of alice lacks %s", want)
		}
	}
	if page = trial.NewBrowser(newApp(trial.Redis(t))).Get(t, "/").Body.String(); !strings.Contains(page, "kept in Redis") {
		t.Error("the page does not say that sessions are kept in Redis")
	}
}

func TestApp_NeverSendsAPasswordBack(t *testing.T) {
	b := trial.NewBrowser(newApp(trial.Memory(t)))
	const secret = "correct-horse-battery"
	for _, form := range []string{"user=alice&password=" + secret, "password=" + secret, "user=%zz&password=" + secret} {
		for _, edit := range []func(*http.Request){check.JSON, trial.Header("Accept", "text/html")} {
			w := b.Post(t, "/login", form, edit)
			texts := []string{w.Body.String(), fmt.Sprint(w.Header()), b.Get(t, "/login").Body.String()}
			b.Post(t, "/login", form, edit)
			for _, text := range append(texts, shown(t, b, "/login"), shown(t, b, "/")) {
				if strings.Contains(text, secret) {
					t.Errorf("after %s the password came back:\n%s", form, text)
				}
			}
		}
	}
}

func TestApp_ARestartWithTheSameRedisSignsNobodyOut(t *testing.T) {
	redis, prefix := redistest.Shared(t), redistest.Prefix(t)
	before := trial.NewBrowser(newApp(trial.OpenRedis(t, redis.URL(), prefix)))
	post(t, before, "/login", "user=alice&password=wonderland", "/")

	after := trial.NewBrowser(newApp(trial.OpenRedis(t, redis.URL(), prefix)))
	after.SetCookie("login", before.Cookies()["login"])
	if got := shown(t, after, "/"); got != `{"user":"alice","messages":[{"level":"success","text":"Hello alice, you are signed in."}]}` {
		t.Errorf("after the restart: %s", got)
	}
}

func TestApp_Statuses(t *testing.T) {
	check.Statuses(t, newApp(trial.Memory(t)), map[string]int{
		"GET /nothing":            http.StatusNotFound,
		"POST /nothing":           http.StatusNotFound,
		"GET /static/":            http.StatusNotFound,
		"GET /static/nothing":     http.StatusNotFound,
		"HEAD /":                  http.StatusOK,
		"HEAD /login":             http.StatusOK,
		"POST /":                  http.StatusMethodNotAllowed,
		"DELETE /login":           http.StatusMethodNotAllowed,
		"GET /logout":             http.StatusMethodNotAllowed,
		"POST /account":           http.StatusMethodNotAllowed,
		"GET /account/revoke":     http.StatusMethodNotAllowed,
		"GET /account/nothing":    http.StatusNotFound,
		"POST /static/style.css":  http.StatusMethodNotAllowed,
		"GET /static/style.css?x": http.StatusOK,
	})
}

func TestApp_RefusesOtherOrigins(t *testing.T) {
	check.CrossOrigin(t, newApp(trial.Memory(t)), "/login", "/logout", "/account/revoke", "/account/revoke-others")
}

func TestApp_BodyLimit(t *testing.T) {
	check.BodyLimit(t, newApp(trial.Memory(t)), "/login", "user=alice&password=wonderland")
	check.BodyLimit(t, newApp(trial.Memory(t)), "/logout", "")
	check.BodyLimit(t, newApp(trial.Memory(t)), "/account/revoke", "ref=x")
}
