package storetest

func deleteCases() []testCase {
	return []testCase{
		{
			name: "delete-removes",
			rule: "Delete removes the record, whatever its version.",
			run:  deleteRemoves,
		},
		{
			name: "delete-missing",
			rule: "Delete of a record that isn't there is no error.",
			run:  deleteMissing,
		},
		{
			name: "delete-others",
			rule: "Delete leaves all other records alone.",
			run:  deleteOthers,
		},
	}
}

func deleteRemoves(e *env) error {
	fresh, replaced := e.name("fresh"), e.name("replaced")
	r := record("data", long)
	return first(
		func() error { return e.create(fresh, r) },
		func() error { return e.delete(fresh) },
		func() error { return e.holdsNone(fresh, "after its Delete") },
		func() error { return e.create(replaced, r) },
		func() error { return e.replace(replaced, r.Version, record("next", long)) },
		func() error { return e.delete(replaced) },
		func() error { return e.holdsNone(replaced, "after a Swap and its Delete") },
	)
}

func deleteMissing(e *env) error {
	id := e.name("id")
	return first(
		func() error { return e.delete(id) },
		func() error { return e.create(id, record("data", long)) },
		func() error { return e.delete(id) },
		func() error { return e.delete(id) },
	)
}

func deleteOthers(e *env) error {
	kept := map[string]bool{e.name("i"): true, e.name("id2"): true, e.name("di"): true}
	r := record("data", long)
	for id := range kept {
		if err := e.create(id, r); err != nil {
			return err
		}
	}
	for _, id := range []string{e.name("id"), e.name("never was")} {
		if err := e.delete(id); err != nil {
			return err
		}
	}
	for id := range kept {
		if err := e.holds(id, r, "of a record that nobody deleted"); err != nil {
			return err
		}
	}
	return nil
}
