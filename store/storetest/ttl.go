package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/gosatchel/satchel/store"
)

func ttlCases() []testCase {
	return []testCase{
		{
			name: "ttl-written",
			rule: "Swap sets the time to live that the record says, exact to the second, and Find returns what is left of it.",
			run:  ttlWritten,
		},
		{
			name: "ttl-touched",
			rule: "Touch sets the time to live, up and down, exact to the second.",
			run:  ttlTouched,
		},
		{
			name: "ttl-conflict",
			rule: "The record in a *Conflict says how long it has left, exact to the second.",
			run:  ttlConflict,
		},
		{
			name:  "ttl-passes",
			rule:  "A record's time to live goes by as time does, and neither reading nor a failed Swap nor a Touch of another version stops it.",
			run:   ttlPasses,
			waits: true,
		},
		{
			name:  "expiry",
			rule:  "A record lives until its time to live is over, exact to the second, and is gone then: Find returns ErrNotFound, and it can be created anew.",
			run:   expiry,
			waits: true,
		},
		{
			name:  "expiry-moved",
			rule:  "A time to live that is set anew, by Touch or Swap, replaces the one before: it decides when the record is gone.",
			run:   expiryMoved,
			waits: true,
		},
	}
}

// within returns an error unless ttl is roughly right.
func within(ttl, least, most time.Duration, when string) error {
	if ttl < least || ttl > most {
		return fmt.Errorf("a time to live of %v %s, want one from %v to %v", ttl, when, least, most)
	}
	return nil
}

// hasLeft returns an error unless Find returns what is left of ttl, which was
// set after since.
func (e *env) hasLeft(id string, ttl time.Duration, since time.Time, when string) error {
	r, err := e.store.Find(e.ctx, id)
	if err != nil {
		return fmt.Errorf("calling Find %s: %w", when, err)
	}
	if err := left(r.TTL, ttl, since); err != nil {
		return fmt.Errorf("calling Find %s: %w", when, err)
	}
	return nil
}

// spans are times to live with and without a fraction of a second, up to the
// longest that a browser keeps a cookie.
var spans = [...]time.Duration{
	90 * time.Second, 90*time.Second + 400*time.Millisecond, 31 * 24 * time.Hour, 400 * 24 * time.Hour, time.Minute,
}

func ttlWritten(e *env) error {
	replaced := e.name("replaced")
	last := record("data", long)
	if err := e.create(replaced, last); err != nil {
		return err
	}
	for i, ttl := range spans {
		since := time.Now()
		created, next := e.name(fmt.Sprint(i)), record("data", ttl)
		err := first(
			func() error { return e.create(created, next) },
			func() error { return e.hasLeft(created, ttl, since, "after creating it for "+ttl.String()) },
			func() error { return e.replace(replaced, last.Version, next) },
			func() error { return e.hasLeft(replaced, ttl, since, "after replacing it for "+ttl.String()) },
		)
		if err != nil {
			return err
		}
		last = next
	}
	return nil
}

func ttlTouched(e *env) error {
	id := e.name("id")
	r := record("data", long)
	if err := e.create(id, r); err != nil {
		return err
	}
	for _, ttl := range spans {
		since := time.Now()
		if err := e.touch(id, r.Version, ttl); err != nil {
			return err
		}
		if err := e.hasLeft(id, ttl, since, "after a Touch to "+ttl.String()); err != nil {
			return err
		}
	}
	return nil
}

func ttlConflict(e *env) error {
	for i, ttl := range spans {
		id, since := e.name(fmt.Sprint(i)), time.Now()
		if err := e.create(id, record("data", ttl)); err != nil {
			return err
		}
		for _, prev := range []store.Version{none, newVersion()} {
			current, err := conflict(e.store.Swap(e.ctx, id, prev, record("next", long)), "Swap over a live record")
			if err != nil {
				return err
			}
			if err := left(current.TTL, ttl, since); err != nil {
				return fmt.Errorf("the Conflict with a record stored for %v: %w", ttl, err)
			}
		}
	}
	return nil
}

func ttlPasses(e *env) error {
	id, since := e.name("id"), time.Now()
	const ttl = time.Minute
	if err := e.create(id, record("data", ttl)); err != nil {
		return err
	}
	for range 3 {
		e.wait(gone / 3)
		if err := e.touch(id, newVersion(), long); err != nil {
			return err
		}
		if _, err := conflict(e.store.Swap(e.ctx, id, newVersion(), record("stale", long)), "Swap with a stale prev"); err != nil {
			return err
		}
	}
	r, err := e.store.Find(e.ctx, id)
	if err != nil {
		return err
	}
	// The wait is long enough to tell it from nothing, with a second's tolerance.
	return within(r.TTL, ttl-time.Since(since)-time.Second, ttl-gone+time.Second, "of a minute, three seconds later")
}

// alive returns an error unless there is a live record, where it is early enough
// to say so.
func (e *env) alive(id string, ttl time.Duration, since time.Time, when string) error {
	_, err := e.store.Find(e.ctx, id)
	if errors.Is(err, store.ErrNotFound) && time.Since(since) >= ttl-time.Second {
		return nil // a slow machine: it may have expired
	}
	if err != nil {
		return fmt.Errorf("calling Find %s: %w", when, err)
	}
	return nil
}

func expiry(e *env) error {
	id, again, since := e.name("id"), record("again", long), time.Now()
	return first(
		func() error { return e.create(id, record("data", short)) },
		func() error { return e.alive(id, short, since, "before its time was over") },
		func() error {
			e.wait(gone)
			return e.holdsNone(id, "after its time was over")
		},
		func() error { return e.create(id, again) },
		func() error { return e.holds(id, again, "after creating it anew") },
	)
}

func expiryMoved(e *env) error {
	touchedUp, touchedDown := e.name("touched up"), e.name("touched down")
	swappedUp, swappedDown := e.name("swapped up"), e.name("swapped down")
	brief, lasting := record("data", short), record("data", long)
	since := time.Now()
	var slow bool // the machine: what was to be moved up may have expired before
	return first(
		func() error { return e.create(touchedUp, brief) },
		func() error { return e.touch(touchedUp, brief.Version, long) },
		func() error { return e.create(swappedUp, brief) },
		func() error {
			err := e.replace(swappedUp, brief.Version, record("next", long))
			slow = time.Since(since) >= short-time.Second
			if slow {
				return nil
			}
			return err
		},
		func() error { return e.create(touchedDown, lasting) },
		func() error { return e.touch(touchedDown, lasting.Version, short) },
		func() error { return e.create(swappedDown, lasting) },
		func() error { return e.replace(swappedDown, lasting.Version, record("next", short)) },
		func() error {
			e.wait(gone)
			if slow {
				return nil
			}
			return first(
				func() error { return e.alive(touchedUp, long, since, "past its first time, after a Touch up") },
				func() error { return e.alive(swappedUp, long, since, "past its first time, after a Swap up") },
			)
		},
		func() error { return e.holdsNone(touchedDown, "past the time that a Touch set") },
		func() error { return e.holdsNone(swappedDown, "past the time that a Swap set") },
	)
}
