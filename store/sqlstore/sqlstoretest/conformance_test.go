package sqlstoretest_test

import (
	"testing"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/sqlstore"
	"github.com/gosatchel/satchel/store/storetest"
)

func TestConformance(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		t.Parallel() // most of it is waiting
		storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return d.Store }})
	})
}

// With the strictest isolation, which an operator may have made the default, PostgreSQL
// reports conflicts in its own way.
func TestConformance_Serializable(t *testing.T) {
	t.Parallel()
	db := openPostgres(t, "default_transaction_isolation=serializable")
	d := create(t, db, sqlstore.PostgreSQL)
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return d.Store }})
}
