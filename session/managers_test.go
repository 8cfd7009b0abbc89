package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// A town is a shop on / and a panel on /panel, with a session each, in one store.
type town struct {
	shop, panel *session.Manager
	b           *trial.Browser
}

// newTown has the panel's manager inside of the shop's, or beside it.
func newTown(s store.Store, insideOfEachOther bool) *town {
	shop, panel := plainHTTP(), plainHTTP()
	shop.Lifetime, shop.AnonymousLifetime = 30*24*time.Hour, 7*24*time.Hour
	panel.Cookie.Name, panel.Lifetime, panel.IdleTimeout = "panel", 8*time.Hour, 30*time.Minute
	v := &town{shop: session.New(s, shop), panel: session.New(s, panel)}
	mux := http.NewServeMux()
	mux.Handle("/panel", v.panel.Handler(obliging))
	if insideOfEachOther {
		mux.Handle("/", obliging)
		v.b = trial.NewBrowser(v.shop.Handler(mux))
	} else {
		mux.Handle("/", v.shop.Handler(obliging))
		v.b = trial.NewBrowser(mux)
	}
	return v
}

// at has the browser send a request for path that does something.
func (v *town) at(t testing.TB, path string, what deed) *httptest.ResponseRecorder {
	t.Helper()
	w := fetch(t, v.b, httptest.NewRequest(http.MethodPost, path, nil), what)
	wantStatus(t, w, http.StatusOK)
	return w
}

func (v *town) users(t testing.TB) (shop, panel string) {
	t.Helper()
	v.at(t, "/", func(ctx context.Context) { shop = session.UserID(ctx) })
	v.at(t, "/panel", func(ctx context.Context) { panel = session.UserID(ctx) })
	return shop, panel
}

// TestP12_ManagersSideBySide and nested: signing in, out and being ended in one is
// nothing to the other.
func TestP12_ManagersSideBySide(t *testing.T) {
	for name, nested := range map[string]bool{"beside each other": false, "inside each other": true} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				v := newTown(s, nested)
				expect := func(what, shop, panel string) {
					t.Helper()
					gotShop, gotPanel := v.users(t)
					wantSame(t, what+": user in the shop", gotShop, shop)
					wantSame(t, what+": user in the panel", gotPanel, panel)
				}
				wantSame(t, "cookies of a sign-in to the shop", outcomeOf(v.at(t, "/", signIn("7"))).cookie, "session")
				expect("signed in to the shop", "7", "")
				wantSame(t, "cookies of a sign-in to the panel", outcomeOf(v.at(t, "/panel", signIn("7"))).cookie, "panel")
				expect("signed in to both", "7", "7")
				v.at(t, "/panel", session.Renew)
				v.at(t, "/", func(ctx context.Context) { wantError(t, "RevokeOthers", session.RevokeOthers(ctx), nil) })
				expect("others ended in the shop", "7", "7")
				inShop, _ := v.shop.Sessions(t.Context(), "7")
				inPanel, _ := v.panel.Sessions(t.Context(), "7")
				if len(inShop) != 1 || len(inPanel) != 1 || inShop[0].Ref == inPanel[0].Ref {
					t.Fatalf("the lists are %v and %v, want one session each, of different refs", inShop, inPanel)
				}
				wantError(t, "Revoke of the panel's ref by the shop", v.shop.Revoke(t.Context(), "7", inPanel[0].Ref), store.ErrNotFound)
				wantError(t, "RevokeAll", v.shop.RevokeAll(t.Context(), "7"), nil)
				expect("ended in the shop", "", "7")
				v.at(t, "/panel", func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
				expect("signed out of the panel", "", "")
			})
		})
	}
}

// TestP12_NoCookieOfOneManagerIsAnothers, also if it is planted.
func TestP12_NoCookieOfOneManagerIsAnothers(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		v := newTown(s, true)
		v.at(t, "/", signIn("7"))
		v.at(t, "/panel", signIn("root"))
		shop, panel := v.b.Cookies()["session"], v.b.Cookies()["panel"]
		v.b.SetCookie("session", panel)
		v.b.SetCookie("panel", shop)
		gotShop, gotPanel := v.users(t)
		wantSame(t, "user in the shop, by the panel's cookie", gotShop, "")
		wantSame(t, "user in the panel, by the shop's cookie", gotPanel, "")
		for name, c := range map[string]struct {
			m     *session.Manager
			token string
		}{"shop": {v.shop, panel}, "panel": {v.panel, shop}} {
			c.m.Do(t.Context(), c.token, func(ctx context.Context) error {
				wantSame(t, "user in the "+name+", by the other's token", session.UserID(ctx), "")
				return nil
			})
		}
		wantListed(t, s, "root", 0) // in the shop
	})
}

