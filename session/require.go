package session

import (
	"net/http"
	"time"
)

// RequireUser returns a middleware that lets only signed-in requests through. It
// goes inside of [Manager.Handler]. Others it sends away, without calling next:
//
//   - A browser's GET for a page is remembered and redirected (303) to loginPage, a
//     path of this site. After the sign-in, [Intended] says where it was going.
//   - Any other request of a browser is redirected without being remembered: a POST,
//     an image, a fetch.
//   - A client that accepts JSON rather than HTML gets 401 and {"error":"..."}. That
//     is also what a fetch has to say if it wants to know.
//   - A request whose session was renewed by another one meanwhile gets 409, since
//     its user is signed in, under an id that it does not carry yet. A browser's GET is sent
//     to the same place once more, with the cookie it has by then.
//   - During an outage (OutagePolicy ReadOnly) it gets what Options.OnError answers.
//
// Its responses, and those of next that don't say otherwise, carry
// Cache-Control: no-store, so that the Back button shows nothing after a logout
// (OWASP ASVS 14.3.2). It costs no round trip.
func RequireUser(loginPage string) func(next http.Handler) http.Handler {
	return require(loginPage, func(r *record) bool { return r.user != "" })
}

// RequireRecent is RequireUser for what is sensitive: it lets only those requests
// through whose user has signed in at most d ago, and sends others to loginPage to
// do it again (OWASP ASVS 7.5.1, 7.5.3). A Login for the same user is enough.
func RequireRecent(d time.Duration, loginPage string) func(next http.Handler) http.Handler {
	if d <= 0 {
		refuse("RequireRecent(%v): use a positive duration", d)
	}
	return require(loginPage, func(r *record) bool {
		return r.user != "" && time.Since(r.authenticated) <= d
	})
}

func require(loginPage string, passes func(*record) bool) func(http.Handler) http.Handler {
	if localPath(loginPage) == "" {
		refuse("the login page %q has to be a path of this site, such as /login", loginPage)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t := within(r.Context())
			w.Header().Set("Cache-Control", "no-store")
			if s := t.look(); s != nil && passes(s) {
				next.ServeHTTP(w, r)
				return
			}
			t.sendAway(w, r, loginPage)
		})
	}
}

// sendAway answers a request that is not let through.
func (t *transaction) sendAway(w http.ResponseWriter, r *http.Request, loginPage string) {
	m := t.manager
	browsing := (r.Method == http.MethodGet || r.Method == http.MethodHead) && !prefersJSON(r)
	switch err := t.err(); {
	case err == errMoved && browsing && m.retryOnce(w, r):
		http.Redirect(w, r, target(r), http.StatusSeeOther)
	case err == errMoved, err != nil && err != ErrEnded && err != errGone:
		m.options.OnError(w, r, err)
	case prefersJSON(r):
		// RFC 9110, section 15.5.2, wants a scheme named. There is none for forms.
		w.Header().Set("WWW-Authenticate", `Session realm="sign in at `+loginPage+`"`)
		writeJSONError(w, http.StatusUnauthorized, "Please sign in first.")
	default:
		if browsing && navigates(r) && !t.Looks() && err == nil {
			t.intend(r)
		}
		http.Redirect(w, r, loginPage, http.StatusSeeOther)
	}
}

// navigates reports whether r is for a page, and not for a part of one, as far as
// the browser says (Fetch Metadata).
func navigates(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "" || mode == "navigate"
}

// retryOnce reports whether a request that lost a race with a renewal should try
// again, and remembers for some seconds that it did. Our own cookie stays as it is:
// the browser has a newer one by now.
func (m *Manager) retryOnce(w http.ResponseWriter, r *http.Request) bool {
	if target(r) == "" {
		return false
	}
	c := m.options.Cookie
	name := c.Name + "-retry"
	if _, err := r.Cookie(name); err == nil {
		return false
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: "1", MaxAge: 10,
		Path: c.Path, Domain: c.Domain, Secure: !m.options.Insecure, HttpOnly: true, SameSite: c.SameSite, Partitioned: c.Partitioned,
	})
	return true
}
