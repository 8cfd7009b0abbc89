package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gosatchel/satchel/store"
)

func indexCases() []testCase {
	return []testCase{
		{
			name: "index-lists",
			rule: "Owned returns what Index listed: each entry's ref and id, once.",
			run:  indexLists,
		},
		{
			name: "index-records",
			rule: "Owned returns each entry with its record as it is now: version, data, and what is left of its time to live.",
			run:  indexRecords,
		},
		{
			name: "index-alias",
			rule: "Owned doesn't hand out the store's own slices: what the caller does to the data changes nothing.",
			run:  indexAlias,
		},
		{
			name: "index-none",
			rule: "Owned of an owner of whom nothing is listed returns no entries, and that is no error.",
			run:  indexNone,
		},
		{
			name: "index-owners",
			rule: "Each owner has entries of their own.",
			run:  indexOwners,
		},
		{
			name: "index-same-ref",
			rule: "Index under a ref that another id has too leaves the other entry: during a renewal both ids are listed.",
			run:  indexSameRef,
		},
		{
			name: "index-replaces",
			rule: "Index of an id that is listed replaces its entry.",
			run:  indexReplaces,
		},
		{
			name: "index-unindex",
			rule: "Unindex removes the id's entry and no other, and leaves its record.",
			run:  indexUnindex,
		},
		{
			name: "index-unindex-missing",
			rule: "Unindex of an entry that isn't there is no error.",
			run:  indexUnindexMissing,
		},
		{
			name: "index-bytes",
			rule: "Owners, refs and ids are any bytes.",
			run:  indexBytes,
		},
		{
			name: "index-race",
			rule: "Entries that are added at once are all listed.",
			run:  indexRace,
		},
		{
			name: "index-done",
			rule: "Index, Owned and Unindex with a context that is done return at once, with an error that wraps the context's, and change nothing.",
			run:  indexDone,
		},
	}
}

func indexLists(e *env) error {
	owner, a, b := e.name("owner"), e.name("a"), e.name("b")
	return first(
		func() error { return e.session(owner, "ref a", a) },
		func() error { return e.owns(owner, "of one session", [2]string{"ref a", a}) },
		func() error { return e.session(owner, "ref b", b) },
		func() error { return e.owns(owner, "of two sessions", [2]string{"ref a", a}, [2]string{"ref b", b}) },
	)
}

func indexRecords(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	r, next := record("first", long), record("next", 90*time.Second)
	since := time.Now()
	carries := func(want store.Record, when string) error {
		got, err := e.owned(owner, when)
		if err != nil {
			return err
		}
		if err := same(got[id].Record, want); err != nil {
			return fmt.Errorf("calling Owned %s: %w", when, err)
		}
		if err := left(got[id].Record.TTL, want.TTL, since); err != nil {
			return fmt.Errorf("calling Owned %s: %w", when, err)
		}
		return nil
	}
	return first(
		func() error { return e.list(owner, "ref", id, 10*long) },
		func() error { return e.create(id, r) },
		func() error { return carries(r, "after its record was created") },
		func() error { return e.replace(id, r.Version, next) },
		func() error { return carries(next, "after its record was replaced") },
	)
}

func indexAlias(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	r := record("data", long)
	return first(
		func() error { return e.list(owner, "ref", id, long) },
		func() error { return e.create(id, r) },
		func() error {
			got, err := e.owned(owner, "of one session")
			scribble(got[id].Record.Data)
			return err
		},
		func() error { return e.holds(id, r, "after what Owned returned was changed") },
	)
}

func indexNone(e *env) error {
	return e.owns(e.name("nobody"), "of an owner that never was")
}

