package session_test

import (
	"context"
	"encoding/base64"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

func TestImport_AVisitorIsTakenOverMidCart(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f, l := newFaulty(s), midCart()
		b := arrives(f, l.to(plainHTTP()), "ann")
		w := visitOK(t, b, func(ctx context.Context) {
			wantCartIn(t, ctx, "lime")
			wantSame(t, "color", color.Get(ctx), "green")
			if !session.AuthenticatedAt(ctx).IsZero() {
				t.Error("the sign-in at the old library counts as recent")
			}
			if left := time.Until(session.Deadline(ctx)); left < 59*time.Minute || left > time.Hour {
				t.Errorf("the session has %v left, want what the old one had: an hour", left)
			}
			addItem(ctx, "mint")
		})
		l.wantAsked(t, 1)
		wantSame(t, "operations", strings.Join(opNames(f.trace()), " "), "find swap index swap swap swap")
		if lines := w.Header()["Set-Cookie"]; len(lines) != 1 || !strings.HasPrefix(lines[0], "session=") {
			t.Errorf("the cookies are %q, want ours alone; the old one is for old instances", lines)
		}
		wantSame(t, "the old cookie", b.Cookies()[oldCookie], "ann")

		w = visitOK(t, b, func(ctx context.Context) { wantCartIn(t, ctx, "lime", "mint") })
		wantNoCookie(t, w)
		wantSame(t, "operations of the second request", strings.Join(opNames(f.trace()), " "), "find swap")
		visitOK(t, b, func(ctx context.Context) {})
		wantSame(t, "operations of the third request", strings.Join(opNames(f.trace()), " "), "find")
		l.wantAsked(t, 0)
	})
}

func TestImport_WhoIsNobodyThere(t *testing.T) {
	for name, cookie := range map[string]string{"no cookie": "", "an unknown one": "bob", "an empty session": "empty", "one that has ended": "late"} {
		t.Run(name, func(t *testing.T) {
			f, l := newFaulty(trial.Memory(t)), midCart()
			l.sessions["empty"] = &session.Imported{Deadline: time.Now().Add(time.Hour)}
			l.sessions["late"] = &session.Imported{User: "7", Deadline: time.Now().Add(-time.Second)}
			b := browse(f, l.to(plainHTTP()), obliging)
			want := ""
			if cookie != "" {
				b.SetCookie(oldCookie, cookie)
				want = "find"
			}
			w := visitOK(t, b, func(ctx context.Context) {
				wantSame(t, "user", session.UserID(ctx), "")
				wantError(t, "Err", session.Err(ctx), nil)
			})
			wantNoCookie(t, w)
			wantSame(t, "operations", strings.Join(opNames(f.trace()), " "), want)
			visitOK(t, b, func(ctx context.Context) { color.Set(ctx, "blue") })
			wantSame(t, "what the visitor stores", seen(t, b, color), "blue")
		})
	}
}

func TestImport_WithoutAnIndex(t *testing.T) {
	l := midCart()
	b := arrives(noIndex{trial.Memory(t)}, l.to(plainHTTP()), "ann")
	visitOK(t, b, put("mint"))
	wantCart(t, b, "lime", "mint")
}

func TestImport_LeavesAloneWhoHasASession(t *testing.T) {
	s, l := trial.Memory(t), midCart()
	b := visitor(t, s, l.to(plainHTTP()), func(ctx context.Context) { color.Set(ctx, "blue") })
	b.SetCookie(oldCookie, "ann")
	wantSame(t, "color", seen(t, b, color), "blue")
	l.wantAsked(t, 0)

	m := session.New(s, l.to(plainHTTP()))
	_, err := m.Do(t.Context(), "", func(context.Context) error { return nil })
	wantError(t, "Do", err, nil)
	l.wantAsked(t, 0)
}

func TestImport_AGuestHasTheLifetimeOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := midCart()
		l.sessions["ann"] = &session.Imported{Values: map[string]any{"commit/color": "green"}}
		o := l.to(plainHTTP())
		o.AnonymousLifetime = time.Hour
		f := newFaulty(trial.Memory(t))
		b := arrives(f, o, "ann")
		visitOK(t, b, func(ctx context.Context) {
			wantSame(t, "operations", strings.Join(opNames(f.trace()), " "), "find swap swap swap")
			wantSame(t, "what is left", time.Until(session.Deadline(ctx)).Round(time.Second), time.Hour)
			wantSame(t, "color", color.Get(ctx), "green")
			wantSame(t, "user", session.UserID(ctx), "")
		})
	})
}

