// Package fromscs takes the sessions of an app over that kept them with
// alexedwards/scs, in any of its stores, so that moving to Satchel signs nobody out.
//
//	old := scs.New() // as the app had it: Store, Codec, Cookie, HashTokenInStore
//	old.Store = scsredis.New(pool) // scs's redisstore
//	...
//	sessions := session.New(kept, session.Options{
//		Import: fromscs.New(old, func(values map[string]any) string {
//			user, _ := values["userID"].(string) // of the type that the old app put there
//			return user
//		}),
//	})
//
// What becomes of a visitor, and of instances that still run with scs, is in
// [session.Importer] and in docs/moving.md. Nothing is written to the scs store.
//
// # Types
//
// scs keeps gob by default, which knows a struct by the name it was registered
// under: that of its package and type, such as "main.Cart". In the new app the type
// may be called otherwise; then it is registered under the old name:
//
//	gob.RegisterName("main.Cart", shop.Cart{})
//
// Values go over as JSON under the names that they had. So a [session.Key] of the old
// name reads one, if its type is like the old one in the eyes of encoding/json.
package fromscs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// rememberMe is the name under which scs keeps what RememberMe was told.
const rememberMe = "__rememberMe"

// New returns what Options.Import takes, for the sessions of old: its Store, Codec
// and HashTokenInStore as they are now, and the cookie that it describes. The store's
// FindCtx is used where it has one; Find, which knows no deadline, is left to itself when
// the time is up.
//
// user returns who is signed in, as session.Login would be told, from what the old app
// kept about that, or "". It may change values first, to leave some behind or to give
// them other names. It is called by many goroutines at once. Nil: nobody is signed in.
//
// A session ends when it would have ended; scs's idle timeout does not go over,
// see session.Options.IdleTimeout. With a Cookie.Persist that is false, RememberMe
// goes over as session.Remember.
//
// A record that can't be decoded, mostly because its types are not registered, is an
// empty session and a line in the log (store.ErrDamaged). An error of the scs store is
// an outage. Errors say of what type that error was; its text may quote a token.
//
// New panics if old is nil or has no Store, Codec or cookie name.
func New(old *scs.SessionManager, user func(values map[string]any) string) *session.Importer {
	if old == nil || old.Store == nil || old.Codec == nil || old.Cookie.Name == "" {
		panic("fromscs: New needs the old app's manager, made by scs.New, with its Store, Codec and Cookie.Name")
	}
	// One of its own: in old's, what the app's middleware has put into the context
	// would be found.
	reader := &scs.SessionManager{
		Store: old.Store, Codec: codec{old.Codec}, HashTokenInStore: old.HashTokenInStore, Lifetime: old.Lifetime,
	}
	name, persist := old.Cookie.Name, old.Cookie.Persist
	return &session.Importer{
		Cookie:      name,
		Path:        old.Cookie.Path,
		Domain:      old.Cookie.Domain,
		Partitioned: old.Cookie.Partitioned,
		Session: func(ctx context.Context, r *http.Request) (*session.Imported, error) {
			c, err := r.Cookie(name)
			if err != nil {
				return nil, nil
			}
			data, err := reader.Load(ctx, c.Value)
			if err != nil {
				if errors.Is(err, store.ErrDamaged) {
					return nil, err
				}
				return nil, &failure{err}
			}
			if reader.Token(data) == "" {
				return nil, nil
			}
			values := make(map[string]any)
			for _, key := range reader.Keys(data) {
				values[key] = reader.Get(data, key)
			}
			remembered, _ := values[rememberMe].(bool)
			delete(values, rememberMe)
			i := &session.Imported{Deadline: reader.Deadline(data), Remembered: remembered && !persist}
			if user != nil {
				i.User = user(values)
			}
			i.Values = values
			return i, nil
		},
	}
}

// codec tells what can't be decoded from what can't be had.
type codec struct{ scs.Codec }

func (c codec) Decode(b []byte) (deadline time.Time, values map[string]any, err error) {
	deadline, values, err = c.Codec.Decode(b)
	if err == nil {
		return deadline, values, nil
	}
	const damaged = "fromscs: %w; its types have to be registered with gob as in the old app, under the same names (%s)"
	if _, ok := c.Codec.(scs.GobCodec); ok {
		return deadline, nil, fmt.Errorf(damaged, store.ErrDamaged, err) // it names types, and no values
	}
	return deadline, nil, fmt.Errorf("fromscs: %w: the codec fails (%T)", store.ErrDamaged, err)
}

// failure is an error of the scs store.
type failure struct{ cause error }

func (f *failure) Error() string {
	if errors.Is(f.cause, context.DeadlineExceeded) {
		return "fromscs: the scs store failed: " + context.DeadlineExceeded.Error()
	}
	return fmt.Sprintf("fromscs: the scs store failed (%T)", f.cause)
}

func (f *failure) Unwrap() error { return f.cause }
