package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"time"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/sqlstore"
)

// The app imports its driver: github.com/jackc/pgx/v5/stdlib here.
func Example() {
	db, err := sql.Open("pgx", "postgres://app@localhost/shop")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	s := sqlstore.New(db, sqlstore.PostgreSQL, sqlstore.Options{})

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := s.CreateTables(ctx); err != nil {
		log.Fatal(err)
	}
	go s.CleanUpEvery(ctx, time.Minute, func(removed int64, err error) {
		if err != nil {
			log.Print(err)
		}
	})

	_ = session.New(s, session.Options{}) // and wrap your handler
}

// With modernc.org/sqlite: readers that don't wait for writers, and a store that waits
// for the lock itself.
func Example_sqLite() {
	db, err := sql.Open("sqlite", "file:sessions.db?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	s := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
	_ = session.New(s, session.Options{})
}

// For those who keep their own migrations.
func ExampleStore_Schema() {
	s := sqlstore.New(sql.OpenDB(nowhere{}), sqlstore.SQLite, sqlstore.Options{SessionsTable: "visits", OwnersTable: "visitors"})
	fmt.Print(s.Schema())
	// Output:
	// CREATE TABLE IF NOT EXISTS visits (
	// 	id BLOB NOT NULL PRIMARY KEY,
	// 	version BLOB NOT NULL CHECK (length(version) = 16),
	// 	data BLOB NOT NULL,
	// 	expires INTEGER NOT NULL
	// );
	//
	// CREATE INDEX IF NOT EXISTS visits_expires ON visits (expires);
	//
	// CREATE TABLE IF NOT EXISTS visitors (
	// 	owner BLOB NOT NULL,
	// 	id BLOB NOT NULL,
	// 	ref BLOB NOT NULL,
	// 	indexed INTEGER NOT NULL,
	// 	expires INTEGER NOT NULL,
	// 	PRIMARY KEY (owner, id)
	// ) WITHOUT ROWID;
	//
	// CREATE INDEX IF NOT EXISTS visitors_expires ON visitors (expires);
}
