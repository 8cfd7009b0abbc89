package sqlstoretest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
)

// PostgreSQL may say that a row was written, and then fail to commit it. A deferred
// trigger brings that about.
func TestErrors_WhereTheCommitFails(t *testing.T) {
	d := create(t, openPostgres(t), sqlstore.PostgreSQL)
	r := put(t, d, "id", "data")
	d.exec(t, `CREATE FUNCTION refuse_{s}() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END $$`)
	d.exec(t, `CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE OR DELETE ON {s}
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_{s}()`)
	for name, err := range map[string]error{
		"Swap that creates":  d.Swap(t.Context(), "new", store.Version{}, newRecord("x")),
		"Swap that replaces": d.Swap(t.Context(), "id", r.Version, newRecord("x")),
		"Touch":              d.Touch(t.Context(), "id", r.Version, 2*time.Hour),
		"Delete":             d.Delete(t.Context(), "id"),
	} {
		if !errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s: %v, want ErrNotApplied", name, err)
		}
	}
	if got, err := d.Find(t.Context(), "id"); err != nil || got.Version != r.Version || got.TTL > r.TTL {
		t.Errorf("Find: %q with %v left, %v; want what was there", got.Data, got.TTL, err)
	}
	if _, err := d.Find(t.Context(), "new"); err != store.ErrNotFound {
		t.Errorf("Find of what was not created: %v, want ErrNotFound", err)
	}
}
