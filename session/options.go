package session

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Options configure a [Manager]. The zero value is the safe choice for a site
// on HTTPS: a __Host- cookie, two weeks, 503 while the store is down.
type Options struct {
	// Lifetime is how long a session lives at most, counted from its creation or
	// from the last sign-in. Default 14 days.
	Lifetime time.Duration

	// IdleTimeout ends a session that saw no request for so long. It is measured
	// by the store, and extended at most once per minute or tenth of its length,
	// whichever is shorter; so a session may end that much early. Remembered
	// sessions have none. Another value counts for a session from when it is next
	// changed. Default none.
	IdleTimeout time.Duration

	// AnonymousLifetime is the Lifetime of a session that nobody has signed in to,
	// so that bots can't fill the store. Signing in gives the full one. Default Lifetime.
	AnonymousLifetime time.Duration

	// MaxPerUser is how many sessions one user can have. The newest sign-in ends
	// the oldest ones, by the clocks of the servers: where they differ, a sign-in
	// can meet one that seems newer, and fails with ErrEnded. It costs each
	// sign-in one look at the user's sessions, and needs a store that is a
	// store.Indexer. Default no limit.
	MaxPerUser int

	// Cookie is how the browser keeps the id.
	Cookie Cookie

	// Insecure serves plain HTTP, for localhost and tests: the cookie is neither
	// Secure nor __Host-, so anyone on the network can read it, and any
	// sub-domain can plant one.
	Insecure bool

	// StoreTimeout is the deadline of each operation of the store, retries and
	// waiting for a connection included: loading, committing (a sign-in or
	// renewal takes several steps, and counts as one), ending. Default 2 s. A
	// quarter of a commit's time is kept back for finding out what became of a
	// write that got no answer. While a store leaves one operation after the other
	// without an answer, none waits for it, until a probe finds it back; see the package
	// documentation. At most 30 s.
	StoreTimeout time.Duration

	// Outage says what happens to a request whose session can't be loaded, or taken
	// over (Import). Default Refuse.
	Outage OutagePolicy

	// MaxBytes bounds one session, encoded. A commit that would exceed it fails
	// with ErrTooLarge. Default 1 MiB. Forms of package flash that wait for their
	// pages can take 128 KiB of it.
	MaxBytes int

	// Import takes over the sessions of another library. Default nil: none.
	Import *Importer

	// Logger gets what no caller can be told: failures after the response went
	// out, changes that overwrote somebody's, damaged records. It never gets ids
	// or values. Default slog.Default().
	Logger *slog.Logger

	// Skip names requests that need no session, such as static files: theirs is
	// empty and read-only, and costs nothing.
	Skip func(*http.Request) bool

	// OnError answers a request whose session could not be loaded or committed.
	// Nothing of the handler's response has been sent, and its headers are gone.
	// Default Error.
	OnError func(http.ResponseWriter, *http.Request, error)
}

// Cookie are the attributes of the session cookie (RFC 6265bis). It is always
// HttpOnly, and Secure unless Options.Insecure.
type Cookie struct {
	// Name is what the cookie is called, "session" by default. The browser sees it
	// with the strongest prefix that the other fields allow: "__Host-" (no other
	// host can set it), "__Secure-" if there is a Domain or a Path, none if
	// Options.Insecure. A name that begins with a prefix is used as it is.
	Name string

	// Domain shares the cookie with all sub-domains. Whoever controls one of them
	// can then plant a cookie; see ErrAmbiguous. Default: this host alone.
	Domain string

	// Path limits the cookie to a part of the site. It is no protection: scripts
	// of one path reach into the other. Default "/".
	Path string

	// SameSite is Lax by default. None needs HTTPS, and protection against
	// cross-site requests such as http.CrossOriginProtection.
	SameSite http.SameSite

	// Partitioned keeps a cookie of its own per top-level site (CHIPS), for apps
	// that are embedded in others. Needs HTTPS.
	Partitioned bool

	// Transient ends the session with the browser, except where Remember was
	// called. Browsers that restore their tabs restore such cookies too.
	Transient bool
}

// OutagePolicy is what happens to a request whose session can't be loaded.
type OutagePolicy int

const (
	// Refuse answers 503 with Retry-After through Options.OnError.
	Refuse OutagePolicy = iota

	// ReadOnly calls the handler with an empty session that can't be written.
	// [Err] says why. The visitor's cookie is not touched.
	ReadOnly
)

// maxStoreTimeout keeps a sign-in from taking longer than an index keeps an entry
// whose record is not there yet; see store.Indexer.
const maxStoreTimeout = 30 * time.Second

const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

