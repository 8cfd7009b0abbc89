package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

// What needs no database. All else is tested on real ones, by package sqlstoretest.

// nowhere is a database that nobody can connect to.
type nowhere struct{}

var errNowhere = errors.New("no way to user:secret@host")

func (nowhere) Connect(context.Context) (driver.Conn, error) { return nil, errNowhere }
func (nowhere) Driver() driver.Driver                        { return nil }

func TestNew_RefusesWhatCantWork(t *testing.T) {
	db := sql.OpenDB(nowhere{})
	for name, open := range map[string]func(){
		"no database":         func() { sqlstore.New(nil, sqlstore.SQLite, sqlstore.Options{}) },
		"no dialect":          func() { sqlstore.New(db, 0, sqlstore.Options{}) },
		"another dialect":     func() { sqlstore.New(db, 3, sqlstore.Options{}) },
		"an injected table":   func() { sqlstore.New(db, sqlstore.PostgreSQL, sqlstore.Options{SessionsTable: "s; DROP TABLE users"}) },
		"a quoted table":      func() { sqlstore.New(db, sqlstore.PostgreSQL, sqlstore.Options{OwnersTable: `"o"`}) },
		"a line break":        func() { sqlstore.New(db, sqlstore.PostgreSQL, sqlstore.Options{OwnersTable: "o\n"}) },
		"a schema of SQLite":  func() { sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{SessionsTable: "main.s"}) },
		"a number":            func() { sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{SessionsTable: "1s"}) },
		"one table for both":  func() { sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{SessionsTable: "s", OwnersTable: "S"}) },
		"a database's schema": func() { sqlstore.New(db, sqlstore.PostgreSQL, sqlstore.Options{SessionsTable: "a.b.c"}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "sqlstore: ") {
					t.Errorf("it panicked with %q", text)
				}
			}()
			open()
		})
	}
}

// What can't connect has written nothing, and its error keeps to itself where it failed.
func TestErrors_WithoutAConnection(t *testing.T) {
	s := sqlstore.New(sql.OpenDB(nowhere{}), sqlstore.PostgreSQL, sqlstore.Options{})
	r := store.Record{Version: store.Version{1}, TTL: time.Hour}
	for name, err := range map[string]error{
		"Swap":   s.Swap(t.Context(), "id", store.Version{}, r),
		"Touch":  s.Touch(t.Context(), "id", r.Version, time.Hour),
		"Delete": s.Delete(t.Context(), "id"),
	} {
		if !errors.Is(err, store.ErrNotApplied) || !errors.Is(err, errNowhere) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want ErrNotApplied and the cause, unquoted", name, err)
		}
	}
}

func TestCleanUpEvery_RefusesNoInterval(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	sqlstore.New(sql.OpenDB(nowhere{}), sqlstore.PostgreSQL, sqlstore.Options{}).CleanUpEvery(t.Context(), 0, nil)
}
