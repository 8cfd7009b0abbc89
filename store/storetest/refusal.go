package storetest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gosatchel/satchel/store"
)

func refusalCases() []testCase {
	return []testCase{
		{
			name: "refuse-zero-version",
			rule: "Swap refuses a record with a zero version: the error is ErrZeroVersion, and nothing is written.",
			run:  refuseZeroVersion,
		},
		{
			name: "refuse-swap-ttl",
			rule: "Swap refuses a time to live that is not positive: the error is ErrTTL, and nothing is written.",
			run:  refuseSwapTTL,
		},
		{
			name: "refuse-touch-ttl",
			rule: "Touch refuses a time to live that is not positive: the error is ErrTTL, and nothing is written.",
			run:  refuseTouchTTL,
		},
	}
}

// refuses returns an error unless next is refused with want, both as a new
// record and in place of another.
func (e *env) refuses(next store.Record, want error) error {
	created, replaced := e.name("created"), e.name("replaced")
	r := record("data", long)
	refused := func(err error, when string) error {
		if !errors.Is(err, want) {
			return fmt.Errorf("%s: error %v, want %q", when, err, want)
		}
		return nil
	}
	return first(
		func() error { return refused(e.store.Swap(e.ctx, created, none, next), "Swap that creates") },
		func() error { return e.holdsNone(created, "after a Swap that was to be refused") },
		func() error { return e.create(replaced, r) },
		func() error { return refused(e.store.Swap(e.ctx, replaced, r.Version, next), "Swap that replaces") },
		func() error { return e.holds(replaced, r, "after a Swap that was to be refused") },
		func() error { return e.delete(replaced) },
	)
}

func refuseZeroVersion(e *env) error {
	next := record("next", long)
	next.Version = none
	return e.refuses(next, store.ErrZeroVersion)
}

var notPositive = [...]time.Duration{0, -1, -time.Second, -long, math.MinInt64}

func refuseSwapTTL(e *env) error {
	for _, ttl := range notPositive {
		if err := e.refuses(record("next", ttl), store.ErrTTL); err != nil {
			return fmt.Errorf("a time to live of %v: %w", ttl, err)
		}
	}
	return nil
}

func refuseTouchTTL(e *env) error {
	id := e.name("id")
	r := record("data", long)
	if err := e.create(id, r); err != nil {
		return err
	}
	for _, ttl := range notPositive {
		if err := e.store.Touch(e.ctx, id, r.Version, ttl); !errors.Is(err, store.ErrTTL) {
			return fmt.Errorf("calling Touch with a time to live of %v: error %v, want %q", ttl, err, store.ErrTTL)
		}
		if err := e.holds(id, r, "after a Touch that was to be refused"); err != nil {
			return err
		}
	}
	return nil
}
