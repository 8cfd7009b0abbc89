package session

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/gosatchel/satchel/internal/exchange"
)

// Transact reads, checks and changes several keys as one, and commits now. In
// fn's ctx, fn sees the session and its own changes. If somebody else changes
// what fn has read or changed before the commit, fn runs again with the new
// values; so it should do nothing but that. If fn returns an error or panics,
// its changes are dropped, and the error is returned as it is.
//
//	err := session.Transact(ctx, func(ctx context.Context) error {
//		if balance.Get(ctx) < price {
//			return errTooExpensive
//		}
//		balance.Update(ctx, func(b *int) { *b -= price })
//		cart.Update(ctx, func(c *Cart) { c.Add(item, 1) })
//		return nil
//	})
//
// Changes that the request made before go along with the commit. It costs one
// round trip, and one more for each time that somebody was faster; none if fn
// changes nothing. Any other error than fn's is that of the commit, and then
// nothing of fn's was stored, except after ErrUnknown, when it is not known.
//
// A Transact inside fn is part of the outer one. Commit, Destroy and Reload
// are refused there. fn runs again only as long as ctx is not done.
func Transact(ctx context.Context, fn func(ctx context.Context) error) error {
	t := within(ctx)
	if t.outer != nil {
		return fn(ctx)
	}
	if err := t.direct(); err != nil {
		return err
	}
	for n := 0; n < maxRuns; n++ {
		f := t.fork()
		err := run(exchange.With(ctx, f), f, fn)
		if late := t.direct(); late != nil {
			return late
		}
		if err != nil || len(f.pending) == 0 {
			return err
		}
		err = t.commit(ctx, f)
		if err != errRerun {
			return err
		}
		if ctx.Err() != nil {
			return &StoreError{"commit", errors.Join(context.Cause(ctx), errors.New("others kept changing the session"))}
		}
	}
	return errMeddling
}

// run runs fn in the fork f, which is sealed afterwards.
func run(ctx context.Context, f *transaction, fn func(context.Context) error) error {
	defer f.seal()
	if err := fn(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// outdated reports whether what fork f has read or changed is another in current
// than it was when f began.
func (f *transaction) outdated(current *record) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	begun := f.saved
	if begun == nil {
		begun = &record{}
	}
	user := f.readUser
	names := slices.Clone(f.reads)
	for _, c := range f.pending {
		switch c.(type) {
		case clearValues:
			if !slices.EqualFunc(begun.values, current.values, sameValue) {
				return true
			}
		case login:
			user = true
		}
		names = append(names, valueOf(c))
	}
	return user && begun.user != current.user || slices.ContainsFunc(names, func(name string) bool {
		return !bytes.Equal(begun.values.get(name), current.values.get(name))
	})
}
