package sqlstore

import (
	"context"
	"database/sql"
	"strings"
)

// Schema returns the statements that create what the store needs, each ended by a
// semicolon, for those who keep their own migrations. They do nothing where it is there.
func (s *Store) Schema() string { return strings.Join(s.sql.schema, ";\n\n") + ";\n" }

// CreateTables creates the tables and their indexes where they are missing. It leaves those
// that are there alone. Four round trips. Several processes may call it at once.
func (s *Store) CreateTables(ctx context.Context) error {
	return s.write(ctx, "create", func(c *sql.Conn) error {
		for _, statement := range s.sql.schema {
			_, err := c.ExecContext(ctx, statement)
			if createdMeanwhile(err) {
				_, err = c.ExecContext(ctx, statement)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// createdMeanwhile reports whether PostgreSQL found, after it had found nothing, that
// another process has created the same.
func createdMeanwhile(err error) bool {
	switch sqlState(err) {
	case "23505", "42P07", "42710":
		return true
	}
	return false
}
