package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"
)

// unsent says that no statement that writes was sent.
type unsent struct{ cause error }

func (u *unsent) Error() string { return u.cause.Error() }
func (u *unsent) Unwrap() error { return u.cause }

// maxDead is how many dead connections a call tries before it gives up. database/sql
// keeps them in its pool until somebody finds out, after a restart of the server up to
// as many as it has.
const maxDead = 64

// firstPause is between two attempts at a database that asks for another one, at first.
// It grows up to longestPause.
const (
	firstPause   = time.Millisecond
	longestPause = 20 * time.Millisecond
)

// on calls use with a connection, again with another one where that was dead, and again
// later where the database asks for it: then nothing has happened.
//
// Where a connection was dead, nothing should have either: so database/sql has it. Some
// drivers say it of connections that broke after the statement was sent, and nobody can
// tell which. So lost says that an earlier call may have done its work.
//
// A connection of its own, and not database/sql's choice for each statement, shows
// whether an error came before anything was sent.
func (s *Store) on(ctx context.Context, use func(*sql.Conn) error) (lost bool, err error) {
	pause := firstPause
	for dead := 0; ; {
		c, err := s.db.Conn(ctx)
		if err != nil {
			return lost, &unsent{err}
		}
		err = use(c)
		c.Close() // fails if the connection did, which is known
		switch {
		case errors.Is(err, driver.ErrBadConn) && dead < maxDead:
			lost = true
			dead++
		case again(err):
			select {
			case <-time.After(pause):
				pause = min(2*pause, longestPause)
			case <-ctx.Done():
				return lost, &unsent{ctx.Err()}
			}
		default:
			return lost, err
		}
	}
}

func (s *Store) read(ctx context.Context, op string, use func(*sql.Conn) error) error {
	_, err := s.on(ctx, use)
	return readFailed(ctx, op, err)
}

func (s *Store) write(ctx context.Context, op string, use func(*sql.Conn) error) error {
	lost, err := s.on(ctx, use)
	return written(ctx, op, lost, err)
}

func written(ctx context.Context, op string, lost bool, err error) error {
	if lost {
		return readFailed(ctx, op, err) // which claims nothing
	}
	return writeFailed(ctx, op, err)
}

// one runs a statement that returns one row or none, into dest.
func one(ctx context.Context, c *sql.Conn, statement string, args []any, dest ...any) (ok bool, err error) {
	rows, err := c.QueryContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return false, err
		}
		ok = true
	}
	// To the end: only then has the statement done all it does, without an error.
	for rows.Next() {
	}
	return ok, rows.Err()
}
