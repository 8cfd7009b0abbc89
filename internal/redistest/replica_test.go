package redistest_test

import (
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
)

func TestReplica_HasTheDataAndIsReadOnly(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t, "--requirepass", "open-sesame")
	master.Do(t, "SET", "k", "v")
	replica := redistest.StartReplica(t, master, "--requirepass", "open-sesame")
	conn := dial(t, replica.Addr())
	do(t, conn, "AUTH", "open-sesame")
	if got, err := redis.String(do(t, conn, "GET", "k"), nil); got != "v" {
		t.Errorf("the replica has %q, %v", got, err)
	}
	if _, err := conn.Do("SET", "k", "w"); err == nil || !strings.HasPrefix(err.Error(), "READONLY ") {
		t.Errorf("SET: %v, want READONLY", err)
	}
	// It keeps nothing of its own to load.
	master.Kill(t)
	replica.Kill(t)
	replica.Restart(t)
	if n := replica.Do(t, "DBSIZE"); n != int64(0) {
		t.Errorf("%v keys after a restart, want 0", n)
	}
}
