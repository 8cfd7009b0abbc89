package redistest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
)

func TestServer_LoadsUntilToldToFinish(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Do(t, "SET", "k", "v")
	s.RestartLoading(t)
	conn := dial(t, s.Addr())
	for began := time.Now(); time.Since(began) < time.Second; {
		if _, err := conn.Do("GET", "k"); err == nil || !strings.HasPrefix(err.Error(), "LOADING ") {
			t.Fatalf("GET while loading: %v, want LOADING", err)
		}
	}
	s.FinishLoading(t)
	if got, err := redis.String(do(t, conn, "GET", "k"), nil); got != "v" {
		t.Errorf("after loading: %q, %v, want the value of before", got, err)
	}
	if n := do(t, conn, "DBSIZE"); n != int64(1) {
		t.Errorf("%v keys after loading, want 1", n)
	}
	s.Kill(t)
	s.Restart(t)
	if n := s.Do(t, "DBSIZE"); n != int64(0) {
		t.Errorf("%v keys after another restart, want 0", n)
	}
}
