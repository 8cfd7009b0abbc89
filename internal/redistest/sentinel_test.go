package redistest_test

import (
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
)

func TestSentinel_FailsOver(t *testing.T) {
	g := redistest.StartSentinel(t, 3, 2)
	old := g.Master(t)
	t.Log("started")
	ordered := g.Failover(t)
	t.Log("failover")
	if ordered == old {
		t.Fatal("same")
	}
	ordered.Kill(t)
	third := g.AwaitFailover(t, ordered)
	t.Log(third.Addr())
	if third == ordered {
		t.Fatal("same")
	}
}
