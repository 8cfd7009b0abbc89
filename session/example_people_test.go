package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
	"github.com/gosatchel/satchel/store/redisstore"
)

// appOptions is what all programs of an app share.
var appOptions = session.Options{Cookie: session.Cookie{Name: "shop"}}

// A user's devices, and signing one of them out.
func ExampleManager_Sessions() {
	sessions := session.New(memstore.New(), session.Options{IdleTimeout: 24 * time.Hour})
	devices := func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		all, err := sessions.Sessions(ctx, session.UserID(ctx))
		if err != nil {
			session.Error(w, r, err)
			return
		}
		for _, s := range all {
			fmt.Fprintln(w, s.Ref, s.UserAgent, s.LastSeen, s.Current)
		}
	}
	signOut := func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		err := sessions.Revoke(ctx, session.UserID(ctx), r.PostFormValue("ref"))
		if err != nil && !errors.Is(err, store.ErrNotFound) { // a second click finds it gone
			session.Error(w, r, err)
			return
		}
		http.Redirect(w, r, "/devices", http.StatusSeeOther)
	}

	mux := http.NewServeMux()
	signedIn := session.RequireUser("/login")
	mux.Handle("GET /devices", signedIn(http.HandlerFunc(devices)))
	recently := session.RequireRecent(5*time.Minute, "/login")
	mux.Handle("POST /devices/sign-out", recently(http.HandlerFunc(signOut)))
	log.Fatal(http.ListenAndServe("localhost:8080", sessions.Handler(mux)))
}

// A program that serves no requests, such as one that closes accounts, needs the
// app's store and its options: a user's sessions are listed under the cookie's name,
// which depends on the Name, Domain, Path and Insecure of them.
func ExampleManager_RevokeAll() {
	kept, err := redisstore.Open("redis://localhost:6379/0", redisstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sessions := session.New(kept, appOptions)
	if err := sessions.RevokeAll(context.Background(), "user-4711"); err != nil {
		log.Fatal(err)
	}
}

// What is sensitive asks for the password again, and the sign-in leads back.
func ExampleRequireRecent() {
	mux := http.NewServeMux()
	mux.Handle("GET /recovery-codes", session.RequireRecent(5*time.Minute, "/login")(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "signed in at", session.AuthenticatedAt(r.Context()))
		})))
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		user, err := check(r.FormValue("user"), r.FormValue("password"))
		if err != nil {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		session.Login(ctx, user)
		http.Redirect(w, r, session.Intended(ctx, "/"), http.StatusSeeOther)
	})
}

// Two managers in one app: the back office signs in apart from the shop, for a
// shorter time, and can look into the shop's session of the same browser.
func ExampleKey_In() {
	kept := memstore.New()
	shop := session.New(kept, session.Options{})
	office := session.New(kept, session.Options{
		Cookie:   session.Cookie{Name: "office"},
		Lifetime: 8 * time.Hour,
	})

	backOffice := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		fmt.Fprintln(w, session.UserID(ctx), "of the office, with", cartKey.In(shop).Get(ctx).Items)
		fmt.Fprintln(w, session.UserID(shop.Context(ctx)), "of the shop")
	})
	mux := http.NewServeMux()
	mux.Handle("/office/", office.Handler(backOffice))
	log.Fatal(http.ListenAndServe("localhost:8080", shop.Handler(mux)))
}
