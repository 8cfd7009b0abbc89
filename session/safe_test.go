package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

func TestP10_IdsAreRandomAndTheStoreNeverSeesThem(t *testing.T) {
	var mu sync.Mutex
	var ids []string
	watched := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, op.ID+string(op.Next.Data))
		return call()
	})
	seen := map[string]bool{}
	for range 200 {
		b := browse(watched, plainHTTP(), notes)
		b.Get(t, "/write")
		b.Get(t, "/read")
		token := b.Cookies()["session"]
		if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != 32 {
			t.Fatalf("a token of %d bytes (%v), want 256 bits", len(raw), err)
		}
		if seen[token] {
			t.Fatal("a token came twice")
		}
		seen[token] = true
	}
	for _, id := range ids {
		for token := range seen {
			if strings.Contains(id, token) {
				t.Fatal("the store saw a token; whoever reads the store could act as the visitor")
			}
		}
	}
}

func TestP10_CookiesOfOneManagerAreNothingToAnother(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		shop := browse(s, plainHTTP(), notes)
		shop.Get(t, "/write")
		other := plainHTTP()
		other.Cookie.Name = "admin"
		admin := browse(s, other, notes)
		admin.SetCookie("admin", shop.Cookies()["session"])
		if got := body(t, admin.Get(t, "/read")); got != `"" false` {
			t.Errorf("the shop's cookie, carried to the admin pages, reads %s", got)
		}
	})
}

// tossed is an app behind a browser that sends all of the cookies given.
func tossed(s store.Store, cookies ...string) (get func(t *testing.T, path string) (int, string, http.Header), operations func() string) {
	watched, operations := counted(s)
	o := plainHTTP()
	app := routes{
		"/read":  notes["/read"],
		"/write": notes["/write"],
		"/err": func(ctx context.Context) string {
			return fmt.Sprint(errors.Is(session.Err(ctx), session.ErrAmbiguous))
		},
	}
	b := browse(watched, o, app)
	return func(t *testing.T, path string) (int, string, http.Header) {
		w := b.Get(t, path, func(r *http.Request) {
			r.Header.Del("Cookie")
			for _, c := range cookies {
				r.Header.Add("Cookie", "session="+c)
			}
		})
		return w.Code, w.Body.String(), w.Header()
	}, operations
}

func TestP10_CookieTossing(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		visitor, attacker := browse(s, plainHTTP(), notes), browse(s, plainHTTP(), notes)
		visitor.Get(t, "/write")
		attacker.Get(t, "/write")
		mine, theirs := visitor.Cookies()["session"], attacker.Cookies()["session"]
		unknown := func(i int) string { return strings.Repeat(string(rune('a'+i)), 42) + "A" }

		t.Run("one live among dead ones is used", func(t *testing.T) {
			get, operations := tossed(s, unknown(0), "malformed", mine, mine)
			if _, got, _ := get(t, "/read"); got != `"written" true` {
				t.Errorf("read %s", got)
			}
			if got := operations(); got != "find find" {
				t.Errorf("it took: %s; want one find for each well-formed one", got)
			}
		})
		t.Run("two live are ambiguous", func(t *testing.T) {
			for _, order := range [][]string{{mine, theirs}, {theirs, mine}} {
				get, _ := tossed(s, order...)
				if _, got, h := get(t, "/read"); got != `"" false` || h.Get("Set-Cookie") != "" {
					t.Errorf("read %s, Set-Cookie %q; want nothing of either session", got, h.Get("Set-Cookie"))
				}
				if _, got, _ := get(t, "/err"); got != "true" {
					t.Error("session.Err is not ErrAmbiguous")
				}
				if status, _, _ := get(t, "/write"); status != http.StatusInternalServerError {
					t.Errorf("a write ends with status %d, want 500", status)
				}
			}
		})
		t.Run("no more than three are looked up", func(t *testing.T) {
			get, operations := tossed(s, unknown(0), unknown(1), unknown(2), mine)
			if _, got, _ := get(t, "/read"); got != `"" false` {
				t.Errorf("read %s", got)
			}
			if got := operations(); got != "find find find" {
				t.Errorf("it took: %s", got)
			}
		})
	})
}

func TestP10_OfSeveralHostCookiesNoneIsBelieved(t *testing.T) {
	watched, operations := counted(trial.Memory(t))
	var log logged
	o := session.Options{}
	b := browse(watched, log.to(o), notes)
	b.Get(t, "/write")
	mine := b.Cookies()["__Host-session"]
	operations()
	w := b.Get(t, "/read", func(r *http.Request) {
		r.Header.Set("Cookie", "__Host-session="+mine+"; __Host-session="+strings.Repeat("A", 43))
	})
	if got := body(t, w); got != `"" false` {
		t.Errorf("read %s; a browser has only one __Host- cookie of a name", got)
	}
	if got := operations(); got != "" {
		t.Errorf("it took: %s", got)
	}
}

func TestP10_ASecureCookieOverPlainHTTPIsLoggedOnceWithTheFix(t *testing.T) {
	var log logged
	b := browse(trial.Memory(t), log.to(session.Options{}), notes)
	for range 3 {
		b.Get(t, "/write", trial.Header("Cookie", ""))
	}
	if got := strings.Count(log.String(), "Options.Insecure"); got != 1 {
		t.Errorf("logged %d times, want once: %s", got, log.String())
	}

	var behindProxy logged
	b = browse(trial.Memory(t), behindProxy.to(session.Options{}), notes)
	b.Get(t, "/write", trial.Header("X-Forwarded-Proto", "https"))
	if got := behindProxy.String(); got != "" {
		t.Errorf("behind a proxy that ends TLS it logs %s", got)
	}
}
