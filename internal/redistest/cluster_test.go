package redistest_test

import (
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
)

func TestCluster_StartsComplete(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	if n := len(c.Nodes()); n != 6 {
		t.Fatalf("%d nodes, want 6", n)
	}
	if want := "redis+cluster://" + strings.Join(c.Addrs(), ","); c.URL() != want {
		t.Errorf("URL is %s, want %s", c.URL(), want)
	}
}