// checked returns o with its defaults filled in. It panics at what can't work,
// with a sentence that names the field and the fix.
func (o Options) checked() Options {
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"Lifetime", o.Lifetime}, {"IdleTimeout", o.IdleTimeout}, {"StoreTimeout", o.StoreTimeout}, {"AnonymousLifetime", o.AnonymousLifetime}} {
		if d.value < 0 {
			refuse("Options.%s is %v; use a positive duration, or 0 for the default", d.field, d.value)
		}
	}
	if o.StoreTimeout > maxStoreTimeout {
		refuse("Options.StoreTimeout is %v; use at most %v, which is half of what an index waits for a sign-in to come to its end", o.StoreTimeout, maxStoreTimeout)
	}
	if o.MaxBytes < 0 {
		refuse("Options.MaxBytes is %d; use a positive number, or 0 for the default", o.MaxBytes)
	}
	if o.MaxPerUser < 0 {
		refuse("Options.MaxPerUser is %d; use a positive number, or 0 for no limit", o.MaxPerUser)
	}
	if o.Outage != Refuse && o.Outage != ReadOnly {
		refuse("Options.Outage is %d; use session.Refuse or session.ReadOnly", o.Outage)
	}
	o.Lifetime = orDefault(o.Lifetime, 14*24*time.Hour)
	o.AnonymousLifetime = orDefault(o.AnonymousLifetime, o.Lifetime)
	o.StoreTimeout = orDefault(o.StoreTimeout, 2*time.Second)
	o.MaxBytes = orDefault(o.MaxBytes, 1<<20)
	if o.IdleTimeout > o.Lifetime {
		refuse("Options.IdleTimeout (%v) is longer than Options.Lifetime (%v) and would never act; shorten it, or leave it 0", o.IdleTimeout, o.Lifetime)
	}
	if o.AnonymousLifetime > o.Lifetime {
		refuse("Options.AnonymousLifetime (%v) is longer than Options.Lifetime (%v); signing in would shorten a session", o.AnonymousLifetime, o.Lifetime)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnError == nil {
		o.OnError = Error
	}
	o.Cookie = o.Cookie.checked(o.Insecure)
	if o.Import != nil {
		o.Import = o.Import.checked()
	}
	return o
}

func (c Cookie) checked(insecure bool) Cookie {
	c.Name = orDefault(c.Name, "session")
	named := c.Name
	everywhere := c.Path == "" || c.Path == "/"
	c.Path = orDefault(c.Path, "/")

	switch lower := strings.ToLower(c.Name); {
	case strings.HasPrefix(lower, strings.ToLower(hostPrefix)):
		if !strings.HasPrefix(c.Name, hostPrefix) {
			refuse("Options.Cookie.Name %q: write the prefix as %s; browsers compare it without regard to case", named, hostPrefix)
		}
		if insecure {
			refuse("Options.Cookie.Name %q needs HTTPS; leave %s out, it is added when Options.Insecure is false", named, hostPrefix)
		}
		if c.Domain != "" {
			refuse("Options.Cookie.Name %q forbids Options.Cookie.Domain; drop the Domain, or the prefix", named)
		}
		if !everywhere {
			refuse("Options.Cookie.Name %q forbids Options.Cookie.Path %q; use \"/\", or drop the prefix", named, c.Path)
		}
	case strings.HasPrefix(lower, strings.ToLower(securePrefix)):
		if !strings.HasPrefix(c.Name, securePrefix) {
			refuse("Options.Cookie.Name %q: write the prefix as %s; browsers compare it without regard to case", named, securePrefix)
		}
		if insecure {
			refuse("Options.Cookie.Name %q needs HTTPS; leave %s out, it is added when Options.Insecure is false", named, securePrefix)
		}
	case insecure:
	case c.Domain == "" && everywhere:
		c.Name = hostPrefix + c.Name
	default:
		c.Name = securePrefix + c.Name
	}

	switch c.SameSite {
	case 0, http.SameSiteDefaultMode:
		c.SameSite = http.SameSiteLaxMode
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	case http.SameSiteNoneMode:
		if insecure {
			refuse("Options.Cookie.SameSite None needs HTTPS, and browsers drop the cookie without; set Options.Insecure to false, or use Lax")
		}
	default:
		refuse("Options.Cookie.SameSite is %d; use http.SameSiteLaxMode, SameSiteStrictMode or SameSiteNoneMode", c.SameSite)
	}
	if c.Partitioned && insecure {
		refuse("Options.Cookie.Partitioned needs HTTPS; set Options.Insecure to false, or drop it")
	}
	if !strings.HasPrefix(c.Path, "/") {
		refuse("Options.Cookie.Path %q: begin it with a slash; browsers ignore any other", c.Path)
	}
	probe := http.Cookie{Name: c.Name, Value: "x", Domain: c.Domain, Path: c.Path, Secure: !insecure, Partitioned: c.Partitioned}
	if err := probe.Valid(); err != nil {
		refuse("Options.Cookie can't be sent as RFC 6265 has it (%v); correct its Name %q, Domain %q or Path %q", err, named, c.Domain, c.Path)
	}
	return c
}

// onlyOurs reports whether no other host can have set a cookie of this name.
func (c Cookie) onlyOurs() bool { return strings.HasPrefix(c.Name, hostPrefix) }

func orDefault[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

func refuse(format string, args ...any) {
	panic("session: " + fmt.Sprintf(format, args...))
}
