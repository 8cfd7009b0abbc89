package sqlstoretest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

func TestCleanUp_RemovesWhatHasExpiredAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		const expired = 1203 // more than two steps
		past := newRecord("data")
		past.TTL = time.Microsecond
		d.db.SetMaxOpenConns(1) // so that all is one transaction, which is quicker
		d.exec(t, "BEGIN")
		for i := range expired {
			if err := d.Swap(t.Context(), fmt.Sprint(i), store.Version{}, past); err != nil {
				t.Fatal(err)
			}
			if err := d.Index(t.Context(), "owner", "ref", fmt.Sprint(i), time.Microsecond); err != nil {
				t.Fatal(err)
			}
		}
		d.exec(t, "COMMIT")
		d.db.SetMaxOpenConns(16)
		d.age(t, "{s}", "expires", time.Second)
		d.age(t, "{o}", "expires", time.Second)
		r := put(t, d, "live", "data")
		if err := d.Index(t.Context(), "owner", "ref", "live", time.Hour); err != nil {
			t.Fatal(err)
		}
		if removed, err := d.CleanUp(t.Context()); removed != 2*expired || err != nil {
			t.Errorf("CleanUp: %d, %v; want %d", removed, err, 2*expired)
		}
		if removed, err := d.CleanUp(t.Context()); removed != 0 || err != nil {
			t.Errorf("CleanUp again: %d, %v", removed, err)
		}
		if s, o := d.count(t, d.options.SessionsTable), d.count(t, d.options.OwnersTable); s != 1 || o != 1 {
			t.Errorf("%d sessions and %d entries are left, want 1 and 1", s, o)
		}
		if got, err := d.Find(t.Context(), "live"); err != nil || got.Version != r.Version {
			t.Errorf("Find: %v", err)
		}
	})
}

// The planner may come to think, from many clean-ups with nothing to do, that the rows
// to remove are best looked for again and again.
func TestCleanUp_RemovesNoMoreThanAStepAtOnce(t *testing.T) {
	openPostgres(t) // or skips
	server, _ := shared()
	config, err := pgx.ParseConfig(server.dsn())
	if err != nil {
		t.Fatal(err)
	}
	most := &mostDeleted{}
	config.Tracer = most
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // with the plans that it has made
	d := create(t, db, sqlstore.PostgreSQL)
	const rows = 3000
	d.exec(t, "INSERT INTO {s} SELECT int4send(i), '\\x00112233445566778899aabbccddeeff', '', now() + interval '1 hour' FROM generate_series(1, $1::int) i", rows)
	d.exec(t, "INSERT INTO {o} SELECT 'owner', int4send(i), 'ref', now(), now() + interval '1 hour' FROM generate_series(1, $1::int) i", rows)
	d.exec(t, "ANALYZE {s}")
	d.exec(t, "ANALYZE {o}")
	for range 10 {
		if removed, err := d.CleanUp(t.Context()); removed != 0 || err != nil {
			t.Fatalf("CleanUp of what lives: %d, %v", removed, err)
		}
	}
	d.age(t, "{s}", "expires", 2*time.Hour)
	d.age(t, "{o}", "expires", 2*time.Hour)
	if removed, err := d.CleanUp(t.Context()); removed != 2*rows || err != nil {
		t.Errorf("CleanUp: %d, %v; want %d", removed, err, 2*rows)
	}
	if most.rows != 500 {
		t.Errorf("a statement has removed %d rows, want 500 at most", most.rows)
	}
}

// mostDeleted notes how many rows one statement has removed at most.
type mostDeleted struct{ rows int64 }

func (m *mostDeleted) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (m *mostDeleted) TraceQueryEnd(_ context.Context, _ *pgx.Conn, end pgx.TraceQueryEndData) {
	if end.CommandTag.Delete() {
		m.rows = max(m.rows, end.CommandTag.RowsAffected())
	}
}

func TestCleanUpEvery_GoesOnUntilItsContextIsDone(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		ctx, cancel := context.WithCancel(t.Context())
		reports, done := make(chan int64), make(chan struct{})
		go func() {
			defer close(done)
			d.CleanUpEvery(ctx, time.Millisecond, func(removed int64, err error) {
				if err != nil {
					t.Errorf("CleanUp: %v", err)
				}
				select {
				case reports <- removed:
				case <-ctx.Done():
				}
			})
		}()
		<-reports // the first is at once, and the table is empty
		put(t, d, "id", "data")
		d.age(t, "{s}", "expires", 2*time.Hour)
		for removed := int64(0); removed == 0; removed = <-reports {
		}
		cancel()
		<-done
		if n := d.count(t, d.options.SessionsTable); n != 0 {
			t.Errorf("%d records are left", n)
		}
	})
}

// What the suite can't wait for: the minute after which an entry without a record is
// removed, and not only kept back.
func TestOwned_RemovesEntriesWithoutARecordAfterAMinute(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		for _, id := range []string{"young", "old", "old and live", "expired"} {
			if err := d.Index(t.Context(), "owner", "ref of "+id, id, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		put(t, d, "old and live", "data")
		d.age(t, "{o}", "indexed", time.Minute)
		d.exec(t, "UPDATE {o} SET expires = indexed WHERE ref = $1", []byte("ref of expired"))
		put(t, d, "expired", "data")
		if err := d.Index(t.Context(), "owner", "ref of young", "young", time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			entries, err := d.Owned(t.Context(), "owner")
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, e := range entries {
				got[e.ID] = e.Record.Version != store.Version{}
			}
			if want := map[string]bool{"young": false, "old and live": true}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("Owned: %v, want %v", got, want)
			}
			if n := d.count(t, d.options.OwnersTable); n != 2 {
				t.Errorf("%d entries are in the table, want 2", n)
			}
		}
	})
}
