package movingtest_test

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	scsredis "github.com/alexedwards/scs/redisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

// OldCart is the type of the old app, where it was called main.Cart.
type OldCart struct {
	Items []string
	Notes map[string]string
}

// Cart is the type of the new app: it has the fields that it needs.
type Cart struct{ Items []string }

var cart = session.NewKey[Cart]("cart")

func init() { gob.RegisterName("main.Cart", OldCart{}) }

// newPool returns connections to the Redis of the tests.
func newPool(t testing.TB) *redis.Pool {
	addr := redistest.Shared(t).Addr()
	pool := &redis.Pool{
		MaxIdle: 8, MaxActive: 16, Wait: true,
		Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr) },
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

// scsManager is what the old app keeps its sessions with.
func scsManager(t testing.TB, prefix string) *scs.SessionManager {
	m := scs.New()
	m.Store = scsredis.NewWithPrefix(newPool(t), prefix)
	m.Cookie.Name = "shop"
	return m
}

// scsApp is the old app.
func scsApp(m *scs.SessionManager) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, do func(r *http.Request, ctx context.Context) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r, r.Context()); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			items, _ := m.Get(r.Context(), "cart").(OldCart)
			fmt.Fprint(w, page(m.GetString(r.Context(), "userID"), items.Items))
		})
	}
	handle("/show", func(*http.Request, context.Context) error { return nil })
	handle("/login", func(r *http.Request, ctx context.Context) error {
		m.Put(ctx, "userID", r.FormValue("user"))
		return m.RenewToken(ctx)
	})
	handle("/add", func(r *http.Request, ctx context.Context) error {
		c, _ := m.Get(ctx, "cart").(OldCart)
		c.Items = append(c.Items, r.FormValue("item"))
		m.Put(ctx, "cart", c)
		return nil
	})
	handle("/logout", func(_ *http.Request, ctx context.Context) error { return m.Destroy(ctx) })
	return m.LoadAndSave(mux)
}

// page is what both apps show: the user, and the cart.
func page(user string, items []string) string {
	slices.Sort(items)
	return fmt.Sprintf("%s: %s", user, strings.Join(items, " "))
}

// satchelApp is the new app.
func satchelApp(m *session.Manager) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, do func(r *http.Request, ctx context.Context) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r, r.Context()); err != nil {
				session.Error(w, r, err)
				return
			}
			fmt.Fprint(w, page(session.UserID(r.Context()), cart.Get(r.Context()).Items))
		})
	}
	handle("/show", func(*http.Request, context.Context) error { return nil })
	handle("/login", func(r *http.Request, ctx context.Context) error {
		session.Login(ctx, r.FormValue("user"))
		return nil
	})
	handle("/add", func(r *http.Request, ctx context.Context) error {
		cart.Update(ctx, func(c *Cart) { c.Items = append(c.Items, r.FormValue("item")) })
		return nil
	})
	handle("/logout", func(_ *http.Request, ctx context.Context) error { return session.Logout(ctx) })
	return m.Handler(mux)
}

// newInstances returns the URLs of n instances of the new app, each with a store of its
// own over one Redis.
func newInstances(t testing.TB, n int, importer func() *session.Importer) (urls []string) {
	prefix := redistest.Prefix(t)
	for range n {
		s := trial.OpenRedis(t, redistest.Shared(t).URL(), prefix)
		m := session.New(s, session.Options{Insecure: true, Import: importer(), Logger: slog.New(slog.DiscardHandler)})
		urls = append(urls, serve(t, satchelApp(m)))
	}
	return urls
}

func serve(t testing.TB, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// A browser has a cookie jar, and takes the instances for one host: cookies know no ports.
type browser struct{ http.Client }

func newBrowser(t testing.TB) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{http.Client{Jar: jar}}
}

// get returns the page at path of an instance, which has to be a 200.
func (b *browser) get(t testing.TB, instance, path string) string {
	response, err := b.Get(instance + path)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d, %v: %s", path, response.StatusCode, err, text)
	}
	return string(text)
}

func (b *browser) want(t testing.TB, instance, path, want string) {
	t.Helper()
	if got := b.get(t, instance, path); got != want {
		t.Errorf("%s shows %q, want %q", path, got, want)
	}
}

// cookies returns the names of the cookies that the browser has for an instance.
func (b *browser) cookies(t testing.TB, instance string) string {
	u, err := url.Parse(instance)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range b.Jar.Cookies(u) {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
