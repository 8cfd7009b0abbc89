package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/gosatchel/satchel/store"
)

// Find returns the live record under id, or [store.ErrNotFound]. A row that no store
// wrote is [store.ErrDamaged]. One round trip.
func (s *Store) Find(ctx context.Context, id string) (store.Record, error) {
	return s.find(ctx, "find", id)
}

// Ping reports whether the database can be reached and lets the store read its
// records: it looks for one that isn't there. For readiness checks. One round trip,
// and what connecting takes.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.find(ctx, "ping", "")
	if err == store.ErrNotFound {
		return nil
	}
	return err
}

func (s *Store) find(ctx context.Context, op, id string) (found store.Record, err error) {
	err = s.read(ctx, op, func(c *sql.Conn) error {
		found, err = s.findOn(ctx, c, id)
		return err
	})
	return found, err
}

func (s *Store) findOn(ctx context.Context, c *sql.Conn, id string) (store.Record, error) {
	var version, data []byte
	var left int64
	ok, err := one(ctx, c, s.sql.find, []any{[]byte(id)}, &version, &data, &left)
	switch {
	case err != nil:
		return store.Record{}, err
	case !ok:
		return store.Record{}, store.ErrNotFound
	}
	return recordOf(version, data, left)
}

// Swap stores next under id if the live record's version is prev, and otherwise
// returns a [*store.Conflict] or [store.ErrNotFound]. One round trip, and another one
// after losing to a Swap that committed at the same moment; on SQLite, two statements
// for a conflict.
func (s *Store) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if err := store.Check(next); err != nil {
		return err
	}
	// Never nil, which is no bytes but NULL.
	data := append([]byte{}, next.Data...)
	statement, args := s.sql.create, []any{[]byte(id), next.Version[:], data, microseconds(next.TTL)}
	if prev != (store.Version{}) {
		statement, args = s.sql.swap, append(args, prev[:])
	}
	lost, err := s.on(ctx, func(c *sql.Conn) error {
		for {
			done, current, err := s.swapOn(ctx, c, id, statement, args)
			switch {
			case done:
				return nil
			case err == store.ErrNotFound && prev != store.Version{}:
				return err
			case err != nil && err != store.ErrNotFound:
				return err
			case current.Version != prev:
				return &store.Conflict{Current: current}
			}
			// It didn't write, and yet there was what it expected: the record changed
			// between the two, by the statement's own view of time. So somebody else
			// got something done, and looking again shows what.
			if err := ctx.Err(); err != nil {
				return &unsent{err}
			}
		}
	})
	if lost {
		err = untangled(err, next)
	}
	return written(ctx, "swap", lost, err)
}

// untangled returns what err means for a Swap of next of which an earlier attempt got no
// answer: that may be what this one has met.
func untangled(err error, next store.Record) error {
	var met *store.Conflict
	switch {
	case errors.As(err, &met) && met.Current.Version == next.Version:
		return nil
	case errors.As(err, &met), err == store.ErrNotFound:
		return errLostTrack
	}
	return err
}

// swapOn runs a swap or create once, and returns the current record if it did not
// write, or ErrNotFound.
func (s *Store) swapOn(ctx context.Context, c *sql.Conn, id, statement string, args []any) (done bool, current store.Record, err error) {
	var version, data []byte
	var left int64
	ok, err := one(ctx, c, statement, args, &done, &version, &data, &left)
	switch {
	case err != nil:
		// Also if it said that it wrote: the commit comes after that, and may fail.
		return false, current, err
	case done:
		return true, current, nil
	case ok:
		current, err = recordOf(version, data, left)
	case s.sql.readConflict:
		if current, err = s.findOn(ctx, c, id); err != nil && err != store.ErrNotFound && err != errDamaged {
			err = &unsent{err} // nothing that writes
		}
	default:
		err = store.ErrNotFound
	}
	return false, current, err
}

// Touch sets the record's time to live if its version is still v. One round trip.
func (s *Store) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	return s.write(ctx, "touch", func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, s.sql.touch, []byte(id), v[:], microseconds(ttl))
		return err
	})
}

// Delete removes the record. One round trip.
func (s *Store) Delete(ctx context.Context, id string) error {
	return s.write(ctx, "delete", func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, s.sql.delete, []byte(id))
		return err
	})
}

// recordOf returns the record in a row. data becomes the record's own.
func recordOf(version, data []byte, left int64) (store.Record, error) {
	var r store.Record
	if len(version) != len(r.Version) {
		return r, errDamaged
	}
	copy(r.Version[:], version)
	if r.Version == (store.Version{}) {
		return r, errDamaged
	}
	r.Data = data
	// A live record that has less than a microsecond left still lives.
	r.TTL = time.Duration(min(max(left, 1), longest)) * time.Microsecond
	return r, nil
}

// longest is the longest time.Duration.
const longest = int64((1<<63 - 1) / time.Microsecond)

// microseconds rounds up, so that the shortest time to live is one.
func microseconds(ttl time.Duration) int64 {
	n := ttl.Microseconds()
	if ttl%time.Microsecond != 0 {
		n++
	}
	return n
}
