package scsstoretest_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	scsredis "github.com/alexedwards/scs/redisstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/gomodule/redigo/redis"
	_ "modernc.org/sqlite"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
	"github.com/gosatchel/satchel/store/storetest"
)

// No case is waived; see package scsstore for what the suite can't show, since it is
// one process.

func TestConformance_Redis(t *testing.T) {
	server := redistest.Shared(t)
	pool := &redis.Pool{
		MaxIdle:   16,
		MaxActive: 32,
		Wait:      true,
		Dial:      func() (redis.Conn, error) { return redis.Dial("tcp", server.Addr()) },
	}
	t.Cleanup(func() { pool.Close() })
	run(t, scsstore.New(scsredis.NewWithPrefix(pool, redistest.Prefix(t)), scsstore.Options{}))
}

func TestConformance_SQLite(t *testing.T) {
	// WAL and a patience of the database's own are what SQLite needs to be written to
	// by several connections.
	file := filepath.Join(t.TempDir(), "sessions.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(20000)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	// As scs's documentation has it.
	for _, statement := range []string{
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions(expiry)",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	scsStore := sqlite3store.NewWithCleanupInterval(db, time.Second)
	t.Cleanup(scsStore.StopCleanup)
	run(t, scsstore.New(scsStore, scsstore.Options{}))
}

func run(t *testing.T, s store.Store) {
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
}