// TestP12_KeysOfAChosenManager are read and written without a detour, wherever the
// request is, and each manager commits its own.
func TestP12_KeysOfAChosenManager(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		v := newTown(s, true)
		v.at(t, "/panel", func(ctx context.Context) {
			color.Set(ctx, "grey")
			color.In(v.shop).Set(ctx, "red")
			points.In(v.shop).Update(ctx, func(n *int) { *n += 5 })
			wantSame(t, "the panel's", color.Get(ctx), "grey")
			wantSame(t, "the panel's, chosen", color.In(v.panel).Get(ctx), "grey")
			wantSame(t, "the shop's", color.In(v.shop).Get(ctx), "red")
		})
		v.at(t, "/panel", func(ctx context.Context) {
			inShop := v.shop.Context(ctx)
			wantSame(t, "the shop's, by Context", color.Get(inShop), "red")
			wantSame(t, "the panel's, from there", color.In(v.panel).Get(inShop), "grey")
			wantSame(t, "the panel's, by Context from there", color.Get(v.panel.Context(inShop)), "grey")
			_, ok := points.Lookup(ctx)
			wantSame(t, "is the shop's key in the panel", ok, false)
			n, ok, err := points.In(v.shop).Take(ctx)
			wantSame(t, "taken from the shop", n, 5)
			wantSame(t, "was there something to take", ok, true)
			wantError(t, "Take", err, nil)
			color.In(v.shop).Delete(ctx)
		})
		v.at(t, "/", func(ctx context.Context) {
			wantSame(t, "the shop's, deleted", color.Get(ctx), "")
			wantSame(t, "the shop's, taken", points.Get(ctx), 0)
			if !strings.Contains(mustPanic(t, func() { color.In(v.panel).Get(ctx) }), "wrap") {
				t.Error("the panic of a manager that does not wrap the handler does not say so")
			}
		})
	})
}

// TestP12_ChosenKeysInTransact: the chosen session is the one of the transaction,
// and the other is in reach.
func TestP12_ChosenKeysInTransact(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for _, inner := range []bool{true, false} {
			v := newTown(s, true)
			v.at(t, "/panel", func(ctx context.Context) {
				mine, other := v.panel, v.shop
				if !inner {
					mine, other = v.shop, v.panel
				}
				color.In(other).Set(ctx, "red")
				err := session.Transact(mine.Context(ctx), func(ctx context.Context) error {
					points.Update(ctx, func(n *int) { *n = 3 })
					wantSame(t, "its own change", points.In(mine).Get(ctx), 3)
					wantSame(t, "the other's", color.In(other).Get(ctx), "red")
					wantSame(t, "the other's, by Context", color.Get(other.Context(ctx)), "red")
					return context.Canceled // drops what was changed
				})
				wantError(t, "Transact", err, context.Canceled)
				wantSame(t, "dropped", points.In(mine).Get(ctx), 0)
			})
		}
	})
}

// TestP12_LifetimesAreEachManagersOwn.
func TestP12_LifetimesAreEachManagersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newTown(trial.Memory(t), true)
		v.at(t, "/panel", func(ctx context.Context) {
			session.Login(ctx, "root")
			session.Login(v.shop.Context(ctx), "7")
			wantSame(t, "the shop's lifetime", time.Until(session.Deadline(v.shop.Context(ctx))), 30*24*time.Hour)
			wantSame(t, "the panel's lifetime", time.Until(session.Deadline(ctx)), 8*time.Hour)
		})
		advance(31 * time.Minute)
		shop, panel := v.users(t)
		wantSame(t, "user in the shop", shop, "7")
		wantSame(t, "user in the panel, after its idle timeout", panel, "")
		all, _ := v.shop.Sessions(t.Context(), "7")
		wantSame(t, "last seen in the shop, which has no idle timeout", all[0].LastSeen, time.Time{})
		v.at(t, "/panel", signIn("root"))
		advance(5 * time.Minute)
		all, _ = v.panel.Sessions(t.Context(), "root")
		wantSame(t, "last seen in the panel", time.Since(all[0].LastSeen), 5*time.Minute)
	})
}

// TestP12_RequireUserMeansTheManagerAroundIt.
func TestP12_RequireUserMeansTheManagerAroundIt(t *testing.T) {
	s := trial.Memory(t)
	v := newTown(s, true)
	panel := v.panel.Handler(session.RequireUser("/panel/login")(obliging))
	b := trial.NewBrowser(v.shop.Handler(panel))
	for name, value := range v.b.Cookies() {
		b.SetCookie(name, value)
	}
	token, err := v.shop.Do(t.Context(), "", func(ctx context.Context) error { session.Login(ctx, "7"); return nil })
	wantError(t, "Do", err, nil)
	b.SetCookie("session", token)
	wantSame(t, "a user of the shop alone", outcomeOf(b.Get(t, "/panel")), outcome{303, "/panel/login", "no-store", "panel"})
	token, _ = v.panel.Do(t.Context(), "", func(ctx context.Context) error { session.Login(ctx, "root"); return nil })
	b.SetCookie("panel", token)
	w := fetch(t, b, httptest.NewRequest(http.MethodGet, "/panel", nil), func(ctx context.Context) {
		wantSame(t, "user in the panel", session.UserID(ctx), "root")
		wantSame(t, "user in the shop", session.UserID(v.shop.Context(ctx)), "7")
	})
	wantStatus(t, w, http.StatusOK)
}
