package fromgorilla_test

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/fromgorilla"
	"github.com/gosatchel/satchel/store/memstore"
)

// A Cart is what the old app kept, and the new one keeps.
type Cart struct{ Items []string }

type cartKey struct{}

var cart = session.NewKey[Cart]("cart")

func init() {
	gob.Register(Cart{})
	gob.Register(cartKey{})
}

var (
	key   = bytes.Repeat([]byte{7}, 32)
	other = bytes.Repeat([]byte{8}, 32)
)

// visited returns the cookie of a visitor who has been at the old app, which put these
// values into the session.
func visited(t *testing.T, old sessions.Store, values map[any]any, had ...*http.Cookie) *http.Cookie {
	t.Helper()
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	for _, c := range had {
		r.AddCookie(c)
	}
	s, err := old.Get(r, "shop")
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range values {
		s.Values[k] = v
	}
	s.AddFlash("Welcome!")
	if err := s.Save(r, w); err != nil {
		t.Fatal(err)
	}
	return w.Result().Cookies()[0]
}

// filled is what the old app keeps of somebody signed in as 7, with a lime.
func filled() map[any]any { return map[any]any{"user": "7", "cart": Cart{[]string{"lime"}}} }

func userOf(values map[any]any) string {
	user, _ := values["user"].(string)
	return user
}

// An app is the new one.
type app struct {
	http.Handler
	log bytes.Buffer
}

func newApp(t *testing.T, i *session.Importer) *app {
	a := &app{}
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	o := session.Options{Insecure: true, Import: i, Logger: slog.New(slog.NewTextHandler(&a.log, nil))}
	a.Handler = session.New(s, o).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		switch r.URL.Path {
		case "/add":
			cart.Update(ctx, func(c *Cart) { c.Items = append(c.Items, "mint") })
		case "/logout":
			if err := session.Logout(ctx); err != nil {
				session.Error(w, r, err)
			}
			return
		}
		fmt.Fprint(w, session.UserID(ctx), " ", cart.Get(ctx).Items)
	}))
	return a
}

// get returns a response to somebody with these cookies.
func (a *app) get(path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
	for _, c := range cookies {
		r.AddCookie(c)
	}
	a.ServeHTTP(w, r)
	return w
}

func (a *app) wantPage(t *testing.T, want string, cookies ...*http.Cookie) {
	t.Helper()
	if w := a.get("/", cookies...); w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("the page is %d %q, want %q", w.Code, w.Body, want)
	}
}

func TestNew_TakesOver(t *testing.T) {
	for name, old := range map[string]sessions.Store{
		"signed cookies":    sessions.NewCookieStore(key),
		"encrypted cookies": sessions.NewCookieStore(key, other),
		"files":             sessions.NewFilesystemStore(t.TempDir(), key),
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, fromgorilla.New(old, "shop", userOf))
			c := visited(t, old, filled())
			a.wantPage(t, "7 [lime]", c)
			w := a.get("/add", c)
			if got := w.Body.String(); got != "7 [lime mint]" {
				t.Errorf("the page is %q", got)
			}
			ours := w.Result().Cookies()[0]
			a.wantPage(t, "7 [lime mint]", ours)

			out := a.get("/logout", ours, c)
			expired := 0
			for _, x := range out.Result().Cookies() {
				if x.MaxAge < 0 && (x.Name == "shop" || x.Name == "session") {
					expired++
				}
			}
			if expired != 2 {
				t.Errorf("a logout expires %d cookies, want ours and the old one: %q", expired, out.Header()["Set-Cookie"])
			}
			if got := a.get("/", c).Body.String(); strings.Contains(got, "7") {
				t.Errorf("after the logout the old cookie reads %q", got)
			}
		})
	}
}

// resigned returns the cookie of the same session as it is after keys were rotated. A
// later second makes another one too.
func resigned(t *testing.T, old *sessions.FilesystemStore, c *http.Cookie) *http.Cookie {
	t.Helper()
	var id string
	if err := securecookie.DecodeMulti("shop", c.Value, &id, old.Codecs...); err != nil {
		t.Fatal(err)
	}
	old.Codecs = append(securecookie.CodecsFromPairs(other), old.Codecs...)
	value, err := securecookie.EncodeMulti("shop", id, old.Codecs...)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Cookie{Name: "shop", Value: value}
}

