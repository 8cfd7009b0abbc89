package session

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An Importer takes the sessions of another library over, so that moving an app
// signs nobody out. Packages session/fromscs and session/fromgorilla make one.
//
// A request that has no session of ours, but a cookie of the old library, has
// Session asked about it. The visitor then has a session with what it returned,
// under a new id, and the old cookie is not asked about again: not by requests at
// the same time, in any process, which all join the one new session, and not after
// a logout, of whichever session, by a request that has it. Such a logout also
// expires the old cookie in the browser, and ends the session that the cookie was taken
// over into, if it still leads there. Else the old library's cookie and record
// stay as they are, so that old instances go on working beside. What they do with
// them afterwards is not seen here.
//
// A receipt in the store, of about 150 bytes, remembers until the old session's
// deadline that it was taken over. For a minute, and as long as nobody has come
// with the new cookie, whoever has the old one joins the new session: the
// response that brought the new one may be lost.
//
// To take over costs four round trips, one more to list the session under its user, and
// what Session takes, all within one Options.StoreTimeout, apart from that of looking
// for a session of ours; the first request with the new cookie costs one. A logout with
// the old one costs one if it was taken over by that cookie. Otherwise Session is
// asked, and what it knows is taken over and ended at once; so while the old library
// does not answer, such a logout fails. A request whose old cookie leads to nothing
// costs one and what Session takes. Requests without the old cookie cost nothing, nor
// do those with a session. While the old library hangs, each request that it is to be
// asked about waits for it. [Manager.Do] takes nothing over.
type Importer struct {
	// Cookie is the name of the old library's cookie. It can be that of our own:
	// then the id in it that we don't know is asked about.
	Cookie string

	// Path, Domain and Partitioned are as the old library sets them, so that a
	// logout by a request with the old cookie can expire it. Path is "/" by default.
	Path, Domain string
	Partitioned  bool

	// Session returns the session of the cookie in r, or nil if there is none. r is
	// a copy of the request, without its body, and if it carries several cookies of
	// that name, the one that is meant is the first.
	//
	// An error that wraps store.ErrDamaged is logged, and the visitor has an empty
	// session. Any other is an outage, about which see Options.Outage, as is a
	// Session that does not return in time. It is called by many goroutines at once,
	// up to 64, and should keep to ctx. Errors are logged, so they must not contain ids
	// or values.
	Session func(ctx context.Context, r *http.Request) (*Imported, error)
}

// Imported is a session of another library.
type Imported struct {
	// ID is the old library's own name for the session, for one whose cookie has
	// another value each time that it is set. It has to be as hard to guess as the
	// cookie, and never the name of another session. The old library is then asked also
	// about a cookie that was taken over, if it comes without one of ours. Default: the
	// cookie's value.
	ID string

	// User is who is signed in, as [Login] would be told, or "". [AuthenticatedAt]
	// does not know when that was, so [RequireRecent] asks again.
	User string

	// Values are encoded as JSON under the names that [NewKey] is given. One that
	// can't be is left out, and logged by its name.
	Values map[string]any

	// Deadline is when the session ends. By default it has Options.Lifetime from
	// now, or AnonymousLifetime if there is no User. One that has passed is no session.
	Deadline time.Time

	// CookieUntil is until when the old library takes the cookie, if that is later: as
	// long is remembered that it was taken over. Default: the Deadline, or else
	// Options.Lifetime from now.
	CookieUntil time.Time

	// Remembered is what Remember would say: it has no idle timeout, and its cookie
	// survives the browser.
	Remembered bool
}

// checked returns a copy of i with its defaults filled in.
func (i *Importer) checked() *Importer {
	c := *i
	if c.Session == nil {
		refuse("Options.Import.Session is nil; use the Importer of session/fromscs or session/fromgorilla, or write that function")
	}
	c.Path = orDefault(c.Path, "/")
	if !strings.HasPrefix(c.Path, "/") {
		refuse("Options.Import.Path %q: begin it with a slash; browsers ignore any other", c.Path)
	}
	probe := http.Cookie{Name: c.Cookie, Value: "x", Domain: c.Domain, Path: c.Path}
	if err := probe.Valid(); err != nil {
		refuse("Options.Import can't be about a cookie as RFC 6265 has it (%v); correct its Cookie %q, Domain %q or Path %q", err, c.Cookie, c.Domain, c.Path)
	}
	return &c
}

// cookies returns the values of the old library's cookies in r, of which there is
// more than one only where one was planted, or where it has the name of ours.
func (i *Importer) cookies(r *http.Request) (values []string) {
	for _, c := range r.CookiesNamed(i.Cookie) {
		if c.Value != "" && !slices.Contains(values, c.Value) && len(values) < maxTokens {
			values = append(values, c.Value)
		}
	}
	return values
}

// oldCookies returns those of the request that could bring a session of the old
// library. The mutex is held.
func (t *transaction) oldCookies() []string {
	if t.request == nil || t.manager.options.Import == nil {
		return nil
	}
	return slices.DeleteFunc(t.manager.options.Import.cookies(t.request), func(c string) bool {
		// Where both have one name.
		return c == t.ident.token || t.endedElsewhere != nil && c == t.endedElsewhere.ident.token
	})
}

// forget adds to h the line that makes the browser forget the old library's cookie,
// if it came with one. ours is the line about our own.
func (t *transaction) forget(h http.Header, r *http.Request, ours string) {
	o := t.manager.options
	old := o.Import
	same := old.Cookie == o.Cookie.Name && old.Path == o.Cookie.Path && old.Domain == o.Cookie.Domain
	if same && ours != "" || len(old.cookies(r)) == 0 {
		return
	}
	expired := http.Cookie{
		Name: old.Cookie, Path: old.Path, Domain: old.Domain, Partitioned: old.Partitioned,
		MaxAge: -1, Expires: time.Unix(1, 0), HttpOnly: true, Secure: !o.Insecure, SameSite: o.Cookie.SameSite,
	}
	h.Add("Set-Cookie", expired.String())
	keepPrivate(h)
}
