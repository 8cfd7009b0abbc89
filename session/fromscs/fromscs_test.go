package fromscs_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/fromscs"
	"github.com/gosatchel/satchel/store"
)

// A Cart is what the old app kept, and the new one keeps.
type Cart struct {
	Items  []string
	Coupon string
}

var cart = session.NewKey[Cart]("cart")

func init() { gob.Register(Cart{}) }

// oldApp returns the manager of an app that used scs.
func oldApp() *scs.SessionManager {
	old := scs.New()
	old.Store = memstore.NewWithCleanupInterval(0)
	old.Cookie.Name = "shop"
	return old
}

// fill is a request of the old app that signs in as 7 and puts a lime into the cart.
func fill(old *scs.SessionManager, also ...func(ctx context.Context)) http.Handler {
	return old.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		old.Put(r.Context(), "userID", 7)
		old.Put(r.Context(), "cart", Cart{Items: []string{"lime"}, Coupon: "SUMMER"})
		for _, do := range also {
			do(r.Context())
		}
	}))
}

func userID(values map[string]any) string {
	if id, ok := values["userID"].(int); ok {
		return fmt.Sprint(id)
	}
	return ""
}

// move has a visitor come from the old app, and returns them in front of the new one,
// which shows who is signed in, the cart, and what other keys there are.
func move(t *testing.T, from http.Handler, i *session.Importer, edits ...func(*session.Options)) *trial.Browser {
	t.Helper()
	before := trial.NewBrowser(from)
	before.Get(t, "/")
	o := session.Options{Insecure: true, Import: i, Logger: slog.New(slog.DiscardHandler)}
	for _, edit := range edits {
		edit(&o)
	}
	b := trial.NewBrowser(session.New(trial.Memory(t), o).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		fmt.Fprint(w, session.UserID(ctx), " ", cart.Get(ctx), " ", time.Until(session.Deadline(ctx)).Round(time.Hour), " ", session.Remembered(ctx))
	})))
	for name, value := range before.Cookies() {
		b.SetCookie(name, value)
	}
	return b
}

func wantPage(t *testing.T, b *trial.Browser, want string) {
	t.Helper()
	w := b.Get(t, "/")
	if got := w.Body.String(); w.Code != http.StatusOK || got != want {
		t.Errorf("the page is %d %q, want %q", w.Code, got, want)
	}
}

func TestNew_TakesOver(t *testing.T) {
	const all = "7 {[lime] SUMMER} 24h0m0s false"
	for name, c := range map[string]struct {
		setUp func(old *scs.SessionManager)
		also  func(old *scs.SessionManager) func(context.Context)
		user  func(map[string]any) string
		want  string
	}{
		"plain tokens":  {want: all},
		"hashed tokens": {setUp: func(old *scs.SessionManager) { old.HashTokenInStore = true }, want: all},
		"a store with contexts": {setUp: func(old *scs.SessionManager) {
			old.Store = withContexts{old.Store, t}
		}, want: all},
		"nobody is signed in": {user: func(map[string]any) string { return "" }, want: " {[lime] SUMMER} 24h0m0s false"},
		"another name": {user: func(values map[string]any) string {
			values["cart"] = Cart{Coupon: "MOVED"}
			return "8"
		}, want: "8 {[] MOVED} 24h0m0s false"},
		"RememberMe where all cookies last":      {also: remember, want: all},
		"RememberMe where only those cookies do": {setUp: func(old *scs.SessionManager) { old.Cookie.Persist = false }, also: remember, want: "7 {[lime] SUMMER} 24h0m0s true"},
		"a lifetime":                             {setUp: func(old *scs.SessionManager) { old.Lifetime = 100 * time.Hour }, want: "7 {[lime] SUMMER} 100h0m0s false"},
		"a codec of its own":                     {setUp: func(old *scs.SessionManager) { old.Codec = another{} }, want: all},
	} {
		t.Run(name, func(t *testing.T) {
			old := oldApp()
			if c.setUp != nil {
				c.setUp(old)
			}
			var also []func(context.Context)
			if c.also != nil {
				also = append(also, c.also(old))
			}
			if c.user == nil {
				c.user = userID
			}
			b := move(t, fill(old, also...), fromscs.New(old, c.user))
			wantPage(t, b, c.want)
			wantPage(t, b, c.want)
			if b.Cookies()["session"] == "" {
				t.Error("the browser has no cookie of ours")
			}
		})
	}
}

func remember(old *scs.SessionManager) func(context.Context) {
	return func(ctx context.Context) { old.RememberMe(ctx, true) }
}

