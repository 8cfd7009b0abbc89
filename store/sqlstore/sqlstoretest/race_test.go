package sqlstoretest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

// What PostgreSQL does while a Swap waits for a row. The statement's view of the table
// is from before, and none of that may reach the caller.

// overtaken has call wait for another transaction that runs statement, and returns what
// call returns after that has committed.
func overtaken(t *testing.T, d database, statement string, call func() error) error {
	t.Helper()
	tx, err := d.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- call() }()
	for waiting := 0; waiting == 0; {
		const query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'"
		if err := d.db.QueryRowContext(t.Context(), query, d.options.SessionsTable).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return <-done
}

func TestSwap_OvertakenByAnother(t *testing.T) {
	d := create(t, openPostgres(t), sqlstore.PostgreSQL)
	table := d.options.SessionsTable
	theirs := store.Version{15: 1}
	const theirRow = "'\\x00000000000000000000000000000001', 'theirs'"
	for _, c := range []struct {
		name      string
		there     bool
		statement string
		conflict  bool // or ErrNotFound, or success if there was none
		success   bool
	}{
		{name: "replaced", there: true, conflict: true,
			statement: "UPDATE " + table + " SET (version, data) = ROW(" + theirRow + ") WHERE id = 'replaced'"},
		{name: "deleted", there: true,
			statement: "DELETE FROM " + table + " WHERE id = 'deleted'"},
		{name: "expired", there: true,
			statement: "UPDATE " + table + " SET expires = now() WHERE id = 'expired'"},
		{name: "created", conflict: true,
			statement: "INSERT INTO " + table + " VALUES ('created', " + theirRow + ", now() + interval '1 hour')"},
		{name: "created, and expired", success: true,
			statement: "INSERT INTO " + table + " VALUES ('created, and expired', " + theirRow + ", now())"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var prev store.Version
			if c.there {
				prev = put(t, d, c.name, "data").Version
			}
			err := overtaken(t, d, c.statement, func() error { return d.Swap(t.Context(), c.name, prev, newRecord("ours")) })
			var conflict *store.Conflict
			switch {
			case c.success:
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
			case c.conflict:
				if !errors.As(err, &conflict) || conflict.Current.Version != theirs || string(conflict.Current.Data) != "theirs" {
					t.Errorf("error %v, want a Conflict with the record that was written meanwhile", err)
				}
			case err != store.ErrNotFound:
				t.Errorf("error %v, want ErrNotFound", err)
			}
		})
	}
}

// A record that expires while a Swap waits for it is not brought back, though it was
// live when the statement began.
func TestSwap_OfARecordThatExpiresMeanwhile(t *testing.T) {
	d := create(t, openPostgres(t), sqlstore.PostgreSQL)
	r := newRecord("data")
	r.TTL = 300 * time.Millisecond
	if err := d.Swap(t.Context(), "id", store.Version{}, r); err != nil {
		t.Fatal(err)
	}
	lock := "DO $$ BEGIN UPDATE " + d.options.SessionsTable + " SET data = data; PERFORM pg_sleep(0.5); END $$"
	tx, err := d.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	locked := make(chan error, 1)
	go func() {
		_, err := tx.ExecContext(t.Context(), lock)
		locked <- errors.Join(err, tx.Commit())
	}()
	for n := 0; n == 0; {
		if err := d.db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Swap(t.Context(), "id", r.Version, newRecord("back")); err != store.ErrNotFound {
		t.Errorf("Swap: %v, want ErrNotFound", err)
	}
	if err := <-locked; err != nil {
		t.Error(err)
	}
}
