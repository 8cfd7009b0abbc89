package fromgorilla_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosatchel/satchel/session/fromgorilla"
)

// TestNew_ASessionIsTakenOverOnce, whatever value its cookie has, where it has an ID.
func TestNew_ASessionIsTakenOverOnce(t *testing.T) {
	old := sessions.NewFilesystemStore(t.TempDir(), key)
	a := newApp(t, fromgorilla.New(old, "shop", userOf))
	first := visited(t, old, filled())
	again := resigned(t, old, first)
	ours := a.get("/add", first).Result().Cookies()[0]
	if got := a.get("/", again).Result().Cookies()[0]; got.Value != ours.Value {
		t.Error("another value of the cookie led to another session")
	}
	a.get("/logout", ours)
	for _, c := range []*http.Cookie{first, again} {
		if got := a.get("/", c).Body.String(); strings.Contains(got, "7") {
			t.Errorf("after the logout an old cookie reads %q", got)
		}
	}
}

func (useless) New(*http.Request, string) (*sessions.Session, error) { return nil, errors.New("no") }

// Options with a short MaxAge don't make gorilla forget its cookies as soon. Whoever keeps
// one is not signed in again by it.
func TestP2_ALogoutOutlivesTheOptionsMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := sessions.NewCookieStore(key)
		old.Options = &sessions.Options{Path: "/", MaxAge: 24 * 60 * 60}
		a := newApp(t, fromgorilla.New(old, "shop", userOf))
		c := visited(t, old, filled())
		a.get("/logout", c)
		for range 4 {
			time.Sleep(7 * 24 * time.Hour) // in a bubble
			if got := a.get("/", c).Body.String(); strings.Contains(got, "7") {
				t.Fatalf("it reads %q again", got)
			}
		}
	})
}

// numbered is a store that numbers its sessions, as some in databases do, and gives the
// number of one that was deleted to the next.
type numbered struct{ *sessions.CookieStore }

func (n numbered) New(r *http.Request, name string) (*sessions.Session, error) {
	s, err := n.CookieStore.New(r, name)
	s.ID = "42"
	return s, err
}

func TestNew_ANumberIsNoID(t *testing.T) {
	old := numbered{sessions.NewCookieStore(key)}
	a := newApp(t, fromgorilla.New(old, "shop", userOf))
	ann, bob := visited(t, old, filled()), visited(t, old, map[any]any{"user": "8"})
	a.wantPage(t, "7 [lime]", ann)
	a.wantPage(t, "8 []", bob)
	a.get("/logout", ann)
	a.wantPage(t, "8 []", bob)
}

// Package securecookie reads several spellings of a cookie. A logout renounces them all.
func TestP2_ACookieHasOneSpelling(t *testing.T) {
	old := sessions.NewCookieStore(key)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for padding := 0; ; padding++ { // until the last character has bits to spare
		c := visited(t, old, map[any]any{"user": "7", "padding": strings.Repeat("x", padding)})
		last := strings.IndexByte(c.Value, '=') - 1
		if last < 0 {
			continue
		}
		twin := *c
		other := alphabet[strings.IndexByte(alphabet, c.Value[last])^1]
		twin.Value = c.Value[:last] + string(other) + c.Value[last+1:]
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&twin)
		if s, err := old.New(r, "shop"); err != nil || s.IsNew {
			t.Fatalf("gorilla itself does not take the other spelling: %v", err)
		}
		a := newApp(t, fromgorilla.New(old, "shop", userOf))
		a.wantPage(t, "7 []", c)
		a.get("/logout", c)
		if got := a.get("/", &twin).Body.String(); strings.Contains(got, "7") {
			t.Errorf("after the logout, another spelling of the cookie reads %q", got)
		}
		return
	}
}