func indexOwners(e *env) error {
	a, b, id, shared := e.name("owner"), e.name("owner2"), e.name("id"), e.name("shared")
	return first(
		func() error { return e.session(a, "ref", id) },
		func() error { return e.session(a, "ref of a", shared) },
		func() error { return e.list(b, "ref of b", shared, long) },
		func() error {
			return e.owns(a, "of the first owner", [2]string{"ref", id}, [2]string{"ref of a", shared})
		},
		func() error { return e.owns(b, "of the second owner", [2]string{"ref of b", shared}) },
		func() error { return e.unlist(b, shared) },
		func() error { return e.owns(b, "of the second owner, after their Unindex") },
		func() error {
			return e.owns(a, "of the first owner, after the second's Unindex", [2]string{"ref", id}, [2]string{"ref of a", shared})
		},
	)
}

func indexSameRef(e *env) error {
	owner, before, after := e.name("owner"), e.name("before"), e.name("after")
	return first(
		func() error { return e.session(owner, "ref", before) },
		func() error { return e.session(owner, "ref", after) },
		func() error {
			return e.owns(owner, "in mid-renewal", [2]string{"ref", before}, [2]string{"ref", after})
		},
		func() error { return e.unlist(owner, before) },
		func() error { return e.owns(owner, "after the renewal", [2]string{"ref", after}) },
	)
}

func indexReplaces(e *env) error {
	owner, id, other := e.name("owner"), e.name("id"), e.name("other")
	return first(
		func() error { return e.session(owner, "ref", id) },
		func() error { return e.session(owner, "ref of the other", other) },
		func() error { return e.list(owner, "new ref", id, long) },
		func() error {
			return e.owns(owner, "after an id was listed again", [2]string{"new ref", id}, [2]string{"ref of the other", other})
		},
	)
}

func indexUnindex(e *env) error {
	owner, id, other := e.name("owner"), e.name("id"), e.name("other")
	r := record("data", long)
	return first(
		func() error { return e.list(owner, "ref", id, long) },
		func() error { return e.create(id, r) },
		func() error { return e.session(owner, "ref of the other", other) },
		func() error { return e.unlist(owner, id) },
		func() error { return e.owns(owner, "after Unindex", [2]string{"ref of the other", other}) },
		func() error { return e.holds(id, r, "after Unindex") },
	)
}

func indexUnindexMissing(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	return first(
		func() error { return e.unlist(owner, id) },
		func() error { return e.session(owner, "ref", id) },
		func() error { return e.unlist(owner, e.name("other")) },
		func() error { return e.unlist(owner, id) },
		func() error { return e.unlist(owner, id) },
	)
}

func indexBytes(e *env) error {
	names := []string{everyByte(), "", "\x00", "a", "A", "a\x00", "a:b", "a b", "a\nb", "{a}", "\xff", strings.Repeat("long", 100)}
	// Under every owner each name is a ref once, and a part of an id.
	for _, o := range names {
		owner := e.name("owner" + o)
		var want [][2]string
		for i, ref := range names {
			id := e.name("id" + o + "|" + names[len(names)-1-i])
			if err := e.session(owner, ref, id); err != nil {
				return err
			}
			want = append(want, [2]string{ref, id})
		}
		if err := e.owns(owner, "of an owner named "+brief([]byte(o)), want...); err != nil {
			return err
		}
	}
	return nil
}

func indexRace(e *env) error {
	owner := e.name("owner")
	want := make([][2]string, racers)
	for i := range want {
		want[i] = [2]string{"ref " + strconv.Itoa(i), e.name(strconv.Itoa(i))}
	}
	errs := together(racers, func(i int) error { return e.session(owner, want[i][0], want[i][1]) })
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return e.owns(owner, "after sign-ins at once", want...)
}

func indexDone(e *env) error {
	owner, id := e.name("owner"), e.name("id")
	return first(
		func() error { return e.session(owner, "ref", id) },
		func() error {
			return e.done(func(ctx context.Context) error { return e.index.Index(ctx, owner, "ref", e.name("new"), long) })
		},
		func() error {
			return e.done(func(ctx context.Context) error { return e.index.Unindex(ctx, owner, id) })
		},
		func() error {
			return e.done(func(ctx context.Context) error {
				_, err := e.index.Owned(ctx, owner)
				return err
			})
		},
		func() error { return e.owns(owner, "after calls without time", [2]string{"ref", id}) },
	)
}
