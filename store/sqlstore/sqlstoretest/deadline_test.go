package sqlstoretest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

// slack is how much later than its deadline a call may return.
const slack = 100 * time.Millisecond

// writers are the methods that write to the record under "id".
var writers = map[string]func(ctx context.Context, d database, v store.Version) error{
	"Swap": func(ctx context.Context, d database, v store.Version) error {
		return d.Swap(ctx, "id", v, newRecord("next"))
	},
	"Touch": func(ctx context.Context, d database, v store.Version) error {
		return d.Touch(ctx, "id", v, 2*time.Hour)
	},
	"Delete": func(ctx context.Context, d database, _ store.Version) error { return d.Delete(ctx, "id") },
	"Index": func(ctx context.Context, d database, _ store.Version) error {
		return d.Index(ctx, "owner", "ref", "id", time.Hour)
	},
	"Unindex": func(ctx context.Context, d database, _ store.Version) error { return d.Unindex(ctx, "owner", "id") },
}

// While somebody holds the tables, a call waits until its deadline and no longer.
func TestDeadline_IsKeptWhileTheTablesAreLocked(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		r := put(t, d, "id", "data")
		unlock := d.lock(t)
		for name, call := range writers {
			begun := time.Now()
			err := call(within(t, 200*time.Millisecond), d, r.Version)
			if took := time.Since(begun); took > 200*time.Millisecond+slack {
				t.Errorf("%s took %v, want 200 ms and at most %v more", name, took, slack)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want DeadlineExceeded", name, err)
			}
		}
		unlock()
		if got, err := d.Find(t.Context(), "id"); err != nil || got.Version != r.Version {
			t.Errorf("afterwards: %q, %v", got.Data, err)
		}
		for name, call := range writers {
			if err := call(within(t, time.Minute), d, newRecord("").Version); err != nil && !errors.As(err, new(*store.Conflict)) && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s afterwards: %v", name, err)
			}
		}
	})
}

// A call for which there is no connection has certainly done nothing.
func TestDeadline_IsKeptWithoutAConnection(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		r := put(t, d, "id", "data")
		d.db.SetMaxOpenConns(1)
		c, err := d.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, call := range writers {
			err := call(within(t, 50*time.Millisecond), d, r.Version)
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, store.ErrNotApplied) {
				t.Errorf("%s: %v, want DeadlineExceeded and ErrNotApplied", name, err)
			}
		}
		if _, err := d.Find(within(t, 50*time.Millisecond), "id"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Find: %v, want DeadlineExceeded", err)
		}
	})
}

// lock keeps everybody from writing until unlock is called.
func (d database) lock(t *testing.T) (unlock func()) {
	t.Helper()
	c, err := d.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begin := "BEGIN IMMEDIATE"
	if d.dialect == sqlstore.PostgreSQL {
		begin = "BEGIN; LOCK TABLE " + d.options.SessionsTable + ", " + d.options.OwnersTable
	}
	if _, err := c.ExecContext(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := c.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Errorf("ROLLBACK: %v", err)
		}
		c.Close()
	}
}
