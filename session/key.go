package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
)

// A Key is the name of a value in sessions, and its type. Make it once, with
// [NewKey], as a package variable. It is safe for concurrent use.
//
// All methods need a context with a session, which [Manager.Handler] provides,
// and panic without. They mean the session of the innermost manager; see In.
type Key[T any] struct {
	name    string
	manager *Manager // nil for the innermost one
}

// NewKey returns the key called name. Its values are kept as JSON.
//
// It panics if name is empty or was used for another type before, or if JSON
// can't carry a T: a channel, a function, or a struct that has fields but
// exports none of them.
func NewKey[T any](name string) Key[T] {
	kind := reflect.TypeFor[T]()
	if name == "" {
		refuse("NewKey[%v] needs a name", kind)
	}
	if problem := unfit(kind); problem != "" {
		refuse("NewKey[%v](%q): %s", kind, name, problem)
	}
	if other, taken := keyTypes.LoadOrStore(name, kind); taken && other != kind {
		refuse("NewKey[%v](%q): the name is taken by a key of type %v; choose another", kind, name, other)
	}
	return Key[T]{name: name}
}

// In returns the key for m's session, where several managers wrap a handler, as
// in cart.In(shop).Get(ctx). It panics, when used, if m does not wrap the handler.
func (k Key[T]) In(m *Manager) Key[T] {
	k.manager = m
	return k
}

// keyTypes has the type of each key's name, for this process.
var keyTypes sync.Map

// Get returns the value, or the zero value if there is none. What it returns is
// a copy: changing it changes nothing until it is Set. It costs no round trip.
//
// A stored value that is no T any more, since the type was changed in a way that
// JSON does not forgive, reads as absent, and is logged.
func (k Key[T]) Get(ctx context.Context) T {
	v, _ := k.Lookup(ctx)
	return v
}

// Lookup is Get that tells a zero value from none.
func (k Key[T]) Lookup(ctx context.Context) (T, bool) {
	t := k.within(ctx)
	return k.decode(t, t.read(k.name))
}

// Set sets the value with the next commit. Of several requests that set a key at
// once, the last to commit wins; to change what is there, use Update. To set what
// the request sees there already is no change, and stores nothing.
//
// A value that can't be encoded fails the commit with an error that names the key.
func (k Key[T]) Set(ctx context.Context, v T) {
	t := k.within(ctx)
	raw, err := k.encode(v)
	if err != nil {
		t.change(impossible{k.name, err})
		return
	}
	t.change(setValue{k.name, raw, t.hasRead(k.name)})
}

// Update changes the value with the next commit. It runs change at once, on a
// copy, or on the zero value if there is none. If somebody else commits another
// value first, it runs it again on theirs, so that no update is lost; so change
// should touch nothing but what it is given. It costs no round trip of its own.
func (k Key[T]) Update(ctx context.Context, change func(v *T)) {
	t := k.within(ctx)
	t.change(updateValue{k.name, func(raw []byte) ([]byte, error) {
		v, ok := k.decode(t, raw)
		var before []byte
		if !ok {
			before, _ = k.encode(v)
		}
		change(&v)
		after, err := k.encode(v)
		if !ok && bytes.Equal(before, after) {
			after = raw // nothing is stored where there is nothing, and it stayed so
		}
		return after, err
	}})
}

// Take removes the value and returns it, committed now: of all requests that
// take it at the same time, one gets it, and the others get false. It costs one
// round trip, or none if there is nothing to take. With an error the value is
// still there, except after ErrUnknown, when it may be gone.
func (k Key[T]) Take(ctx context.Context) (v T, ok bool, err error) {
	if k.manager != nil {
		ctx = k.manager.Context(ctx)
	}
	err = Transact(ctx, func(ctx context.Context) error {
		if v, ok = k.Lookup(ctx); ok {
			k.Delete(ctx)
		}
		return nil
	})
	if err != nil {
		var zero T
		return zero, false, err
	}
	return v, ok, nil
}

// Delete removes the value with the next commit.
func (k Key[T]) Delete(ctx context.Context) {
	k.within(ctx).change(deleteValue{name: k.name})
}

func (k Key[T]) within(ctx context.Context) *transaction {
	if k.name == "" {
		refuse("a Key[%v] that was not made by NewKey", reflect.TypeFor[T]())
	}
	if k.manager != nil {
		ctx = k.manager.Context(ctx)
	}
	return within(ctx)
}

// encode's errors name the type, and never quote the value.
func (k Key[T]) encode(v T) ([]byte, error) {
	if raw, ok := plainJSON(&v); ok {
		return raw, nil
	}
	raw, err := json.Marshal(v)
	if err == nil {
		return raw, nil
	}
	var failed *json.MarshalerError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("session: the MarshalJSON or MarshalText of %v fails on this value (%T)", failed.Type, failed.Unwrap())
	}
	return nil, fmt.Errorf("session: this %v can't be encoded as JSON (%T)", reflect.TypeFor[T](), err)
}

func (k Key[T]) decode(t *transaction, raw []byte) (v T, ok bool) {
	if raw == nil {
		return v, false
	}
	if fromPlainJSON(raw, &v) {
		return v, true
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.log(slog.LevelError, "session: a stored value is not what its key says, and reads as absent",
			"key", k.name, "type", reflect.TypeFor[T](), "kind", fmt.Sprintf("%T", err))
		var zero T
		return zero, false
	}
	return v, true
}
