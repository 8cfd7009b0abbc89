package sqlstoretest_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

// database is a store and what is below it.
type database struct {
	*sqlstore.Store
	db      *sql.DB
	dialect sqlstore.Dialect
	options sqlstore.Options
}

// onEach runs test on each database, with tables of its own.
func onEach(t *testing.T, test func(t *testing.T, d database)) {
	t.Run("PostgreSQL", func(t *testing.T) { test(t, create(t, openPostgres(t), sqlstore.PostgreSQL)) })
	t.Run("SQLite", func(t *testing.T) { test(t, create(t, openSQLite(t), sqlstore.SQLite)) })
}

func create(t testing.TB, db *sql.DB, dialect sqlstore.Dialect) database {
	t.Helper()
	d := database{db: db, dialect: dialect, options: tables()}
	d.Store = sqlstore.New(db, dialect, d.options)
	if err := d.CreateTables(t.Context()); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return d
}

// tables returns names of tables that no other test uses.
func tables() sqlstore.Options {
	nonce := strings.ToLower(rand.Text()[:10])
	return sqlstore.Options{SessionsTable: "s_" + nonce, OwnersTable: "o_" + nonce}
}

// openSQLite returns a pool for a database file of the test's own, opened as package
// sqlstore advises.
func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "sessions.db"))
}

func openFile(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	t.Cleanup(func() { db.Close() })
	return db
}

func newRecord(data string) store.Record {
	r := store.Record{Data: []byte(data), TTL: time.Hour}
	rand.Read(r.Version[:])
	return r
}

func put(t testing.TB, s store.Store, id, data string) store.Record {
	t.Helper()
	r := newRecord(data)
	if err := s.Swap(t.Context(), id, store.Version{}, r); err != nil {
		t.Fatalf("creating a record: %v", err)
	}
	return r
}

func (d database) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	statement = strings.NewReplacer("{s}", d.options.SessionsTable, "{o}", d.options.OwnersTable).Replace(statement)
	if _, err := d.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (d database) count(t testing.TB, table string) (n int) {
	t.Helper()
	if err := d.db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// age moves all times in a table into the past.
func (d database) age(t testing.TB, table, column string, by time.Duration) {
	t.Helper()
	if d.dialect == sqlstore.PostgreSQL {
		d.exec(t, "UPDATE "+table+" SET "+column+" = "+column+" - $1::bigint * interval '1 microsecond'", by.Microseconds())
	} else {
		d.exec(t, "UPDATE "+table+" SET "+column+" = "+column+" - ?1", by.Microseconds())
	}
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// again returns another process's store in the same tables.
func (d database) again(t testing.TB) *sqlstore.Store {
	t.Helper()
	if d.dialect == sqlstore.PostgreSQL {
		return sqlstore.New(openPostgres(t), d.dialect, d.options)
	}
	var seq, name, file string
	if err := d.db.QueryRowContext(t.Context(), "PRAGMA database_list").Scan(&seq, &name, &file); err != nil {
		t.Fatal(err)
	}
	return sqlstore.New(openFile(t, file), d.dialect, d.options)
}
