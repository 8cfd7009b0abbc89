package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/gosatchel/satchel/examples/internal/check"
	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// shown is what GET / returns as JSON.
func shown(t *testing.T, b *trial.Browser) string {
	t.Helper()
	w := b.Get(t, "/", check.JSON)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("GET / got %d, %s", w.Code, w.Header().Get("Content-Type"))
	}
	return strings.TrimSpace(w.Body.String())
}

func post(t *testing.T, b *trial.Browser, path, form string) {
	t.Helper()
	if w := b.Post(t, path, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("POST %s %s got %d to %q, want 303 to /", path, form, w.Code, w.Header().Get("Location"))
	}
}

func TestShop_EveryRoute(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := trial.NewBrowser(newShop(s))
		if got := shown(t, b); got != `{"user":"","cart":[],"messages":[]}` {
			t.Errorf("at first: %s", got)
		}
		if len(b.Cookies()) != 0 {
			t.Error("looking around set a cookie")
		}
		for _, step := range []struct{ path, form, want string }{
			{"/cart", "item=carrot&qty=4", `{"user":"","cart":[{"item":"carrot","qty":4}],"messages":[{"level":"success","text":"Added to your cart: 4 × carrot."}]}`},
			{"/cart", "item=lime", `{"user":"","cart":[{"item":"carrot","qty":4},{"item":"lime","qty":1}],"messages":[{"level":"success","text":"Added to your cart: 1 × lime."}]}`},
			{"/cart", "item=carrot&qty=99", `{"user":"","cart":[{"item":"carrot","qty":103},{"item":"lime","qty":1}],"messages":[{"level":"success","text":"Added to your cart: 99 × carrot."}]}`},
			{"/cart/qty", "item=carrot&qty=2", `{"user":"","cart":[{"item":"carrot","qty":2},{"item":"lime","qty":1}],"messages":[{"level":"info","text":"In your cart now: 2 × carrot."}]}`},
			{"/cart/qty", "item=carrot", `{"user":"","cart":[{"item":"carrot","qty":1},{"item":"lime","qty":1}],"messages":[{"level":"info","text":"In your cart now: 1 × carrot."}]}`},
			{"/login", "user=alice&password=wonderland", `{"user":"alice","cart":[{"item":"carrot","qty":1},{"item":"lime","qty":1}],"messages":[{"level":"success","text":"Hello alice, you are signed in."}]}`},
			{"/cart/qty", "item=carrot&qty=0", `{"user":"alice","cart":[{"item":"lime","qty":1}],"messages":[{"level":"info","text":"In your cart now: 0 × carrot."}]}`},
			{"/cart/remove", "item=taser", `{"user":"alice","cart":[{"item":"lime","qty":1}],"messages":[{"level":"info","text":"No taser in your cart any more."}]}`},
			{"/cart/remove", "item=lime", `{"user":"alice","cart":[],"messages":[{"level":"info","text":"No lime in your cart any more."}]}`},
			{"/cart", "item=lemon", `{"user":"alice","cart":[{"item":"lemon","qty":1}],"messages":[{"level":"success","text":"Added to your cart: 1 × lemon."}]}`},
			{"/logout", "", `{"user":"","cart":[],"messages":[{"level":"info","text":"You are signed out, and your cart is empty."}]}`},
		} {
			post(t, b, step.path, step.form)
			if got := shown(t, b); got != step.want {
				t.Errorf("after POST %s %s:\n got %s\nwant %s", step.path, step.form, got, step.want)
			}
		}
	})
}

