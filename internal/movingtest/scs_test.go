package movingtest_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/fromscs"
)

// onEachScs runs test with an old and a new instance, for the ways in which an app can
// have set up scs.
func onEachScs(t *testing.T, test func(t *testing.T, old, new string)) {
	for name, setUp := range map[string]func(*scs.SessionManager){
		"plain tokens":    func(*scs.SessionManager) {},
		"hashed tokens":   func(m *scs.SessionManager) { m.HashTokenInStore = true },
		"an idle timeout": func(m *scs.SessionManager) { m.IdleTimeout = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			prefix := redistest.Prefix(t)
			m := scsManager(t, prefix)
			setUp(m)
			news := newInstances(t, 1, func() *session.Importer { return importer(t, prefix, setUp) })
			test(t, serve(t, scsApp(m)), news[0])
		})
	}
}

// importer is what the new app has of the old one.
func importer(t testing.TB, prefix string, setUp func(*scs.SessionManager)) *session.Importer {
	m := scsManager(t, prefix)
	setUp(m)
	return fromscs.New(m, func(values map[string]any) string {
		user, _ := values["userID"].(string)
		delete(values, "userID")
		return user
	})
}

func TestScs_AVisitorGoesBackAndForthMidCart(t *testing.T) {
	onEachScs(t, func(t *testing.T, old, new string) {
		b := newBrowser(t)
		b.want(t, old, "/add?item=lime", ": lime")
		b.want(t, old, "/login?user=ann", "ann: lime")
		b.want(t, old, "/add?item=mint", "ann: lime mint")

		b.want(t, new, "/show", "ann: lime mint")
		b.want(t, new, "/add?item=sage", "ann: lime mint sage")
		if got := b.cookies(t, new); got != "session shop" {
			t.Errorf("the browser's cookies are %q, want both", got)
		}

		// From here on there are two carts, and nobody is signed out of either.
		b.want(t, old, "/show", "ann: lime mint")
		b.want(t, old, "/add?item=thyme", "ann: lime mint thyme")
		b.want(t, new, "/show", "ann: lime mint sage")
		b.want(t, new, "/add?item=dill", "ann: dill lime mint sage")
		b.want(t, old, "/show", "ann: lime mint thyme")

		// A logout here takes both cookies; the old session itself stays in its store.
		b.want(t, new, "/logout", ": ")
		if got := b.cookies(t, new); got != "" {
			t.Errorf("after the logout the browser's cookies are %q", got)
		}
		b.want(t, old, "/show", ": ")
		b.want(t, new, "/show", ": ")
	})
}

// TestScs_ALogoutThereIsNotSeenHere, once the visitor was taken over. docs/moving.md
// says so.
func TestScs_ALogoutThereIsNotSeenHere(t *testing.T) {
	onEachScs(t, func(t *testing.T, old, new string) {
		b := newBrowser(t)
		b.want(t, old, "/login?user=ann", "ann: ")
		b.want(t, new, "/show", "ann: ")
		b.want(t, old, "/logout", ": ")
		b.want(t, new, "/show", "ann: ")

		// One before it is.
		b = newBrowser(t)
		b.want(t, old, "/login?user=ann", "ann: ")
		b.want(t, old, "/logout", ": ")
		b.want(t, new, "/show", ": ")
	})
}

// TestScs_ASignInThereIsNotSeenHere by whom was taken over, and is by whom was not.
func TestScs_ASignInThereIsNotSeenHere(t *testing.T) {
	onEachScs(t, func(t *testing.T, old, new string) {
		b := newBrowser(t)
		b.want(t, old, "/add?item=lime", ": lime")
		b.want(t, new, "/show", ": lime")
		b.want(t, old, "/login?user=ann", "ann: lime")
		b.want(t, new, "/show", ": lime")
		b.want(t, new, "/login?user=ann", "ann: lime")
		b.want(t, new, "/logout", ": ")
		b.want(t, new, "/show", ": ")

		b.want(t, old, "/login?user=bob", "bob: ")
		b.want(t, new, "/show", "bob: ")
	})
}

// TestScs_OneCookieName works where all instances are replaced in one step.
func TestScs_OneCookieName(t *testing.T) {
	prefix := redistest.Prefix(t)
	same := func(m *scs.SessionManager) { m.Cookie.Name = "session" }
	m := scsManager(t, prefix)
	same(m)
	old := serve(t, scsApp(m))
	new := newInstances(t, 1, func() *session.Importer { return importer(t, prefix, same) })[0]
	b := newBrowser(t)
	b.want(t, old, "/add?item=lime", ": lime")
	b.want(t, old, "/login?user=ann", "ann: lime")
	b.want(t, new, "/add?item=mint", "ann: lime mint")
	b.want(t, new, "/show", "ann: lime mint")
	if got := b.cookies(t, new); got != "session" {
		t.Errorf("the browser's cookies are %q, want the one", got)
	}
	b.want(t, new, "/logout", ": ")
	b.want(t, new, "/show", ": ")
}

// TestScs_ManyVisitorsAtOnce come mid-cart to two new instances with several requests
// each, while their other tabs are at the old one. Nobody is signed out, and nothing that
// was in a cart before, or was put into it here, is lost.
func TestScs_ManyVisitorsAtOnce(t *testing.T) {
	const visitors, tabs = 40, 6
	prefix := redistest.Prefix(t)
	plain := func(*scs.SessionManager) {}
	old := serve(t, scsApp(scsManager(t, prefix)))
	news := newInstances(t, 2, func() *session.Importer { return importer(t, prefix, plain) })
	var all sync.WaitGroup
	for v := range visitors {
		all.Go(func() {
			user := fmt.Sprint("user", v)
			b := newBrowser(t)
			b.want(t, old, "/add?item=lime", ": lime")
			b.want(t, old, "/login?user="+user, user+": lime")
			b.want(t, old, "/add?item=mint", user+": lime mint")
			want := []string{"lime", "mint"}
			var opened sync.WaitGroup
			for tab := range tabs {
				item := fmt.Sprint("item", tab)
				want = append(want, item)
				opened.Go(func() {
					if got := b.get(t, news[tab%2], "/add?item="+item); !strings.HasPrefix(got, user+": ") || !strings.Contains(got, "lime mint") {
						t.Errorf("%s is shown %q", user, got)
					}
				})
				opened.Go(func() {
					if got := b.get(t, old, "/show"); got != user+": lime mint" {
						t.Errorf("%s is shown %q at the old instance", user, got)
					}
				})
			}
			opened.Wait()
			slices.Sort(want)
			for _, instance := range news {
				b.want(t, instance, "/show", user+": "+strings.Join(want, " "))
			}
		})
	}
	all.Wait()
}
