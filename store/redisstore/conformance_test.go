package redisstore_test

import (
	"testing"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/storetest"
)

func TestConformance(t *testing.T) {
	s := openShared(t)
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
}
