package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
)

// remembered is how long a session lasts if its user asks for it.
const remembered = 30 * 24 * time.Hour

func (a *app) showLogin(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if errors.Is(session.Err(ctx), session.ErrEnded) {
		// On another device, a moment ago. Nothing can be stored in this session
		// any more, so the gate could leave no message.
		flash.Now(ctx, flash.Message{Level: flash.LevelInfo, Text: "Your session has ended. Please sign in again."})
	}
	page := loginPage{common: a.common(ctx), Kept: session.Remembered(ctx)}
	page.Form.User = flash.TakeForm(ctx, "/login").Value("user")
	render(w, r, loginTemplate, page)
}

func signIn(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		refuse(w, r, http.StatusBadRequest, "That form can't be read.", "/login")
		return
	}
	if !r.PostForm.Has("user") || !r.PostForm.Has("password") {
		refuse(w, r, http.StatusBadRequest, "Signing in takes a user name and a password.", "/login")
		return
	}
	user := r.PostForm.Get("user")
	if !authentic(user, r.PostForm.Get("password")) {
		flash.NewForm(r, "user").Store(ctx, "/login") // what is not named, the password, goes nowhere
		refuse(w, r, http.StatusUnauthorized, "Unknown user name, or wrong password.", "/login")
		return
	}
	hello, next := "Hello "+user+", you are signed in.", "/"
	if session.UserID(ctx) == user { // who was asked for the password again, most likely
		hello, next = "Thank you, "+user+".", "/account"
	}
	session.Login(ctx, user) // under a new id
	if r.PostForm.Get("remember") == "on" {
		session.Remember(ctx, remembered)
	}
	flash.Success(ctx, hello)
	http.Redirect(w, r, session.Intended(ctx, next), http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	if err := session.Logout(r.Context()); err != nil {
		session.Error(w, r, err)
		return
	}
	flash.Info(r.Context(), "You are signed out.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
