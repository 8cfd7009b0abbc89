package storetest

import (
	"bytes"

	"github.com/gosatchel/satchel/store"
)

func aliasCases() []testCase {
	return []testCase{
		{
			name: "alias-in",
			rule: "A store doesn't keep the caller's slice: what the caller does to it after Swap changes nothing.",
			run:  aliasIn,
		},
		{
			name: "alias-out",
			rule: "A store doesn't hand out its own slice: what the caller does to what Find returned changes nothing.",
			run:  aliasOut,
		},
		{
			name: "alias-conflict",
			rule: "A store doesn't hand out its own slice: what the caller does to a Conflict's data changes nothing.",
			run:  aliasConflict,
		},
	}
}

// scribble overwrites data, up to what lies behind it in the same array.
func scribble(data []byte) {
	data = data[:cap(data)]
	for i := range data {
		data[i] ^= 0xff
	}
}

// unscathed returns a copy of r that a scribble over r doesn't reach.
func unscathed(r store.Record) store.Record {
	r.Data = bytes.Clone(r.Data)
	return r
}

func aliasIn(e *env) error {
	id := e.name("id")
	r, next := record("created", long), record("replaced", long)
	r.Data = append(make([]byte, 0, 100), r.Data...)
	keptR, keptNext := unscathed(r), unscathed(next)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			scribble(r.Data)
			return e.holds(id, keptR, "after the caller's slice was changed")
		},
		func() error { return e.replace(id, r.Version, next) },
		func() error {
			scribble(next.Data)
			return e.holds(id, keptNext, "after the caller's slice was changed")
		},
	)
}

func aliasOut(e *env) error {
	id := e.name("id")
	r := record("data", long)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			got, err := e.store.Find(e.ctx, id)
			scribble(got.Data)
			return err
		},
		func() error { return e.holds(id, r, "after what Find returned was changed") },
	)
}

func aliasConflict(e *env) error {
	id := e.name("id")
	r := record("data", long)
	for _, prev := range []store.Version{none, newVersion()} {
		if err := e.delete(id); err != nil {
			return err
		}
		if err := e.create(id, r); err != nil {
			return err
		}
		current, err := conflict(e.store.Swap(e.ctx, id, prev, record("next", long)), "Swap over a live record")
		if err != nil {
			return err
		}
		scribble(current.Data)
		if err := e.holds(id, r, "after the Conflict's data was changed"); err != nil {
			return err
		}
	}
	return nil
}
