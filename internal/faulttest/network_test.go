package faulttest_test

import (
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/gosatchel/satchel/internal/redistest"
)

func init() { zerolog.SetGlobalLevel(zerolog.Disabled) } // some toxics log what they do

// A network is a toxiproxy in front of a Redis server.
type network struct {
	*toxiproxy.Proxy
	t testing.TB
}

// newNetwork returns a network without faults, which ends with the test.
func newNetwork(t testing.TB, server *redistest.Server) network {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := network{toxiproxy.NewProxy(api, "redis", "127.0.0.1:0", server.Addr()), t}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

func (n network) url() string { return "redis://" + n.Listen }

// poison adds toxics, each in the JSON of toxiproxy, to all connections.
func (n network) poison(toxics ...string) {
	n.t.Helper()
	for _, toxic := range toxics {
		if _, err := n.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			n.t.Fatalf("%s: %v", toxic, err)
		}
	}
}

// cure removes all toxics.
func (n network) cure() { n.Toxics.ResetToxics(n.t.Context()) }