func TestNew_WhatGoesOver(t *testing.T) {
	old := sessions.NewFilesystemStore(t.TempDir(), key)
	old.Options.Path, old.Options.Domain = "/shop", "example.com"
	i := fromgorilla.New(old, "shop", func(values map[any]any) string {
		values["cart"] = values[cartKey{}]
		return userOf(values)
	})
	if i.Cookie != "shop" || i.Path != "/shop" || i.Domain != "example.com" {
		t.Errorf("the cookie is %q with path %q and domain %q, want old's", i.Cookie, i.Path, i.Domain)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(visited(t, old, map[any]any{"user": "7", cartKey{}: Cart{[]string{"lime"}}, 8: "eight"}))
	got, err := i.Session(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Values) != 2 || got.ID == "" || got.Deadline.IsZero() {
		t.Errorf("what goes over is %+v, want user and cart alone, an ID and a deadline", got)
	}
	newApp(t, i).wantPage(t, "7 [lime]", r.Cookies()...)
}

// TestNew_NobodysCookie leads to no session, and to no error that an attacker could
// make each request of.
func TestNew_NobodysCookie(t *testing.T) {
	dir := t.TempDir()
	files := sessions.NewFilesystemStore(dir, key)
	gone := visited(t, files, filled())
	for _, name := range glob(t, dir) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]*http.Cookie{
		"forged":       visited(t, sessions.NewFilesystemStore(t.TempDir(), other), filled()),
		"no base64":    {Name: "shop", Value: "?"},
		"base64":       {Name: "shop", Value: "AAAA"},
		"long":         {Name: "shop", Value: strings.Repeat("A", 5000)},
		"file is gone": gone,
	} {
		t.Run(name, func(t *testing.T) {
			for _, old := range []sessions.Store{files, sessions.NewCookieStore(key), sessions.NewCookieStore(other, key, key, nil)} {
				if name == "file is gone" && old != sessions.Store(files) {
					continue
				}
				a := newApp(t, fromgorilla.New(old, "shop", userOf))
				if name == "forged" && old != sessions.Store(files) {
					continue // signed with a key of the third, and not a map
				}
				a.wantPage(t, " []", c)
				if a.log.Len() > 0 {
					t.Errorf("the log says %s", a.log.String())
				}
			}
		})
	}
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "session_*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files of sessions: %v", err)
	}
	return names
}

func TestP7_ADamagedSessionIsAnEmptyOne(t *testing.T) {
	dir := t.TempDir()
	files := sessions.NewFilesystemStore(dir, key)
	c := visited(t, files, filled())
	broken, err := securecookie.EncodeMulti("shop", "no map, and a secret", files.Codecs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range glob(t, dir) {
		if err := os.WriteFile(name, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, x := range map[string]struct {
		old    sessions.Store
		cookie *http.Cookie
	}{
		"file":         {files, c},
		"cookie":       {sessions.NewCookieStore(key), &http.Cookie{Name: "shop", Value: broken}},
		"rotated keys": {sessions.NewCookieStore(other, nil, key, nil), &http.Cookie{Name: "shop", Value: broken}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, fromgorilla.New(x.old, "shop", userOf))
			a.wantPage(t, " []", x.cookie)
			if log := a.log.String(); !strings.Contains(log, "registered with gob") || strings.Contains(log, "secret") {
				t.Errorf("the log says %s", log)
			}
		})
	}
}

func TestP6_TheOldStoreFails(t *testing.T) {
	dir := t.TempDir()
	files := sessions.NewFilesystemStore(dir, key)
	c := visited(t, files, filled())
	name := glob(t, dir)[0]
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil { // reading it fails, and not for want of it
		t.Fatal(err)
	}
	a := newApp(t, fromgorilla.New(files, "shop", userOf))
	if w := a.get("/", c); w.Code != http.StatusServiceUnavailable || len(w.Header()["Set-Cookie"]) > 0 {
		t.Errorf("the response is %d with the cookies %q, want 503 and none", w.Code, w.Header()["Set-Cookie"])
	}
	if strings.Contains(a.log.String(), filepath.Base(name)) {
		t.Errorf("the log has the session's ID: %s", a.log.String())
	}
}

func TestNew_WhatCantWorkPanicsAtStart(t *testing.T) {
	for name, old := range map[string]sessions.Store{"nil": nil, "one that fails": useless{}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, "New needs") {
					t.Errorf("it panics with %q", v)
				}
			}()
			fromgorilla.New(old, "shop", nil)
		})
	}
}

type useless struct{ sessions.Store }

// A file that an old instance is just writing is none that leads to nobody.
func TestP7_AFileThatIsCutOffIsSaidToBe(t *testing.T) {
	dir := t.TempDir()
	files := sessions.NewFilesystemStore(dir, key)
	c := visited(t, files, filled())
	name := glob(t, dir)[0]
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, len(whole) / 2} {
		if err := os.WriteFile(name, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		a := newApp(t, fromgorilla.New(files, "shop", userOf))
		a.wantPage(t, " []", c)
		if log := a.log.String(); !strings.Contains(log, "damaged") || strings.Contains(log, filepath.Base(name)) {
			t.Errorf("with %d bytes of it: the log says %s", n, log)
		}
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		a.wantPage(t, "7 [lime]", c) // with the next request
	}
}
