package scsstore_test

import (
	"context"
	"testing"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
	"github.com/gosatchel/satchel/store/storetest"
)

// No case is waived. Those of store.Indexer are skipped: this store is none.

func TestConformance_Store(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(*testing.T) store.Store {
			return scsstore.New(memstore.NewWithCleanupInterval(0), scsstore.Options{})
		},
		FakeTime: true,
	})
}

func TestConformance_CtxStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(*testing.T) store.Store {
			live := func(ctx context.Context) error { return ctx.Err() }
			return scsstore.New(interruptible{newHooked(), live}, scsstore.Options{})
		},
		FakeTime: true,
	})
}

func TestStore_IsNoIndexer(t *testing.T) {
	var s any = scsstore.New(memstore.NewWithCleanupInterval(0), scsstore.Options{})
	if _, ok := s.(store.Indexer); ok {
		t.Error("a store that can't list records says it can")
	}
}
