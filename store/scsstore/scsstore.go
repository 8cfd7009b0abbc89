package scsstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gosatchel/satchel/store"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] over an scs store. It is safe for concurrent use by one
// process: there must be no other Store over the same scs store. Create it with
// [New].
type Store struct {
	scs      scs.CtxStore
	patience time.Duration
	locks    locks
	slots    chan struct{} // one is taken by each call that is under way
}

// Options of a store. The zero value is ready for production.
type Options struct {
	// MaxCalls bounds the calls to the scs store that are under way at once, with
	// those whose callers have left. Calls beyond it wait, up to their deadline.
	// Where an scs store hangs, so many goroutines hang with it. Default 128.
	MaxCalls int

	// WriteTimeout is how long a write to an [scs.CtxStore] may go on, which is
	// longer than callers wait for it: a write that is given up may still be carried
	// out by the database, and then it is too late to keep others waiting. It means
	// nothing to a plain [scs.Store]. Default 1 minute.
	WriteTimeout time.Duration
}

// New returns a store over s. If s is an [scs.CtxStore], only the methods that take
// a context are called. It panics if s is nil or an option is negative.
//
// Nothing is read or written, and there is nothing to close.
func New(s scs.Store, o Options) *Store {
	switch {
	case s == nil:
		panic("scsstore: New needs an scs store")
	case o.MaxCalls < 0:
		panic("scsstore: Options.MaxCalls must not be negative")
	case o.WriteTimeout < 0:
		panic("scsstore: Options.WriteTimeout must not be negative")
	}
	if o.MaxCalls == 0 {
		o.MaxCalls = 128
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = time.Minute
	}
	withContext, ok := s.(scs.CtxStore)
	if !ok {
		withContext = plain{s}
	}
	return &Store{scs: withContext, patience: o.WriteTimeout, slots: make(chan struct{}, o.MaxCalls)}
}

// plain is a store that can't be interrupted.
type plain struct{ scs.Store }

func (p plain) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	return p.Find(token)
}

func (p plain) CommitCtx(_ context.Context, token string, b []byte, expiry time.Time) error {
	return p.Commit(token, b, expiry)
}

func (p plain) DeleteCtx(_ context.Context, token string) error { return p.Delete(token) }

// tokenOf returns what id is called in the scs store. Some of them take no more than
// the 43 characters that scs's own tokens have, some only text, and some can't tell
// upper from lower case: of a hash, enough is left to tell ids apart.
func tokenOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Find returns the live record under id, or [store.ErrNotFound]. A value that no
// Store wrote is [store.ErrDamaged]. One round trip. It takes no lock: while a write
// is under way it finds what was there before.
func (s *Store) Find(ctx context.Context, id string) (store.Record, error) {
	// Of the call alone until it has returned: a caller that has left must find
	// nothing written into its result.
	var found store.Record
	err := s.read(ctx, "find", func(ctx context.Context) (err error) {
		found, err = s.find(ctx, tokenOf(id))
		return err
	})
	if err != nil {
		return store.Record{}, err
	}
	return found, nil
}

// Swap stores next under id if the live record's version is prev, and otherwise
// returns a [*store.Conflict] or [store.ErrNotFound]. Two round trips, one if it
// writes nothing. It is atomic among all calls on this Store, and on no other.
func (s *Store) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if err := store.Check(next); err != nil {
		return err
	}
	token := tokenOf(id)
	value := encode(next) // at once, since the work may go on after the call has returned
	return s.write(ctx, "swap", token, func(c *call) error {
		current, err := s.find(c.reading, token)
		missing := errors.Is(err, store.ErrNotFound)
		switch {
		case err != nil && !missing:
			return notApplied(err)
		case current.Version == prev: // both zero where there is none
			return c.write(s.commit(token, value, next.TTL))
		case missing:
			return store.ErrNotFound
		}
		return &store.Conflict{Current: current}
	})
}

// Touch sets the record's time to live if its version is still v. An scs store has
// no other way than to write the whole record again. Two round trips, one if it
// writes nothing.
func (s *Store) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	token := tokenOf(id)
	return s.write(ctx, "touch", token, func(c *call) error {
		current, err := s.find(c.reading, token)
		switch {
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
			return nil
		case err != nil:
			return notApplied(err)
		case current.Version != v:
			return nil
		}
		return c.write(s.commit(token, encode(current), ttl))
	})
}

// Delete removes the record, or whatever else has its token. One round trip.
func (s *Store) Delete(ctx context.Context, id string) error {
	token := tokenOf(id)
	return s.write(ctx, "delete", token, func(c *call) error {
		return c.write(func(ctx context.Context) error {
			return s.scs.DeleteCtx(ctx, token)
		})
	})
}

// find is Find within a call.
func (s *Store) find(ctx context.Context, token string) (store.Record, error) {
	value, ok, err := s.scs.FindCtx(ctx, token)
	switch {
	case err != nil:
		return store.Record{}, &failure{err}
	case !ok:
		return store.Record{}, store.ErrNotFound
	}
	return decode(value)
}

// commit returns what writes value for ttl.
func (s *Store) commit(token string, value []byte, ttl time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.scs.CommitCtx(ctx, token, value, endAfter(value, ttl))
	}
}

func notApplied(err error) error { return fmt.Errorf("%w: %w", err, store.ErrNotApplied) }