func TestShop_AFormThatCannotBeUsedChangesNothing(t *testing.T) {
	const item, qty, set = "We don't sell that.", "A quantity is a whole number from 1 to 99.", "A quantity is a whole number from 0 to 99."
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := trial.NewBrowser(newShop(s))
		post(t, b, "/cart", "item=lime&qty=7")
		shown(t, b)
		for _, c := range []struct {
			path, form string
			status     int
			text       string
		}{
			{"/cart", "", 400, item},
			{"/cart", "item=", 400, item},
			{"/cart", "item=Lime", 400, item},
			{"/cart", "item=<script>alert(1)</script>", 400, item},
			{"/cart?item=lime", "", 400, item},
			{"/cart", "item=lime&qty=", 400, qty},
			{"/cart", "item=lime&qty=0", 400, qty},
			{"/cart", "item=lime&qty=100", 400, qty},
			{"/cart", "item=lime&qty=-1", 400, qty},
			{"/cart", "item=lime&qty=1.5", 400, qty},
			{"/cart", "item=lime&qty=many", 400, qty},
			{"/cart", "item=lime&qty=99999999999999999999", 400, qty},
			{"/cart", "item=lime&qty=%zz", 400, "That form can't be read."},
			{"/cart/qty", "qty=1", 400, item},
			{"/cart/qty", "item=lime&qty=-1", 400, set},
			{"/cart/qty", "item=lime&qty=100", 400, set},
			{"/cart/qty", "item=lime&qty=", 400, set},
			{"/cart/remove", "", 400, item},
			{"/cart/remove", "item=melon", 400, item},
			{"/login", "user=alice", 400, "Signing in takes a user name and a password."},
			{"/login", "password=wonderland", 400, "Signing in takes a user name and a password."},
			{"/login", "user=alice&password=builder", 401, "Unknown user name, or wrong password."},
			{"/login", "user=mallory&password=builder", 401, "Unknown user name, or wrong password."},
			{"/login", "user=%zz&password=builder", 400, "That form can't be read."},
		} {
			w := b.Post(t, c.path, c.form, check.JSON)
			want, _ := json.Marshal(map[string]string{"error": c.text})
			if w.Code != c.status || !bytes.Equal(bytes.TrimSpace(w.Body.Bytes()), want) {
				t.Errorf("POST %s %s as JSON got %d %s, want %d %s", c.path, c.form, w.Code, w.Body, c.status, want)
			}
			post(t, b, c.path, c.form)
			text, _ := json.Marshal(c.text)
			state := `{"user":"","cart":[{"item":"lime","qty":7}],"messages":[{"level":"error","text":` + string(text) + `}]}`
			if got := shown(t, b); got != state {
				t.Errorf("after POST %s %s:\n got %s\nwant %s", c.path, c.form, got, state)
			}
		}
	})
}

func TestShop_Page(t *testing.T) {
	h := newShop(trial.Memory(t))
	b := trial.NewBrowser(h)
	post(t, b, "/cart", "item=lime&qty=3")
	post(t, b, "/cart", "item=lime&qty=none")
	w := b.Get(t, "/")
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
		`<p class="message success" role="status">Added to your cart: 3 × lime.</p>`,
		`<p class="message error" role="alert">A quantity is a whole number from 1 to 99.</p>`,
		`<title>Corner shop · Satchel</title>`, `$129.00`, `$1.20`, `data-count="3"`, "<noscript>",
		"<code>wonderland</code>", "<code>builder</code>", "kept in memory: a restart",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	check.Static(t, h, page, "text/css", "/static/style.css")
	check.Static(t, h, page, "text/javascript", "/static/fifty.js")
	check.Static(t, h, page, "text/javascript", "/static/cart.js")
	check.Static(t, h, page, "image/svg+xml", "/static/taser.svg")

	post(t, b, "/login", "user=bob&password=builder")
	page = b.Get(t, "/").Body.String()
	if !strings.Contains(page, "what is in your cart goes with it") || strings.Contains(page, `action="/login"`) {
		t.Error("the page of bob does not warn of signing out, or offers to sign in")
	}
	redis := trial.NewBrowser(newShop(trial.Redis(t))).Get(t, "/").Body.String()
	if !strings.Contains(redis, "kept in Redis") {
		t.Error("the page does not say that sessions are kept in Redis")
	}
}

func TestShop_HostileTextComesBackEscapedOrNotAtAll(t *testing.T) {
	b := trial.NewBrowser(newShop(trial.Memory(t)))
	const hostile = `"><script>alert(1)</script>`
	post(t, b, "/cart", "item="+url.QueryEscape(hostile))
	post(t, b, "/cart", "item=lime&qty="+url.QueryEscape(hostile))
	post(t, b, "/login", "user="+url.QueryEscape(hostile)+"&password="+url.QueryEscape(hostile))
	if page := b.Get(t, "/").Body.String(); strings.Contains(page, "<script>alert") {
		t.Errorf("the page carries the script:\n%s", page)
	}
}

func TestShop_NeverSendsAPasswordBack(t *testing.T) {
	b := trial.NewBrowser(newShop(trial.Memory(t)))
	const secret = "correct-horse-battery"
	for _, form := range []string{"user=alice&password=" + secret, "password=" + secret, "user=" + url.QueryEscape("a;b") + "&password=" + secret} {
		for _, edit := range []func(*http.Request){check.JSON, trial.Header("Accept", "text/html")} {
			w := b.Post(t, "/login", form, edit)
			for _, text := range []string{w.Body.String(), fmt.Sprint(w.Header()), b.Get(t, "/").Body.String(), shown(t, b)} {
				if strings.Contains(text, secret) {
					t.Errorf("after %s the password came back:\n%s", form, text)
				}
			}
		}
	}
}

