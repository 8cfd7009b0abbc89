package main

import (
	"net/http"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
)

// recently is how long ago a sign-in may be for what is sensitive.
const recently = 5 * time.Minute

// signedIn lets only those through who are signed in.
func signedIn(next http.HandlerFunc) http.Handler {
	return explained(session.RequireUser("/login")(next), 0)
}

// signedInRecently is signedIn for what a stranger at an unlocked computer, or
// with a stolen cookie, must not get at: it takes the password once more.
func signedInRecently(next http.HandlerFunc) http.Handler {
	return explained(session.RequireRecent(recently, "/login")(next), recently)
}

// explained says on the login page why it is there, if gate is about to send r to it.
func explained(gate http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		switch {
		case wantsJSON(r): // is told right away
		case session.Err(ctx) != nil: // takes no message; see showLogin
		case session.UserID(ctx) == "":
			flash.Info(ctx, "Please sign in first.")
		case within > 0 && time.Since(session.AuthenticatedAt(ctx)) > within:
			flash.Info(ctx, "You signed in a while ago. Please enter your password again to go on.")
		}
		gate.ServeHTTP(w, r)
	})
}
