package session_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

func TestOptions_WhatCantWorkPanicsAtStart(t *testing.T) {
	for name, c := range map[string]struct {
		options session.Options
		want    []string // the field, and the fix
	}{
		"__Host- with a Domain":       {session.Options{Cookie: session.Cookie{Name: "__Host-a", Domain: "example.com"}}, []string{"Cookie.Domain", "drop the Domain"}},
		"__Host- with a Path":         {session.Options{Cookie: session.Cookie{Name: "__Host-a", Path: "/app"}}, []string{"Cookie.Path", `use "/"`}},
		"__Host- without TLS":         {session.Options{Cookie: session.Cookie{Name: "__Host-a"}, Insecure: true}, []string{"Cookie.Name", "leave __Host- out"}},
		"__Secure- without TLS":       {session.Options{Cookie: session.Cookie{Name: "__Secure-a"}, Insecure: true}, []string{"Cookie.Name", "leave __Secure- out"}},
		"a prefix in small letters":   {session.Options{Cookie: session.Cookie{Name: "__host-a"}}, []string{"Cookie.Name", "__Host-"}},
		"SameSite None without TLS":   {session.Options{Cookie: session.Cookie{SameSite: http.SameSiteNoneMode}, Insecure: true}, []string{"Cookie.SameSite", "use Lax"}},
		"an unknown SameSite":         {session.Options{Cookie: session.Cookie{SameSite: 17}}, []string{"Cookie.SameSite"}},
		"Partitioned without TLS":     {session.Options{Cookie: session.Cookie{Partitioned: true}, Insecure: true}, []string{"Cookie.Partitioned"}},
		"a name with a space":         {session.Options{Cookie: session.Cookie{Name: "my session"}}, []string{"Cookie", "RFC 6265", "my session"}},
		"a name with an equals sign":  {session.Options{Cookie: session.Cookie{Name: "a=b"}}, []string{"RFC 6265"}},
		"a path without a slash":      {session.Options{Cookie: session.Cookie{Path: "app"}}, []string{"Cookie.Path", "slash"}},
		"a path with a semicolon":     {session.Options{Cookie: session.Cookie{Path: "/a;b"}}, []string{"Path"}},
		"a domain that is none":       {session.Options{Cookie: session.Cookie{Domain: "a b"}}, []string{"Domain"}},
		"a negative lifetime":         {session.Options{Lifetime: -1}, []string{"Options.Lifetime", "positive"}},
		"a negative idle timeout":     {session.Options{IdleTimeout: -1}, []string{"Options.IdleTimeout", "positive"}},
		"a negative store timeout":    {session.Options{StoreTimeout: -1}, []string{"Options.StoreTimeout", "positive"}},
		"idle longer than lifetime":   {session.Options{Lifetime: time.Hour, IdleTimeout: 2 * time.Hour}, []string{"Options.IdleTimeout", "Options.Lifetime", "shorten"}},
		"idle longer than by default": {session.Options{IdleTimeout: 15 * 24 * time.Hour}, []string{"Options.IdleTimeout"}},
		"a negative size":             {session.Options{MaxBytes: -1}, []string{"Options.MaxBytes"}},
		"an unknown outage policy":    {session.Options{Outage: 9}, []string{"Options.Outage", "session.Refuse"}},
	} {
		t.Run(name, func(t *testing.T) {
			message := mustPanic(t, func() { session.New(trial.Memory(t), c.options) })
			for _, want := range c.want {
				if !strings.Contains(message, want) {
					t.Errorf("the panic says %q, without %q", message, want)
				}
			}
		})
	}
	if message := mustPanic(t, func() { session.New(nil, session.Options{}) }); !strings.Contains(message, "memstore.New()") {
		t.Errorf("without a store the panic says %q", message)
	}
}

func TestCookieName_GetsTheStrongestPrefix(t *testing.T) {
	for _, c := range []struct {
		options session.Options
		want    string
	}{
		{session.Options{}, "__Host-session"},
		{session.Options{Cookie: session.Cookie{Name: "cart"}}, "__Host-cart"},
		{session.Options{Cookie: session.Cookie{Name: "cart", Path: "/"}}, "__Host-cart"},
		{session.Options{Cookie: session.Cookie{Name: "cart", Path: "/shop"}}, "__Secure-cart"},
		{session.Options{Cookie: session.Cookie{Name: "cart", Domain: "example.com"}}, "__Secure-cart"},
		{session.Options{Cookie: session.Cookie{Name: "__Host-cart"}}, "__Host-cart"},
		{session.Options{Cookie: session.Cookie{Name: "__Secure-cart"}}, "__Secure-cart"},
		{session.Options{Insecure: true, Cookie: session.Cookie{Name: "cart"}}, "cart"},
	} {
		c.options.Logger = slog.New(slog.DiscardHandler)
		b := browse(trial.Memory(t), c.options, notes)
		b.Get(t, "/write")
		if _, ok := b.Cookies()[c.want]; !ok || len(b.Cookies()) != 1 {
			t.Errorf("with %+v the cookies are %v, want one called %s", c.options.Cookie, b.Cookies(), c.want)
		}
	}
}

func TestNestedManagers_NeedCookiesOfTheirOwn(t *testing.T) {
	s := trial.Memory(t)
	outer, inner := session.New(s, plainHTTP()), session.New(s, plainHTTP())
	b := trial.NewBrowser(outer.Handler(inner.Handler(notes)))
	message := mustPanic(t, func() { b.Get(t, "/read") })
	if !strings.Contains(message, `"session"`) || !strings.Contains(message, "Options.Cookie.Name") {
		t.Errorf("the panic says %q", message)
	}
}

func TestContext_SelectsAManager(t *testing.T) {
	s := trial.Memory(t)
	admin := plainHTTP()
	admin.Cookie.Name = "admin"
	outer, inner := session.New(s, plainHTTP()), session.New(s, admin)
	b := trial.NewBrowser(outer.Handler(inner.Handler(routes{
		"/write": func(ctx context.Context) string {
			note.Set(ctx, "inner")
			note.Set(outer.Context(ctx), "outer")
			return ""
		},
		"/read": func(ctx context.Context) string {
			return note.Get(ctx) + note.Get(inner.Context(ctx)) + note.Get(outer.Context(ctx)) + note.Get(inner.Context(outer.Context(ctx)))
		},
	})))
	b.Get(t, "/write")
	if got := body(t, b.Get(t, "/read")); got != "innerinnerouter"+"inner" {
		t.Errorf("the sessions hold %q", got)
	}
	stranger := session.New(s, plainHTTP())
	if message := mustPanic(t, func() {
		trial.NewBrowser(outer.Handler(routes{"/": func(ctx context.Context) string { stranger.Context(ctx); return "" }})).Get(t, "/")
	}); !strings.Contains(message, "this manager") {
		t.Errorf("a manager that wraps nothing panics with %q", message)
	}
}
