package storetest

import (
	"fmt"
)

func swapCases() []testCase {
	return []testCase{
		{
			name: "swap-create",
			rule: "Swap with a zero prev creates the record where there is none, also where there was one before.",
			run:  swapCreate,
		},
		{
			name: "swap-create-only",
			rule: "Swap with a zero prev writes nothing where there is a live record, and returns a *Conflict.",
			run:  swapCreateOnly,
		},
		{
			name: "swap-replace",
			rule: "Swap with the live record's version as prev stores the next version and data in its place.",
			run:  swapReplace,
		},
		{
			name: "swap-stale",
			rule: "Swap with a prev that is not the live record's version writes nothing, and returns a *Conflict.",
			run:  swapStale,
		},
		{
			name: "swap-whole-version",
			rule: "Swap compares all 16 bytes of a version.",
			run:  swapWholeVersion,
		},
		{
			name: "swap-missing",
			rule: "Swap with a prev that is not zero returns ErrNotFound where there is no record, and creates none.",
			run:  swapMissing,
		},
		{
			name: "swap-deleted",
			rule: "Swap never brings back a record that was deleted, unless prev is zero.",
			run:  swapDeleted,
		},
		{
			name:  "swap-expired",
			rule:  "Swap never brings back a record that has expired, unless prev is zero.",
			run:   swapExpired,
			waits: true,
		},
		{
			name: "conflict-current",
			rule: "A *Conflict carries the version and the data of the live record, so that a retry costs no read.",
			run:  conflictCurrent,
		},
	}
}

func swapCreate(e *env) error {
	id := e.name("id")
	r, again := record("first", long), record("second", long)
	return first(
		func() error { return e.create(id, r) },
		func() error { return e.holds(id, r, "after creating it") },
		func() error { return e.delete(id) },
		func() error { return e.create(id, again) },
		func() error { return e.holds(id, again, "after creating it anew") },
	)
}

func swapCreateOnly(e *env) error {
	id := e.name("id")
	r := record("there", long)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			_, err := conflict(e.store.Swap(e.ctx, id, none, record("new", long)), "Swap with a zero prev over a live record")
			return err
		},
		func() error { return e.holds(id, r, "after the Swap that was to fail") },
	)
}

func swapReplace(e *env) error {
	id := e.name("id")
	last := record("a rather long beginning", long)
	if err := e.create(id, last); err != nil {
		return err
	}
	for _, data := range []string{"short", "longer than before", "longer than before", ""} {
		next := record(data, long)
		if err := e.replace(id, last.Version, next); err != nil {
			return err
		}
		if err := e.holds(id, next, "after it was replaced"); err != nil {
			return err
		}
		last = next
	}
	return nil
}

func swapStale(e *env) error {
	id := e.name("id")
	old, current := record("old", long), record("current", long)
	stale := func(prev [16]byte, when string) error {
		if _, err := conflict(e.store.Swap(e.ctx, id, prev, record("stale", long)), when); err != nil {
			return err
		}
		return e.holds(id, current, "after a Swap that was to fail")
	}
	return first(
		func() error { return e.create(id, old) },
		func() error { return e.replace(id, old.Version, current) },
		func() error { return stale(old.Version, "Swap with the version before") },
		func() error { return stale(newVersion(), "Swap with a version that never was") },
	)
}

func swapWholeVersion(e *env) error {
	id := e.name("id")
	r := record("data", long)
	if err := e.create(id, r); err != nil {
		return err
	}
	for i := range r.Version {
		other := r.Version
		other[i] ^= 1
		_, err := conflict(e.store.Swap(e.ctx, id, other, record("other", long)),
			fmt.Sprintf("Swap with a version that differs in byte %d alone", i))
		if err != nil {
			return err
		}
	}
	return nil
}

func swapMissing(e *env) error {
	id := e.name("id")
	return first(
		func() error {
			return notFound(e.store.Swap(e.ctx, id, newVersion(), record("data", long)), "Swap of a record that never was")
		},
		func() error { return e.holdsNone(id, "after the Swap that was to fail") },
	)
}

func swapDeleted(e *env) error {
	id := e.name("id")
	r := record("data", long)
	return first(
		func() error { return e.create(id, r) },
		func() error { return e.delete(id) },
		func() error {
			return notFound(e.store.Swap(e.ctx, id, r.Version, record("back", long)), "Swap of a deleted record")
		},
		func() error { return e.holdsNone(id, "after the Swap that was to fail") },
	)
}

func swapExpired(e *env) error {
	id := e.name("id")
	r := record("data", short)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			e.wait(gone)
			return notFound(e.store.Swap(e.ctx, id, r.Version, record("back", long)), "Swap of an expired record")
		},
		func() error { return e.holdsNone(id, "after the Swap that was to fail") },
	)
}

func conflictCurrent(e *env) error {
	id := e.name("id")
	old, current := record("old", long), record("current", long)
	carries := func(prev [16]byte, when string) error {
		got, err := conflict(e.store.Swap(e.ctx, id, prev, record("next", long)), when)
		if err != nil {
			return err
		}
		if err := same(got, current); err != nil {
			return fmt.Errorf("the Conflict of a %s: %w", when, err)
		}
		return nil
	}
	return first(
		func() error { return e.create(id, old) },
		func() error { return e.replace(id, old.Version, current) },
		func() error { return carries(old.Version, "Swap with the version before") },
		func() error { return carries(none, "Swap with a zero prev over a live record") },
	)
}
