package sqlstoretest_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

const secret = "secret"

// calls are all that talk to the database, with secrets in every argument.
var calls = []struct {
	name   string
	writes bool
	call   func(ctx context.Context, s *sqlstore.Store) error
}{
	{"find", false, func(ctx context.Context, s *sqlstore.Store) error { _, err := s.Find(ctx, secret); return err }},
	{"swap", true, func(ctx context.Context, s *sqlstore.Store) error {
		return s.Swap(ctx, secret, store.Version{}, newRecord(secret))
	}},
	{"touch", true, func(ctx context.Context, s *sqlstore.Store) error {
		return s.Touch(ctx, secret, newRecord("").Version, time.Hour)
	}},
	{"delete", true, func(ctx context.Context, s *sqlstore.Store) error { return s.Delete(ctx, secret) }},
	{"index", true, func(ctx context.Context, s *sqlstore.Store) error {
		return s.Index(ctx, secret, secret, secret, time.Hour)
	}},
	{"unindex", true, func(ctx context.Context, s *sqlstore.Store) error { return s.Unindex(ctx, secret, secret) }},
	{"owned", false, func(ctx context.Context, s *sqlstore.Store) error { _, err := s.Owned(ctx, secret); return err }},
	{"clean up", true, func(ctx context.Context, s *sqlstore.Store) error { _, err := s.CleanUp(ctx); return err }},
	{"ping", false, func(ctx context.Context, s *sqlstore.Store) error { return s.Ping(ctx) }},
}

// refused fails the test unless every call fails, says why and nothing more, and is
// known to have written nothing.
func refused(t *testing.T, s *sqlstore.Store, why string) {
	t.Helper()
	for _, c := range calls {
		err := c.call(within(t, 20*time.Second), s)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "sqlstore: "+c.name) {
			t.Errorf("%s: error %v, want one that says %s: %s", c.name, err, c.name, why)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error gives away a secret: %v", c.name, err)
		}
		if errors.Is(err, store.ErrNotApplied) != c.writes {
			t.Errorf("%s: %v: ErrNotApplied is %t, want %t", c.name, err, !c.writes, c.writes)
		}
	}
}

func TestErrors_WhereTheTablesAreMissing(t *testing.T) {
	refused(t, sqlstore.New(openPostgres(t), sqlstore.PostgreSQL, tables()), "SQLSTATE 42P01: the tables are missing; see Store.CreateTables")
	refused(t, sqlstore.New(openSQLite(t), sqlstore.SQLite, tables()), "code 1: the tables are missing; see Store.CreateTables")
}

func TestErrors_WhereThereIsNoDatabase(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "secret")
	refused(t, sqlstore.New(openFile(t, filepath.Join(nowhere, "file")), sqlstore.SQLite, tables()), "code 14: the file can't be opened")
	db, err := sql.Open("pgx", "host="+nowhere+" user=secret password=secret dbname=secret")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	refused(t, sqlstore.New(db, sqlstore.PostgreSQL, tables()), "no such file or directory")
	db.Close()
	refused(t, sqlstore.New(db, sqlstore.PostgreSQL, tables()), "the app has closed its sql.DB")
}

// A connection that the server has ended leaves open what became of a write.
func TestErrors_WhereTheServerEndsTheConnection(t *testing.T) {
	d := create(t, openPostgres(t), sqlstore.PostgreSQL)
	r := put(t, d, "id", "data")
	unlock := d.lock(t)
	done := make(chan error, 1)
	go func() { done <- d.Swap(within(t, time.Minute), "id", r.Version, newRecord("next")) }()
	for ended := false; !ended; {
		const end = "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'"
		if err := d.db.QueryRowContext(t.Context(), end, d.options.SessionsTable).Scan(&ended); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err == nil || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("Swap: %v, want an error that leaves it open", err)
	}
	unlock()
	if err := d.Swap(t.Context(), "id", r.Version, newRecord("next")); err != nil {
		t.Errorf("Swap afterwards: %v", err)
	}
}

func TestErrors_ARowThatIsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		put(t, d, "id", "data")
		if err := d.Index(t.Context(), "owner", "ref", "id", time.Hour); err != nil {
			t.Fatal(err)
		}
		d.exec(t, "UPDATE {s} SET version = $1", make([]byte, 16))
		if _, err := d.Find(t.Context(), "id"); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("Find: %v, want ErrDamaged", err)
		}
		for _, prev := range []store.Version{{}, newRecord("").Version} {
			err := d.Swap(t.Context(), "id", prev, newRecord("x"))
			if !errors.Is(err, store.ErrDamaged) || !errors.Is(err, store.ErrNotApplied) {
				t.Errorf("Swap: %v, want ErrDamaged and ErrNotApplied", err)
			}
		}
		if entries, err := d.Owned(t.Context(), "owner"); err != nil || len(entries) != 1 || entries[0].Record.Version != (store.Version{}) {
			t.Errorf("Owned: %v, %v", entries, err)
		}
		if err := d.Delete(t.Context(), "id"); err != nil {
			t.Errorf("Delete: %v", err)
		}
		put(t, d, "id", "x")
	})
}

func TestCreate_ByManyAtOnceAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		for range 5 {
			s := sqlstore.New(d.db, d.dialect, tables())
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if err := s.CreateTables(t.Context()); err != nil {
						t.Errorf("Create: %v: %v", err, errors.Unwrap(errors.Unwrap(err)))
					}
				})
			}
			all.Wait()
			if err := s.CreateTables(t.Context()); err != nil {
				t.Errorf("Create again: %v", err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("Ping: %v", err)
			}
		}
	})
}

// The schema is SQL to run as it is, also in a schema of PostgreSQL's.
func TestSchema_IsWhatCreateDoes(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		o := tables()
		if d.dialect == sqlstore.PostgreSQL {
			d.exec(t, "CREATE SCHEMA IF NOT EXISTS app")
			o.SessionsTable, o.OwnersTable = "app."+o.SessionsTable, "app."+o.OwnersTable
		}
		s := sqlstore.New(d.db, d.dialect, o)
		d.exec(t, s.Schema())
		put(t, s, "id", "data")
		if err := s.Index(t.Context(), "owner", "ref", "id", time.Hour); err != nil {
			t.Errorf("Index: %v", err)
		}
	})
}
