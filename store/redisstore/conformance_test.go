package redisstore_test

import (
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
	"github.com/gosatchel/satchel/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance(t, redistest.Shared(t).URL())
}

func TestConformance_Sentinel(t *testing.T) {
	t.Parallel()
	conformance(t, redistest.StartSentinel(t, 3, 1).URL()+"?wait_replicas=1")
}

func TestConformance_Cluster(t *testing.T) {
	t.Parallel()
	conformance(t, redistest.StartCluster(t, 3, 1).URL()+"?wait_replicas=1")
}

func conformance(t *testing.T, url string) {
	s := open(t, url, redisstore.Options{Prefix: redistest.Prefix(t)})
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
}