func TestShop_SigningInChangesTheID(t *testing.T) {
	b := trial.NewBrowser(newShop(trial.Memory(t)))
	post(t, b, "/cart", "item=lime")
	before := b.Cookies()["cart"]
	post(t, b, "/login", "user=alice&password=wonderland")
	if after := b.Cookies()["cart"]; before == "" || after == "" || after == before {
		t.Errorf("the id was %q and is %q", before, after)
	}
}

func TestShop_50AtOnceAllArrive(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		server := httptest.NewServer(newShop(s))
		defer server.Close()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		add := func(item string) {
			response, err := client.PostForm(server.URL+"/cart", url.Values{"item": {item}})
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			if response.StatusCode != http.StatusSeeOther {
				t.Errorf("adding a %s got %d", item, response.StatusCode)
			}
		}
		add("lemon") // so that there is a session
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { add("lime") })
		}
		all.Wait()
		request, err := http.NewRequest(http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		check.JSON(request)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if want := `"cart":[{"item":"lemon","qty":1},{"item":"lime","qty":50}]`; !strings.Contains(string(body), want) {
			t.Errorf("got %s, want %s", body, want)
		}
	})
}

func TestShop_ARestartWithTheSameRedisFindsTheCart(t *testing.T) {
	redis, prefix := redistest.Shared(t), redistest.Prefix(t)
	before := trial.NewBrowser(newShop(trial.OpenRedis(t, redis.URL(), prefix)))
	post(t, before, "/cart", "item=carrot&qty=4")
	post(t, before, "/login", "user=alice&password=wonderland")
	shown(t, before)

	after := trial.NewBrowser(newShop(trial.OpenRedis(t, redis.URL(), prefix)))
	after.SetCookie("cart", before.Cookies()["cart"])
	if got := shown(t, after); got != `{"user":"alice","cart":[{"item":"carrot","qty":4}],"messages":[]}` {
		t.Errorf("after the restart: %s", got)
	}
}

func TestShop_Statuses(t *testing.T) {
	check.Statuses(t, newShop(trial.Memory(t)), map[string]int{
		"GET /nothing":                  http.StatusNotFound,
		"POST /nothing":                 http.StatusNotFound,
		"GET /static/":                  http.StatusNotFound,
		"GET /static/nothing":           http.StatusNotFound,
		"GET /static/..%2fpage.html":    http.StatusBadRequest,
		"HEAD /":                        http.StatusOK,
		"POST /":                        http.StatusMethodNotAllowed,
		"GET /cart":                     http.StatusMethodNotAllowed,
		"GET /cart/qty":                 http.StatusMethodNotAllowed,
		"GET /cart/remove":              http.StatusMethodNotAllowed,
		"GET /login":                    http.StatusMethodNotAllowed,
		"GET /logout":                   http.StatusMethodNotAllowed,
		"DELETE /cart":                  http.StatusMethodNotAllowed,
		"POST /static/style.css":        http.StatusMethodNotAllowed,
		"GET /static/style.css?anybody": http.StatusOK,
	})
}

func TestShop_RefusesOtherOrigins(t *testing.T) {
	check.CrossOrigin(t, newShop(trial.Memory(t)), "/cart", "/cart/qty", "/cart/remove", "/login", "/logout")
}

func TestShop_BodyLimit(t *testing.T) {
	check.BodyLimit(t, newShop(trial.Memory(t)), "/cart", "item=lime")
	check.BodyLimit(t, newShop(trial.Memory(t)), "/logout", "")
}

// TestUsers_AllTakeTheSame compares costs instead of times, which are the same
// where these are.
func TestUsers_AllTakeTheSame(t *testing.T) {
	for _, hash := range []string{users["alice"], users["bob"], nobody} {
		if cost, err := bcrypt.Cost([]byte(hash)); err != nil || cost != bcrypt.DefaultCost {
			t.Errorf("a hash has cost %d (%v), want %d", cost, err, bcrypt.DefaultCost)
		}
	}
	if authentic("", "nobody's password") || authentic("mallory", "nobody's password") {
		t.Error("an unknown user can sign in")
	}
}
