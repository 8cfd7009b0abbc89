package memstore_test

import (
	"testing"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
	"github.com/gosatchel/satchel/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open:     func(*testing.T) store.Store { return memstore.New() },
		FakeTime: true,
	})
}

// The suite over the wall clock must come to the same result: it is what stores
// outside of the process are tested with.
func TestConformanceInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for some seconds")
	}
	s := memstore.New()
	defer s.Close()
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
}
