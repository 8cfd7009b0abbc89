package storetest

func touchCases() []testCase {
	return []testCase{
		{
			name: "touch-keeps",
			rule: "Touch changes the time to live, and neither the version nor the data.",
			run:  touchKeeps,
		},
		{
			name: "touch-stale",
			rule: "Touch with another than the live record's version does nothing, and that is no error.",
			run:  touchStale,
		},
		{
			name: "touch-missing",
			rule: "Touch does nothing where there is no record, and that is no error.",
			run:  touchMissing,
		},
		{
			name: "touch-deleted",
			rule: "Touch never brings back a record that was deleted.",
			run:  touchDeleted,
		},
		{
			name:  "touch-expired",
			rule:  "Touch never brings back a record that has expired.",
			run:   touchExpired,
			waits: true,
		},
	}
}

func touchKeeps(e *env) error {
	id := e.name("id")
	r, next := record("data", long), record("next", long)
	return first(
		func() error { return e.create(id, r) },
		func() error { return e.touch(id, r.Version, 2*long) },
		func() error { return e.holds(id, r, "after a Touch") },
		func() error { return e.replace(id, r.Version, next) },
		func() error { return e.touch(id, next.Version, long) },
		func() error { return e.holds(id, next, "after a Swap and a Touch") },
	)
}

func touchStale(e *env) error {
	id := e.name("id")
	old, current := record("old", long), record("current", long)
	untouched := func() error {
		r, err := e.store.Find(e.ctx, id)
		if err != nil {
			return err
		}
		// Much more than a second apart: how exact it is doesn't matter here.
		return within(r.TTL, long/2, 2*long, "after a Touch of another version")
	}
	return first(
		func() error { return e.create(id, old) },
		func() error { return e.replace(id, old.Version, current) },
		func() error { return e.touch(id, old.Version, 10*long) },
		untouched,
		func() error { return e.touch(id, newVersion(), short) },
		untouched,
		func() error { return e.touch(id, none, short) },
		untouched,
	)
}

func touchMissing(e *env) error {
	id := e.name("id")
	return first(
		func() error { return e.touch(id, newVersion(), long) },
		func() error { return e.touch(id, none, long) },
		func() error { return e.holdsNone(id, "after a Touch where there was nothing") },
	)
}

func touchDeleted(e *env) error {
	id := e.name("id")
	r := record("data", long)
	return first(
		func() error { return e.create(id, r) },
		func() error { return e.delete(id) },
		func() error { return e.touch(id, r.Version, long) },
		func() error { return e.holdsNone(id, "after a Touch of a deleted record") },
	)
}

func touchExpired(e *env) error {
	id := e.name("id")
	r := record("data", short)
	return first(
		func() error { return e.create(id, r) },
		func() error {
			e.wait(gone)
			return e.touch(id, r.Version, long)
		},
		func() error { return e.holdsNone(id, "after a Touch of an expired record") },
	)
}
