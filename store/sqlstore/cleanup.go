package sqlstore

import (
	"context"
	"database/sql"
	"time"
)

// step is how many rows one statement of a clean-up removes at most, so that it holds
// its locks, on SQLite the only one there is, for milliseconds.
const step = 500

// CleanUp removes the records and entries that have expired, 500 with each statement,
// and returns how many rows those were. Other calls get their turn in between. Several
// processes may clean up at once; on PostgreSQL they share the work, and each may leave
// some to the next time. After an error, what was removed is still returned.
func (s *Store) CleanUp(ctx context.Context) (removed int64, err error) {
	for _, statement := range []string{s.sql.cleanSessions, s.sql.cleanOwners} {
		for {
			var n int64
			err := s.write(ctx, "clean up", func(c *sql.Conn) error {
				result, err := c.ExecContext(ctx, statement, step)
				if err == nil {
					n, err = result.RowsAffected()
				}
				return err
			})
			removed += n
			if err != nil {
				return removed, err
			}
			if n < step {
				break
			}
		}
	}
	return removed, nil
}

// CleanUpEvery calls CleanUp, at once and then again whenever interval has passed since
// it was done, and returns when ctx is done. After each call it calls report with what
// came of it, unless report is nil. Run it in a goroutine of its own. It panics if
// interval is not positive.
func (s *Store) CleanUpEvery(ctx context.Context, interval time.Duration, report func(removed int64, err error)) {
	if interval <= 0 {
		panic("sqlstore: CleanUpEvery needs a positive interval")
	}
	for ctx.Err() == nil {
		removed, err := s.CleanUp(ctx)
		if report != nil && ctx.Err() == nil {
			report(removed, err)
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
		}
	}
}