func TestImport_WhatJSONCantCarryIsLeftBehind(t *testing.T) {
	var log logged
	l := midCart()
	maps.Copy(l.sessions["ann"].Values, map[string]any{"gauge": math.Inf(1), "wire": make(chan int)})
	b := arrives(trial.Memory(t), log.to(l.to(plainHTTP())), "ann")
	visitOK(t, b, func(ctx context.Context) { wantCartIn(t, ctx, "lime") })
	for _, want := range []string{"key=gauge", "key=wire"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not name the value: no %s in %s", want, log.String())
		}
	}
}

func TestImport_TooLargeIsAnEmptySession(t *testing.T) {
	var log logged
	l := midCart()
	l.sessions["ann"].Values["novel"] = strings.Repeat("x", 2000)
	o := log.to(l.to(plainHTTP()))
	o.MaxBytes = 1000
	f := newFaulty(trial.Memory(t))
	b := arrives(f, o, "ann")
	visitOK(t, b, func(ctx context.Context) { wantSame(t, "user", session.UserID(ctx), "") })
	wantSame(t, "operations", strings.Join(opNames(f.trace()), " "), "find")
	if !strings.Contains(log.String(), "MaxBytes") || strings.Contains(log.String(), "xxx") {
		t.Errorf("the log says %s", log.String())
	}
	visitOK(t, b, func(ctx context.Context) { color.Set(ctx, "blue") })
	wantSame(t, "what the visitor stores", seen(t, b, color), "blue")
}

// TestImport_ARequestThatNobodyLooksAt takes over like any other.
func TestImport_ARequestThatNobodyLooksAt(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"HEAD":     func(r *http.Request) { r.Method = http.MethodHead },
		"prefetch": trial.Header("Sec-Purpose", "prefetch"),
	} {
		t.Run(name, func(t *testing.T) {
			l := midCart()
			b := arrives(trial.Memory(t), l.to(plainHTTP()), "ann")
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			edit(r)
			fetch(t, b.Fork(), r, func(ctx context.Context) {}) // and its response is thrown away
			wantCart(t, b, "lime")
		})
	}
}

// TestImport_TheStoreNeverSeesWhatABrowserHolds: neither the old cookie nor the new
// id, nor what would lead from one to the other without the cookie.
func TestImport_TheStoreNeverSeesWhatABrowserHolds(t *testing.T) {
	f, l := newFaulty(trial.Memory(t)), midCart()
	l.sessions["a-secret-old-cookie"] = l.sessions["ann"]
	b := arrives(f, l.to(plainHTTP()), "a-secret-old-cookie")
	visitOK(t, b, put("mint"))
	token, err := base64.RawURLEncoding.DecodeString(b.Cookies()["session"])
	wantError(t, "decoding the cookie", err, nil)
	for _, op := range f.trace() {
		for _, secret := range []string{"a-secret-old-cookie", b.Cookies()["session"], string(token)} {
			if secret == "" || strings.Contains(op.ID, secret) || strings.Contains(string(op.Next.Data), secret) {
				t.Errorf("the store sees a secret in a %s", op.Name)
			}
		}
	}
}

func TestImport_IsListedUnderItsUser(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		l := midCart()
		b := arrives(s, l.to(plainHTTP()), "ann")
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", "Lynx")
		wantStatus(t, fetch(t, b, r, func(context.Context) {}), http.StatusOK)
		all := sessionsOf(t, s, "7")
		if len(all) != 1 || all[0].UserAgent != "Lynx" {
			t.Fatalf("listed are %+v, want the one session, of Lynx", all)
		}
		m := session.New(s, l.to(plainHTTP()))
		wantSame(t, "ref of the current session", refOf(t, m, b, "7"), all[0].Ref)
		visitOK(t, b, func(ctx context.Context) { wantError(t, "RevokeOthers", session.RevokeOthers(ctx), nil) })
		wantSignedIn(t, "7", b)
		endAll(t, s, "7")
		wantNobody(t, "7", b)

		// Nor does the old cookie help, for it was taken over.
		wantNobody(t, "7", arrives(s, l.to(plainHTTP()), "ann"))
	})
}

