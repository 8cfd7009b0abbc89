package session_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

// nest puts a second manager, the site's, inside one of its own, for a panel
// next to the shop say. It returns a way to start the site; the outer session is
// on the handler's context by way of outer.Context.
type nested struct {
	*running   // the inner
	outer      *session.Manager
	outerPast  *session.Manager
	outerLever *lever
}

func (g ground) nest(t *testing.T, handler func(n *nested, w http.ResponseWriter, r *http.Request)) *nested {
	t.Helper()
	n := &nested{outerLever: &lever{}}
	t.Cleanup(n.outerLever.release)
	o := session.Options{Cookie: session.Cookie{Name: "outer"}, Insecure: g.protocol == http1, Logger: plainHTTP().Logger}
	n.outer = session.New(trial.Intercept(g.store, n.outerLever.around), o)
	n.outerPast = session.New(g.store, o)
	n.running = g.start(t, site{
		outside: n.outer.Handler,
		handler: func(w http.ResponseWriter, r *http.Request) { handler(n, w, r) },
	})
	return n
}

// visitor returns the cookies of a visitor with a session in each manager.
func (n *nested) visitor(t *testing.T) (inner, outer string) {
	t.Helper()
	token, err := n.outerPast.Do(t.Context(), "", func(ctx context.Context) error { shade.Set(ctx, "outer red"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n.running.visitor(t, "red"), strings.Replace(n.cookie, "session", "outer", 1) + "=" + token
}

func (n *nested) storedOuter(t *testing.T, cookie string) (found string) {
	t.Helper()
	_, token, _ := strings.Cut(cookie, "=")
	n.outerPast.Do(t.Context(), token, func(ctx context.Context) error {
		found = shade.Get(ctx)
		return nil
	})
	return found
}

func TestP5_NestedManagersBothCommitBeforeTheFirstByte(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		n := g.nest(t, func(n *nested, w http.ResponseWriter, r *http.Request) {
			shade.Set(r.Context(), "green")
			shade.Set(n.outer.Context(r.Context()), "outer green")
			w.Write([]byte("hello"))
		})
		inner, outer := n.visitor(t)
		first, second := n.lever.hold("swap"), n.outerLever.hold("swap")
		a := n.send(t, http.MethodGet, inner+"; "+outer)
		for _, swap := range []*hold{first, second} {
			<-swap.entered
			if out, _ := n.edge.seen(); len(out) > 0 {
				t.Errorf("%q went out while a commit was under way", out)
			}
			swap.open()
		}
		n.expect(t, a.wait(t), 200, "hello", headers(textPlain, "Content-Length: 5", "Vary: Cookie"))
		if got, gotOuter := n.stored(t, inner), n.storedOuter(t, outer); got != "green" || gotOuter != "outer green" {
			t.Errorf("the stores have %q and %q, want green in both", got, gotOuter)
		}
	})
}

func TestP5_WhereANestedManagerFailsThereIsOneErrorResponse(t *testing.T) {
	failures := map[string]func(n *nested){
		"inner": func(n *nested) { n.lever.breaks("swap", errRefused) },
		"outer": func(n *nested) { n.outerLever.breaks("swap", errRefused) },
		"both": func(n *nested) {
			n.lever.breaks("swap", errRefused)
			n.outerLever.breaks("swap", errRefused)
		},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for who, fail := range failures {
			t.Run(who, func(t *testing.T) {
				n := g.nest(t, func(n *nested, w http.ResponseWriter, r *http.Request) {
					clutter(w.Header())
					shade.Set(r.Context(), "green")
					shade.Set(n.outer.Context(r.Context()), "outer green")
					w.Write([]byte("hello"))
					persist(t, w)
				})
				inner, outer := n.visitor(t)
				fail(n)
				a := n.get(t, inner+"; "+outer)
				n.expectApology(t, a, "GET", sorryOutage, "Vary: Cookie")
				if out, _ := n.edge.seen(); !reflect.DeepEqual(out, []string{"WriteHeader 503", "Write", "return"}) {
					t.Errorf("%q came out, want one error response", out)
				}
				// What the client is told to try again must not have been done.
				if got := n.storedOuter(t, outer); got != "outer red" {
					t.Errorf("the visitor's outer session is %q now, want it as it was", got)
				}
			})
		}
	})
}

// The inner manager commits first. If the outer one fails then, the inner one's
// cookie has to go out all the same: the id that the browser has is no more.
func TestP5_AnOuterFailureKeepsTheCookieOfAnInnerCommit(t *testing.T) {
	changes := map[string]struct {
		change func(ctx context.Context)
		cookie string
		stored string
	}{
		"login":   {func(ctx context.Context) { session.Login(ctx, "ann") }, ourCookie, "ann red"},
		"renewal": {session.Renew, ourCookie, "red"},
		"logout":  {func(ctx context.Context) { session.Logout(ctx) }, expiredCookie, ""},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for name, c := range changes {
			t.Run(name, func(t *testing.T) {
				n := g.nest(t, func(n *nested, w http.ResponseWriter, r *http.Request) {
					c.change(r.Context())
					shade.Set(n.outer.Context(r.Context()), "outer green")
					w.Write([]byte("hello"))
				})
				inner, outer := n.visitor(t)
				n.outerLever.breaks("swap", errRefused)
				a := n.get(t, inner+"; "+outer)
				n.expectApology(t, a, "GET", sorryOutage, "Vary: Cookie", "Set-Cookie: "+c.cookie)
				if got := n.stored(t, n.sessionCookie(a)); got != c.stored {
					t.Errorf("the visitor's inner session is %q now, want %q", got, c.stored)
				}
			})
		}
	})
}
