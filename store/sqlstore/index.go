package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/gosatchel/satchel/store"
)

// Index lists id under owner as ref for ttl, or for longer if it was listed so. One
// round trip.
func (s *Store) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	return s.write(ctx, "index", func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, s.sql.index, []byte(owner), []byte(id), []byte(ref), microseconds(ttl))
		return err
	})
}

// Unindex removes the entry of id. One round trip.
func (s *Store) Unindex(ctx context.Context, owner, id string) error {
	return s.write(ctx, "unindex", func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, s.sql.unindex, []byte(owner), []byte(id))
		return err
	})
}

// Owned returns owner's entries, in no order, each with its record, all as they were
// at one moment. What isn't a record counts as none. One round trip, and another one
// if there are entries to remove.
func (s *Store) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	var entries []store.Entry
	var dead bool
	err := s.read(ctx, "owned", func(c *sql.Conn) (err error) {
		if entries, dead, err = s.ownedOn(ctx, c, owner); err == nil && dead {
			// If this fails, the next call finds the same entries dead. It's no reason
			// to withhold what was found.
			_, _ = c.ExecContext(ctx, s.sql.forget, []byte(owner))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

func (s *Store) ownedOn(ctx context.Context, c *sql.Conn, owner string) (entries []store.Entry, dead bool, err error) {
	rows, err := c.QueryContext(ctx, s.sql.owned, []byte(owner))
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var over bool
		var ref, id, version, data []byte
		var left int64
		if err := rows.Scan(&over, &ref, &id, &version, &data, &left); err != nil {
			return nil, false, err
		}
		if over {
			dead = true
			continue
		}
		e := store.Entry{Ref: string(ref), ID: string(id)}
		if record, err := recordOf(version, data, left); err == nil {
			e.Record = record
		}
		entries = append(entries, e)
	}
	return entries, dead, rows.Err()
}