func TestImport_OptionsThatCantWorkPanicAtStart(t *testing.T) {
	some := func(context.Context, *http.Request) (*session.Imported, error) { return nil, nil }
	for want, i := range map[string]session.Importer{
		"Import.Session":  {Cookie: "old"},
		"RFC 6265":        {Cookie: "my old", Session: some},
		"Cookie \"\"":     {Session: some},
		"Import.Path":     {Cookie: "old", Path: "app", Session: some},
		"Domain \"a b\"":  {Cookie: "old", Domain: "a b", Session: some},
		"Path \"/a;b\"":   {Cookie: "old", Path: "/a;b", Session: some},
		"session/fromscs": {Cookie: "old"},
	} {
		o := plainHTTP()
		o.Import = &i
		if message := mustPanic(t, func() { session.New(trial.Memory(t), o) }); !strings.Contains(message, want) {
			t.Errorf("the panic says %q, without %q", message, want)
		}
	}
}

// TestImport_ACookieThatChangesWhileTheSessionStays is taken over once, by its ID.
func TestImport_ACookieThatChangesWhileTheSessionStays(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		l := midCart()
		l.sessions["ann"].ID = "a name that is hard to guess"
		l.sessions["ann again"] = l.sessions["ann"]
		first, second := arrives(s, l.to(plainHTTP()), "ann"), arrives(s, l.to(plainHTTP()), "ann again")
		visitOK(t, first, put("mint"))
		visitOK(t, second, put("sage"))
		wantCart(t, first, "lime", "mint", "sage")
		wantListed(t, s, "7", 1)
		visitOK(t, first, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		for _, cookie := range slices.Sorted(maps.Keys(l.sessions)) {
			wantNobody(t, "7", arrives(s, l.to(plainHTTP()), cookie))
		}
	})
}

// TestP10_AnIDThatIsGivenAgainIsNoKey to the session of whom it was given to before.
func TestP10_AnIDThatIsGivenAgainIsNoKey(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		l := midCart()
		l.sessions["ann"].ID = "42"
		l.sessions["bob"] = &session.Imported{ID: "42", User: "8", Values: map[string]any{"commit/color": "blue"}}
		visitOK(t, arrives(s, l.to(plainHTTP()), "ann"), put("mint"))
		b := arrives(s, l.to(plainHTTP()), "bob")
		visitOK(t, b, func(ctx context.Context) { wantSame(t, "user", session.UserID(ctx), "") })
	})
}

// A session that is to last for ever does so for a few hundred years.
func TestImport_ADeadlineFarAway(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		l := midCart()
		l.sessions["ann"].Deadline = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		visitOK(t, arrives(s, l.to(plainHTTP()), "ann"), func(ctx context.Context) { wantCartIn(t, ctx, "lime") })
		wantListed(t, s, "7", 1)
	})
}

// A value whose own encoding panics is left behind like one that has none.
func TestImport_AnEncodingThatPanics(t *testing.T) {
	var log logged
	l := midCart()
	l.sessions["ann"].Values["commit/broken"] = panicsInJSON{}
	visitOK(t, arrives(trial.Memory(t), log.to(l.to(plainHTTP())), "ann"), func(ctx context.Context) { wantCartIn(t, ctx, "lime") })
	if !strings.Contains(log.String(), "key=commit/broken") {
		t.Errorf("the log does not say what is left behind: %s", log.String())
	}
}

type panicsInJSON struct{}

func (panicsInJSON) MarshalJSON() ([]byte, error) { panic("a bug") }

// What docs/moving.md says that a logout costs which has an old cookie.
func TestP9_ALogoutWithAnOldCookie(t *testing.T) {
	const plain = "find swap unindex" // of a session
	for name, c := range map[string]struct {
		id, cookie, want string
	}{
		"taken over":            {"", "ann", "find find swap unindex"},
		"taken over, by ID":     {"a name that is hard to guess", "ann", "find find swap swap unindex"},
		"that leads to nothing": {"", "nobody", "find find swap unindex"},
		"none":                  {"", "", plain},
	} {
		t.Run(name, func(t *testing.T) {
			l, f := midCart(), newFaulty(trial.Memory(t))
			l.sessions["ann"].ID = c.id
			o := l.to(plainHTTP())
			b := visitor(t, f, o, signIn("8"))
			if c.cookie == "ann" {
				b = arrives(f, o, "ann")
				visitOK(t, b, put("sage"))
				visitOK(t, b, put("sage"))
			} else if c.cookie != "" {
				b.SetCookie(oldCookie, c.cookie)
			}
			f.trace()
			visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
			var ops []string
			for _, op := range f.trace() {
				ops = append(ops, op.Name)
			}
			wantSame(t, "operations", strings.Join(ops, " "), c.want)
		})
	}
}
