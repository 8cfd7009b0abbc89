package movingtest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/boj/redistore"
	"github.com/gorilla/sessions"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/fromgorilla"
)

// gorillaApp is an old app that keeps its sessions with gorilla/sessions.
func gorillaApp(s sessions.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visit, err := s.Get(r, "shop")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		c, _ := visit.Values["cart"].(OldCart)
		switch r.URL.Path {
		case "/login":
			visit.Values["user"] = r.FormValue("user")
		case "/add":
			c.Items = append(c.Items, r.FormValue("item"))
			visit.Values["cart"] = c
		}
		if err := visit.Save(r, w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		user, _ := visit.Values["user"].(string)
		fmt.Fprint(w, page(user, c.Items))
	})
}

func TestGorilla_AVisitorGoesBackAndForthMidCart(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	for name, open := range map[string]func(t *testing.T) sessions.Store{
		"redis": func(t *testing.T) sessions.Store {
			s, err := redistore.NewRediStoreWithPool(newPool(t), key)
			if err != nil {
				t.Fatal(err)
			}
			s.SetKeyPrefix(redistest.Prefix(t))
			return s
		},
		"files": func(t *testing.T) sessions.Store { return sessions.NewFilesystemStore(t.TempDir(), key) },
		"cookies": func(*testing.T) sessions.Store {
			s := sessions.NewCookieStore(key)
			s.Options.Secure = false // plain HTTP on localhost
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			old := serve(t, gorillaApp(s))
			new := newInstances(t, 1, func() *session.Importer {
				return fromgorilla.New(s, "shop", func(values map[any]any) string {
					user, _ := values["user"].(string)
					return user
				})
			})[0]
			b := newBrowser(t)
			b.want(t, old, "/add?item=lime", ": lime")
			b.want(t, old, "/login?user=ann", "ann: lime")
			b.want(t, new, "/show", "ann: lime")
			b.want(t, new, "/add?item=sage", "ann: lime sage")
			b.want(t, old, "/add?item=thyme", "ann: lime thyme")
			b.want(t, new, "/show", "ann: lime sage")
			b.want(t, new, "/logout", ": ")
			if got := b.cookies(t, new); got != "" {
				t.Errorf("after the logout the browser's cookies are %q", got)
			}
			b.want(t, new, "/show", ": ")
			b.want(t, old, "/show", ": ")
		})
	}
}
