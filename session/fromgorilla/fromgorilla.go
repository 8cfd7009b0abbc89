// Package fromgorilla takes the sessions of an app over that kept them with
// gorilla/sessions, in any store, so that moving to Satchel signs nobody out.
//
//	old := sessions.NewFilesystemStore(dir, keys...) // as the app had it
//	manager := session.New(kept, session.Options{
//		Import: fromgorilla.New(old, "session-name", func(values map[any]any) string {
//			user, _ := values["user"].(string)
//			return user
//		}),
//	})
//
// What becomes of a visitor, and of instances that still run with gorilla/sessions, is
// in [session.Importer] and in docs/moving.md. Nothing is written to the old store.
//
// # Which sessions are the same
//
// gorilla gives the cookie another value each time that it saves a session. Where the
// store gives a session a random ID, as the FilesystemStore and those for Redis do, that
// names it, and it is taken over once, whatever the cookie's value. An ID of less than 20
// characters is none: stores that number their sessions give a number again.
//
// A [sessions.CookieStore] has nothing but the cookie, and so has a store with numbers.
// There each value is a session, so two limits follow from it. Requests at the same
// time whose cookies differ, because an old instance has just saved, become two
// sessions. And a logout can expire the browser's cookie, but not an older or newer
// value of it that somebody kept: that can be taken over again, as it could be used
// with gorilla itself until its keys are changed. Let such an app move in one step, or
// keep the time side by side short.
//
// # Types
//
// Values are gob, which knows a struct by the name it was registered under, such
// as "main.Cart". Where the type is called otherwise in the new app, register it
// with gob.RegisterName("main.Cart", shop.Cart{}). They go over as JSON under the
// names that they had. So a [session.Key] of the old name reads one, if its type
// is like the old one in the eyes of encoding/json.
package fromgorilla

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

const (
	// shortestID is how long an ID has to be to be taken for one that nobody guesses and
	// no other session gets. Some stores for SQL databases number their rows, and number a
	// new one as one that was deleted. Such a session is known by its cookie alone.
	shortestID = 20

	// cookieAge is for how long package securecookie takes a cookie if it isn't told
	// otherwise; options with another MaxAge don't tell it.
	cookieAge = 30 * 24 * time.Hour
)

// flashes is the name under which gorilla keeps flash messages, unless told another.
const flashes = "_flash"

// New returns what Options.Import takes, for the sessions of old whose cookie has this
// name. The cookie's path and domain, and how long a session lives from now, are those of
// old's options; a MaxAge of 0 does not say, so session.Options does. That a session was
// taken over is remembered for as long, and for the 30 days at least for which gorilla
// takes a cookie. Where the store's method MaxAge was told more than the options have, that
// is too short.
//
// user returns who is signed in, as session.Login would be told, from what the old app
// kept about that, or "". It may change values first. Only values with a name that is a
// string go over; to others it can give one:
//
//	values["cart"] = values[cartKey{}]
//
// It is called by many goroutines at once. Nil: nobody is signed in. Flash
// messages are left behind: those under "_flash", and under other names what user
// deletes.
//
// A cookie that is not signed with old's keys, or too old for them, leads to no
// session. A record that can't be decoded, mostly because its types are not
// registered, is an empty session and a line in the log (store.ErrDamaged). Any
// other error of old is an outage. Errors say of what type that error was; its
// text may quote an ID.
//
// New panics if old is nil or can't make a session for a request without a cookie.
func New(old sessions.Store, cookie string, user func(values map[any]any) string) *session.Importer {
	if old == nil {
		panic("fromgorilla: New needs the old app's store")
	}
	options := optionsOf(old, cookie)
	return &session.Importer{
		Cookie:      cookie,
		Path:        options.Path,
		Domain:      options.Domain,
		Partitioned: options.Partitioned,
		Session: func(_ context.Context, r *http.Request) (*session.Imported, error) {
			if c, err := r.Cookie(cookie); err != nil || !canonical(c.Value) {
				return nil, nil
			}
			s, err := old.New(r, cookie)
			if err != nil {
				return nil, explain(s, err)
			}
			if s == nil || s.IsNew {
				return nil, nil
			}
			i := &session.Imported{Values: make(map[string]any)}
			if len(s.ID) >= shortestID {
				i.ID = s.ID
			}
			age := time.Duration(options.MaxAge) * time.Second
			if age > 0 {
				i.Deadline = time.Now().Add(age)
			}
			i.CookieUntil = time.Now().Add(max(age, cookieAge))
			if user != nil {
				i.User = user(s.Values)
			}
			for key, v := range s.Values {
				if name, ok := key.(string); ok && name != flashes {
					i.Values[name] = v
				}
			}
			return i, nil
		},
	}
}

// canonical reports whether a cookie is spelled as package securecookie would. It takes
// other spellings for the same, so that a cookie that was renounced would have a twin.
func canonical(value string) bool {
	b, err := base64.URLEncoding.DecodeString(value)
	return err != nil || base64.URLEncoding.EncodeToString(b) == value
}

// optionsOf returns the options that old gives a new session.
func optionsOf(old sessions.Store, cookie string) sessions.Options {
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		panic(err)
	}
	s, err := old.New(r, cookie)
	if err != nil || s == nil || s.Options == nil {
		panic(fmt.Sprintf("fromgorilla: New needs a store that can make a session; %T fails (%T)", old, err))
	}
	return *s.Options
}

// explain returns what an error of a store means for the visitor: nil if there is
// no session.
func explain(s *sessions.Session, err error) error {
	var several securecookie.MultiError
	var one securecookie.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &several), errors.As(err, &one):
		if len(several) == 0 {
			several = securecookie.MultiError{err}
		}
		for _, err := range several {
			if err := explainCookie(err); err != nil {
				return err
			}
		}
		if s != nil && s.ID != "" { // the cookie was good, so it is the record that isn't
			return fmt.Errorf("fromgorilla: %w: the record is cut off, or not signed with the store's keys", store.ErrDamaged)
		}
		return nil
	case isDecoding(err):
		return damaged(err)
	}
	return &failure{err}
}

// explainCookie does it for one of a store's keys. What was signed with it, and
// can't be decoded for all that, is damaged; anything else is somebody else's
// cookie, or an old one.
func explainCookie(err error) error {
	var e securecookie.Error
	var base64Failed base64.CorruptInputError
	switch {
	case !errors.As(err, &e):
		return nil // too long
	case e.IsUsage(), e.IsInternal():
		return &failure{err} // a key that is none
	case e.Cause() == nil, errors.As(e.Cause(), &base64Failed):
		return nil
	}
	cause := e.Cause()
	for errors.As(cause, &e) && e.Cause() != nil {
		cause = e.Cause()
	}
	return damaged(cause)
}

// isDecoding reports whether err is of the decoders that stores use.
func isDecoding(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return strings.HasPrefix(err.Error(), "gob: ") || errors.As(err, &syntax) || errors.As(err, &kind)
}

func damaged(err error) error {
	const text = "fromgorilla: %w; its types have to be registered with gob as in the old app, under the same names (%s)"
	if strings.HasPrefix(err.Error(), "gob: ") {
		return fmt.Errorf(text, store.ErrDamaged, err) // it names types, and no values
	}
	return fmt.Errorf("fromgorilla: %w: the decoder fails (%T)", store.ErrDamaged, err)
}

// failure is an error of the old store.
type failure struct{ cause error }

func (f *failure) Error() string {
	return fmt.Sprintf("fromgorilla: the old store failed (%T)", f.cause)
}
func (f *failure) Unwrap() error { return f.cause }
