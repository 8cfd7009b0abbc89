package sqlstoretest_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/lib/pq"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
	"github.com/gosatchel/satchel/store/storetest"
)

// openPQ returns a pool of lib/pq for the server whose socket is in dir.
func openPQ(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", "host="+dir+" port=5432 user=satchel dbname=postgres sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestConformance_AnotherDriver(t *testing.T) {
	t.Parallel()
	openPostgres(t) // or skips
	server, _ := shared()
	d := create(t, openPQ(t, server.dir), sqlstore.PostgreSQL)
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return d.Store }})
}

// A cutter is a socket in front of PostgreSQL's that swallows, on command, what the server
// says of the next statement that it has carried out, and ends the connection.
type cutter struct {
	dir      string
	listener net.Listener
	armed    atomic.Bool
}

func newCutter(t *testing.T, server string) *cutter {
	t.Helper()
	const socket = ".s.PGSQL.5432"
	dir, err := os.MkdirTemp("", "cut") // a short name: a socket's path has to be
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{dir: dir}
	if c.listener, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.listener.Close(); os.RemoveAll(dir) })
	go func() {
		for {
			client, err := c.listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", filepath.Join(server, socket))
			if err != nil {
				client.Close()
				continue
			}
			go func() { io.Copy(to, client); to.Close() }()
			go func() {
				defer client.Close()
				defer to.Close()
				for b := make([]byte, 64<<10); ; {
					n, err := to.Read(b)
					if err != nil || bytes.Contains(b[:n], []byte("SELECT 1\x00")) && c.armed.CompareAndSwap(true, false) {
						return
					}
					if _, err := client.Write(b[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return c
}

// lib/pq says of connections that broke after the statement was carried out what
// database/sql keeps for those that were dead before. Such a Swap finds its own work, and
// where it can't look for it, claims nothing.
func TestErrors_WhereADriverTakesABrokenConnectionForADeadOne(t *testing.T) {
	openPostgres(t)
	server, _ := shared()
	c := newCutter(t, server.dir)
	d := create(t, openPQ(t, c.dir), sqlstore.PostgreSQL)
	first := put(t, d, "id", "first")

	c.armed.Store(true)
	second := newRecord("second")
	if err := d.Swap(within(t, time.Minute), "id", first.Version, second); err != nil {
		t.Errorf("a Swap whose answer was lost: %v", err)
	}
	if c.armed.Load() {
		t.Fatal("nothing was swallowed")
	}
	c.armed.Store(true)
	var met *store.Conflict
	if err := d.Swap(within(t, time.Minute), "id", first.Version, newRecord("late")); err == nil || errors.As(err, &met) || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("a conflict of which the first answer was lost: %v, want an error that claims nothing", err)
	}
	c.armed.Store(true)
	c.listener.Close() // and so there is no other connection
	if err := d.Swap(within(t, time.Minute), "id", second.Version, newRecord("third")); err == nil || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("a Swap that nobody can look for: %v, want an error that does not wrap ErrNotApplied", err)
	}
	direct := sqlstore.New(openPostgres(t), sqlstore.PostgreSQL, d.options)
	if got, err := direct.Find(t.Context(), "id"); err != nil || string(got.Data) != "third" {
		t.Errorf("there is %q (%v), want what was written", got.Data, err)
	}
}
