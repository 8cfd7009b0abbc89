package storetest

import "github.com/gosatchel/satchel/store"

func findCases() []testCase {
	return []testCase{
		{
			name: "find-stored",
			rule: "Find returns the record under the id, with the version and the data that were stored.",
			run:  findStored,
		},
		{
			name: "find-missing",
			rule: "Find returns ErrNotFound where there is no record.",
			run: func(e *env) error {
				return e.holdsNone(e.name("missing"), "of an id that was never used")
			},
		},
	}
}

func findStored(e *env) error {
	records := map[string]store.Record{
		e.name("a"): record("of a", long),
		e.name("b"): record("of b", long),
		e.name("c"): record("of a", long), // the same data
	}
	for id, r := range records {
		if err := e.create(id, r); err != nil {
			return err
		}
	}
	for range 2 { // reading changes nothing
		for id, r := range records {
			if err := e.holds(id, r, "of a record that was just stored"); err != nil {
				return err
			}
		}
	}
	return nil
}
