package storetest

import (
	"fmt"
	"time"
)

func indexTimeCases() []testCase {
	return []testCase{
		{
			name:  "index-ttl",
			rule:  "An entry ends when its own time to live is over, also if its record and the owner's other entries live on.",
			run:   indexTTL,
			waits: true,
		},
		{
			name:  "index-ttl-replaced",
			rule:  "Index of an id that is listed lengthens the entry's time to live, and never shortens it: of two commits at the same time, the session may be left with the longer one.",
			run:   indexTTLReplaced,
			waits: true,
		},
		{
			name: "index-pending",
			rule: "An entry without a live record is returned with a zero version in the minute after it was indexed, since its record may be about to be created.",
			run:  indexPending,
		},
		{
			name:    "index-orphan",
			rule:    "An entry without a live record is removed once the minute after it was indexed is over.",
			run:     indexOrphan,
			minutes: true,
		},
		{
			name:    "index-orphan-again",
			rule:    "An entry that is indexed again has its record waited for for another minute.",
			run:     indexOrphanAgain,
			minutes: true,
		},
		{
			name:    "index-late",
			rule:    "An entry whose record is live stays for as long as its time to live says, also after the minute in which records are waited for.",
			run:     indexLate,
			minutes: true,
		},
	}
}

func indexTTL(e *env) error {
	owner, ends, stays := e.name("owner"), e.name("ends"), e.name("stays")
	return first(
		func() error { return e.list(owner, "ref", ends, short) },
		func() error { return e.create(ends, record("session", long)) },
		func() error { return e.session(owner, "ref", stays) },
		func() error {
			e.wait(gone)
			return e.owns(owner, "after one entry's time was over", [2]string{"ref", stays})
		},
	)
}

func indexTTLReplaced(e *env) error {
	owner, up, down := e.name("owner"), e.name("up"), e.name("down")
	return first(
		func() error { return e.list(owner, "ref", up, short) },
		func() error { return e.create(up, record("session", long)) },
		func() error { return e.list(owner, "ref", up, long) },
		func() error { return e.session(owner, "ref", down) },
		func() error { return e.list(owner, "ref", down, short) },
		func() error {
			e.wait(gone)
			return e.owns(owner, "after the shorter of each entry's two times was over", [2]string{"ref", up}, [2]string{"ref", down})
		},
	)
}

// waits returns an error unless id is listed without a record.
func (e *env) waits(owner, id, when string) error {
	got, err := e.owned(owner, when)
	if err != nil {
		return err
	}
	entry, ok := got[id]
	if !ok {
		return fmt.Errorf("calling Owned %s: the entry is missing", when)
	}
	if entry.Record.Version != none {
		return fmt.Errorf("calling Owned %s: version %x, want a zero one", when, entry.Record.Version)
	}
	return nil
}

func indexPending(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	r := record("session", long)
	return first(
		func() error { return e.list(owner, "ref", id, long) },
		func() error { return e.waits(owner, id, "before its record was created") },
		func() error { return e.create(id, r) },
		func() error {
			got, err := e.owned(owner, "after its record was created")
			if err != nil {
				return err
			}
			return same(got[id].Record, r)
		},
		func() error { return e.delete(id) },
		func() error { return e.waits(owner, id, "after its record was deleted within the minute") },
	)
}

func indexOrphan(e *env) error {
	owner, never, deleted := e.name("owner"), e.name("never created"), e.name("deleted")
	return first(
		func() error { return e.list(owner, "ref", never, long) },
		func() error { return e.session(owner, "ref", deleted) },
		func() error {
			e.wait(58 * time.Second)
			return e.waits(owner, never, "almost a minute after it was indexed")
		},
		func() error { return e.delete(deleted) },
		func() error { return e.waits(owner, deleted, "after its record was deleted within the minute") },
		func() error {
			e.wait(4 * time.Second)
			return e.owns(owner, "when the minute was over")
		},
		// Had the entries been kept back only, they would show now.
		func() error { return e.create(never, record("session", long)) },
		func() error { return e.create(deleted, record("session", long)) },
		func() error { return e.owns(owner, "after the records of removed entries were created") },
	)
}

func indexOrphanAgain(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	return first(
		func() error { return e.list(owner, "ref", id, long) },
		func() error {
			e.wait(50 * time.Second)
			return e.list(owner, "ref", id, long)
		},
		func() error {
			e.wait(50 * time.Second)
			return e.waits(owner, id, "less than a minute after it was indexed again")
		},
	)
}

func indexLate(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	return first(
		func() error { return e.session(owner, "ref", id) },
		func() error {
			e.wait(long - 2*time.Second)
			return e.owns(owner, "shortly before its time is over", [2]string{"ref", id})
		},
	)
}