func TestNew_CarriesNothingOfScsItself(t *testing.T) {
	old := oldApp()
	i := fromscs.New(old, func(values map[string]any) string {
		if _, ok := values["__rememberMe"]; ok || len(values) != 2 {
			t.Errorf("the values are %v, want the app's two alone", values)
		}
		return "7"
	})
	wantPage(t, move(t, fill(old, remember(old)), i), "7 {[lime] SUMMER} 24h0m0s false")
}

func TestNew_NobodyIsNobody(t *testing.T) {
	old := oldApp()
	i := fromscs.New(old, nil)
	wantPage(t, move(t, fill(old), i), " {[lime] SUMMER} 24h0m0s false")
	b := move(t, http.NotFoundHandler(), i)
	b.SetCookie("shop", "unknown")
	if w := b.Get(t, "/"); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), " {[] } ") {
		t.Errorf("the page of an unknown cookie is %d %s", w.Code, w.Body)
	}
}

// TestP7_TypesThatAreNotRegistered are a line in the log that says what to do, and an
// empty session.
func TestP7_TypesThatAreNotRegistered(t *testing.T) {
	old := oldApp()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(struct {
		Deadline time.Time
		Values   map[string]any
	}{time.Now().Add(time.Hour), map[string]any{"cart": Cart{Items: []string{"a secret"}}}}); err != nil {
		t.Fatal(err)
	}
	renamed := bytes.Replace(b.Bytes(), []byte("fromscs_test.Cart"), []byte("fromscs_test.Cold"), 1)
	for name, record := range map[string][]byte{"not registered": renamed, "cut off": b.Bytes()[:b.Len()/2], "no gob": []byte("a secret")} {
		t.Run(name, func(t *testing.T) {
			if err := old.Store.Commit("token", record, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			v := move(t, http.NotFoundHandler(), fromscs.New(old, nil), func(o *session.Options) {
				o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			v.SetCookie("shop", "token")
			if w := v.Get(t, "/"); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), " {[] }") {
				t.Errorf("the page is %d %s", w.Code, w.Body)
			}
			for _, want := range []string{"ERROR", "registered with gob"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q: %s", want, log.String())
				}
			}
			if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "token") {
				t.Errorf("the log has what nobody should read: %s", log.String())
			}
		})
	}
}

func TestP6_TheScsStoreFails(t *testing.T) {
	old := oldApp()
	old.Store = broken{old.Store}
	var log bytes.Buffer
	v := move(t, http.NotFoundHandler(), fromscs.New(old, nil), func(o *session.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	v.SetCookie("shop", "token")
	if w := v.Get(t, "/"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log quotes the store: %s", log.String())
	}
	old.Codec = another{fails: true}
	_, err := fromscs.New(old, nil).Session(t.Context(), &http.Request{Header: http.Header{"Cookie": {"shop=x"}}})
	if err == nil || errors.Is(err, store.ErrDamaged) {
		t.Errorf("the error is %v, want that of the store", err)
	}
}

func TestNew_WhatCantWorkPanicsAtStart(t *testing.T) {
	nameless := oldApp()
	nameless.Cookie.Name = ""
	for name, old := range map[string]*scs.SessionManager{"nil": nil, "no store": {Codec: scs.GobCodec{}}, "no name": nameless} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, "scs.New") {
					t.Errorf("it panics with %q, which does not say what to do", v)
				}
			}()
			fromscs.New(old, nil)
		})
	}
}

// withContexts is an scs.CtxStore that demands a deadline.
type withContexts struct {
	scs.Store
	t *testing.T
}

func (s withContexts) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.Store.Find(token)
}

func (s withContexts) Find(string) ([]byte, bool, error) {
	s.t.Error("FindCtx is there, and Find is called")
	return nil, false, nil
}

func (s withContexts) CommitCtx(_ context.Context, token string, b []byte, expiry time.Time) error {
	return s.Store.Commit(token, b, expiry)
}

func (s withContexts) DeleteCtx(_ context.Context, token string) error { return s.Store.Delete(token) }

// broken is a store whose errors quote what they should not.
type broken struct{ scs.Store }

func (broken) Find(string) ([]byte, bool, error) {
	return nil, false, errors.New("password hunter2 refused")
}

// another is a codec that is not scs's.
type another struct {
	scs.GobCodec
	fails bool
}

func (a another) Decode(b []byte) (time.Time, map[string]any, error) {
	if a.fails {
		return time.Time{}, nil, errors.New("no")
	}
	return a.GobCodec.Decode(b)
}
