package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// app is what the handlers share.
type app struct {
	sessions *session.Manager
	inMemory bool
}

// newApp returns the whole app, with its sessions kept in s.
func newApp(s store.Store) http.Handler {
	_, inMemory := s.(*memstore.Store)
	a := &app{
		sessions: session.New(s, session.Options{
			// Without "keep me signed in", the session ends with the browser, an
			// hour after the last request, and a day after the sign-in.
			Cookie:      session.Cookie{Name: "login", Transient: true},
			IdleTimeout: time.Hour,
			Lifetime:    24 * time.Hour,

			// Plain HTTP, for a tour on localhost. A site on HTTPS leaves this out,
			// and its cookie is Secure and has the __Host- prefix.
			Insecure: true,

			Skip: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, staticPath) },
		}),
		inMemory: inMemory,
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.showHome)
	mux.HandleFunc("GET /login", a.showLogin)
	mux.HandleFunc("POST /login", signIn)
	mux.HandleFunc("POST /logout", signOut)
	mux.Handle("GET /account", signedIn(a.showAccount))
	mux.Handle("GET /account/codes", signedInRecently(a.showCodes))
	mux.Handle("POST /account/revoke", signedInRecently(a.revoke))
	mux.Handle("POST /account/revoke-others", signedInRecently(revokeOthers))
	mux.HandleFunc("GET "+staticPath+"{file}", serveStatic)
	return http.NewCrossOriginProtection().Handler(bounded(a.sessions.Handler(mux)))
}

func (a *app) showHome(w http.ResponseWriter, r *http.Request) {
	render(w, r, homeTemplate, a.common(r.Context()))
}

// common returns what is on every page. It takes the messages.
func (a *app) common(ctx context.Context) common {
	return common{
		User:     session.UserID(ctx),
		Messages: flash.Take(ctx),
		InMemory: a.inMemory,
	}
}
