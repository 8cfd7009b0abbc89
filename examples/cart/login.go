package main

import (
	"net/http"

	"golang.org/x/crypto/bcrypt"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
)

func signIn(w http.ResponseWriter, r *http.Request) {
	if !parseForm(w, r) {
		return
	}
	if !r.PostForm.Has("user") || !r.PostForm.Has("password") {
		refuse(w, r, http.StatusBadRequest, "Signing in takes a user name and a password.")
		return
	}
	user := r.PostForm.Get("user")
	if !authentic(user, r.PostForm.Get("password")) {
		refuse(w, r, http.StatusUnauthorized, "Unknown user name, or wrong password.")
		return
	}
	session.Login(r.Context(), user) // under a new id, and with the cart
	flash.Success(r.Context(), "Hello "+user+", you are signed in.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	if err := session.Logout(r.Context()); err != nil {
		session.Error(w, r, err)
		return
	}
	flash.Info(r.Context(), "You are signed out, and your cart is empty.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// users are those of the demo, and their passwords as bcrypt hashes. The names
// are also the ids, since nobody here ever takes another name.
var users = map[string]string{
	"alice": "$2a$10$j8FDhmJ1VGmXUjO5EC7rVO5x/HtAG0lEbvclIKrrOGFiEY/3e8ONK",
	"bob":   "$2a$10$xr8LljCc5MAIoB5cCPLJ6uBvFAxNpY/trx1uz4wpVQGC2Hrej4e5S",
}

// nobody is the hash that the password of an unknown user is compared with, so
// that the time of an answer does not tell who is a user.
const nobody = "$2a$10$W3MfIpxWHpjM/Ywd9CJCAOuBdAoPJPP.hH3MpCauAtJXKZTdDNyGG"

func authentic(user, password string) bool {
	hash, known := users[user]
	if !known {
		hash = nobody
	}
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	return err == nil && known
}
