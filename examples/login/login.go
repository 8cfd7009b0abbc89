package main

import (
	"net/http"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
)

// form is what of a failed try the form is filled with again. There is no field
// for the password, so that none can get into the session or back to a browser.
type form struct {
	User string `json:"user"`
}

// tried carries the form to the next page. It is empty after that: who comes back
// tomorrow finds an empty form.
var tried = flash.NewBag[form]("login form", flash.Most(1))

// remembered is how long a session lasts if its user asks for it.
const remembered = 30 * 24 * time.Hour

func (a *app) showLogin(w http.ResponseWriter, r *http.Request) {
	page := loginPage{common: a.common(r.Context())}
	for _, f := range tried.Take(r.Context()) {
		page.Form = f
	}
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
		if len(user) <= 100 { // anything longer is no slip of the finger
			tried.Add(ctx, form{User: user})
		}
		refuse(w, r, http.StatusUnauthorized, "Unknown user name, or wrong password.", "/login")
		return
	}
	session.Login(ctx, user) // under a new id
	if r.PostForm.Get("remember") == "on" {
		session.Remember(ctx, remembered)
	}
	flash.Success(ctx, "Hello "+user+", you are signed in.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	if err := session.Logout(r.Context()); err != nil {
		session.Error(w, r, err)
		return
	}
	flash.Info(r.Context(), "You are signed out.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
