package storetest

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gosatchel/satchel/store"
)

func concurrencyCases() []testCase {
	return []testCase{
		{
			name: "race-create",
			rule: "Of several Swaps at once that would create a record, exactly one does; the others get a *Conflict with it.",
			run:  raceCreate,
		},
		{
			name: "race-swap",
			rule: "Of several Swaps at once with the same prev, exactly one succeeds; the others get a *Conflict with what it stored.",
			run:  raceSwap,
		},
		{
			name: "race-counter",
			rule: "Whoever retries with the record of the *Conflict loses nobody's change.",
			run:  raceCounter,
		},
		{
			name: "race-delete",
			rule: "Once Delete has returned, no Swap that was under way with a prev that is not zero brings the record back.",
			run:  raceDelete,
		},
	}
}

const (
	racers = 64
	rounds = 8
)

// race has all racers swap prev for a record of their own, and returns the
// winner's.
func (e *env) race(id string, prev store.Version) (store.Record, error) {
	records := make([]store.Record, racers)
	for i := range records {
		records[i] = record("of racer "+strconv.Itoa(i), long)
	}
	errs := together(racers, func(i int) error {
		return e.store.Swap(e.ctx, id, prev, records[i])
	})
	var winner store.Record
	winners := 0
	for i, err := range errs {
		if err == nil {
			winner = records[i]
			winners++
		}
	}
	if winners != 1 {
		return winner, fmt.Errorf("of %d Swaps at once %d succeeded, want 1", racers, winners)
	}
	for _, err := range errs {
		if err == nil {
			continue
		}
		current, err := conflict(err, "a Swap that came too late")
		if err != nil {
			return winner, err
		}
		if err := same(current, winner); err != nil {
			return winner, fmt.Errorf("the Conflict of a Swap that came too late: %w", err)
		}
	}
	return winner, e.holds(id, winner, "after the race")
}

func raceCreate(e *env) error {
	for i := range rounds {
		if _, err := e.race(e.name(strconv.Itoa(i)), none); err != nil {
			return err
		}
	}
	return nil
}

func raceSwap(e *env) error {
	id := e.name("id")
	last := record("beginning", long)
	if err := e.create(id, last); err != nil {
		return err
	}
	for range rounds {
		winner, err := e.race(id, last.Version)
		if err != nil {
			return err
		}
		last = winner
	}
	return nil
}

func raceCounter(e *env) error {
	id := e.name("id")
	zero := record("0", long)
	if err := e.create(id, zero); err != nil {
		return err
	}
	errs := together(racers, func(int) error {
		// Every conflict is somebody else's success, so there can't be more of them.
		current := zero
		for range racers {
			n, err := strconv.Atoi(string(current.Data))
			if err != nil {
				return err
			}
			err = e.store.Swap(e.ctx, id, current.Version, record(strconv.Itoa(n+1), long))
			if err == nil {
				return nil
			}
			if current, err = conflict(err, "Swap of the counter"); err != nil {
				return err
			}
		}
		return fmt.Errorf("%d conflicts while there were %d others to conflict with", racers, racers-1)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	got, err := e.store.Find(e.ctx, id)
	if err != nil {
		return err
	}
	if want := strconv.Itoa(racers); string(got.Data) != want {
		return fmt.Errorf("a counter that was incremented %s times is at %s", want, brief(got.Data))
	}
	return nil
}

func raceDelete(e *env) error {
	for i := range rounds {
		id := e.name(strconv.Itoa(i))
		r := record("data", long)
		if err := e.create(id, r); err != nil {
			return err
		}
		errs := together(racers, func(i int) error {
			if i == racers/2 {
				return e.delete(id)
			}
			err := e.store.Swap(e.ctx, id, r.Version, record("next", long))
			if c := (*store.Conflict)(nil); err == nil || errors.As(err, &c) {
				return nil
			}
			return notFound(err, "Swap during a Delete")
		})
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if err := e.holdsNone(id, "after Swaps and a Delete at once"); err != nil {
			return err
		}
	}
	return nil
}
