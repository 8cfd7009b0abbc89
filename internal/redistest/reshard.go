package redistest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// migrateTimeout is MIGRATE's, in milliseconds.
const migrateTimeout = 10_000

// MoveSlot moves slot from the master that has it to another master, as a
// resharding does: each refers clients to the other with ASK, then with MOVED.
// It returns when all nodes that answer know.
//
// during, unless nil, is called in the middle: half of the keys, or the only
// one, have been moved, and the slot itself has not.
func (c *Cluster) MoveSlot(t testing.TB, slot int, to *Server, during func()) {
	t.Helper()
	from := c.Master(t, slot)
	if from == to {
		t.Fatalf("redistest: slot %d is at %s already", slot, to.Addr())
	}
	fromID, toID := clusterID(t, from), clusterID(t, to)
	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID)

	keys, err := redis.Int(from.Do(t, "CLUSTER", "COUNTKEYSINSLOT", slot), nil)
	if err != nil {
		t.Fatalf("redistest: CLUSTER COUNTKEYSINSLOT: %v", err)
	}
	migrate(t, slot, from, to, (keys+1)/2)
	if during != nil {
		during()
	}
	for migrate(t, slot, from, to, 100) > 0 {
	}

	// First the new master. If the old one were to forget the slot first, each
	// would refer clients to the other for a moment.
	informed := []*Server{to, from}
	for _, s := range answering(c.nodes) {
		master, err := isMaster(s)
		if err != nil {
			t.Fatalf("redistest: INFO: %v", err)
		}
		if master && !slices.Contains(informed, s) {
			informed = append(informed, s)
		}
	}
	for _, s := range informed {
		s.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	}
	await(t, "agreement on a moved slot", func() error {
		master, err := c.agreed(slot, from)
		if err == nil && master != to {
			err = fmt.Errorf("slot %d is at %s", slot, master.Addr())
		}
		return err
	})
}

// migrate moves up to n keys of slot and returns how many there were.
func migrate(t testing.TB, slot int, from, to *Server, n int) int {
	t.Helper()
	keys, err := redis.Strings(from.Do(t, "CLUSTER", "GETKEYSINSLOT", slot, n), nil)
	if err != nil {
		t.Fatalf("redistest: CLUSTER GETKEYSINSLOT: %v", err)
	}
	if len(keys) == 0 {
		return 0
	}
	args := redis.Args{"127.0.0.1", to.port, "", 0, migrateTimeout}
	if password := to.password(); password != "" {
		args = args.Add("AUTH", password)
	}
	from.Do(t, "MIGRATE", args.Add("KEYS").AddFlat(keys)...)
	return len(keys)
}
