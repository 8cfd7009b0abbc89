// Package fromgorilla takes the sessions of an app over that kept them with
// gorilla/sessions, in any store, so that moving to Satchel signs nobody out.
//
//	old := sessions.NewFilesystemStore(dir, keys...) // as the app had it
//	kept := session.New(s, session.Options{
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
// store gives a session an ID, as the FilesystemStore and most for databases do, that
// names it, and it is taken over once, whatever the cookie's value.
//
// A [sessions.CookieStore] has nothing but the cookie. There each value is a
// session, so two limits follow from it. Requests at the same time whose cookies
// differ, because an old instance has just saved, become two sessions. And a
// logout can expire the browser's cookie, but not an older or newer value of it
// that somebody kept: that can be taken over again, as it could be used with
// gorilla itself until its keys are changed. Let such an app move in one step, or
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

// flashes is the name under which gorilla keeps flash messages, unless told another.
const flashes = "_flash"

// New returns what Options.Import takes, for the sessions of old whose cookie has this
// name. The cookie's path and domain, and how long a session lives from now, are those of
// old's options; a MaxAge of 0 does not say, so session.Options does.
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
			s, err := old.New(r, cookie)
			if err != nil {
				return nil, explain(err)
			}
			if s == nil || s.IsNew {
				return nil, nil
			}
			i := &session.Imported{ID: s.ID, Values: make(map[string]any)}
			if options.MaxAge > 0 {
				i.Deadline = time.Now().Add(time.Duration(options.MaxAge) * time.Second)
			}
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
func explain(err error) error {
	var several securecookie.MultiError
	var one securecookie.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &several):
		for _, err := range several {
			if err := explainCookie(err); err != nil {
				return err
			}
		}
		return nil
	case errors.As(err, &one):
		return explainCookie(err)
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
