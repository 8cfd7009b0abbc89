package faulttest_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/redisstore"
)

const (
	storeTimeout = 500 * time.Millisecond
	maxConns     = 8 // of each store

	// recovery is what it may take to find out that the network is well: a deadline,
	// after which the connections that were open before are not trusted any more.
	recovery = storeTimeout + time.Second
)

// A fault is what the network does to connections.
type fault struct {
	toxics []string
	works  bool // requests succeed
}

var faults = map[string]fault{
	"latency and jitter": {works: true, toxics: []string{
		`{"type": "latency", "stream": "upstream", "attributes": {"latency": 15, "jitter": 10}}`,
		`{"type": "latency", "stream": "downstream", "attributes": {"latency": 15, "jitter": 10}}`,
	}},
	"latency about the deadline":  {toxics: []string{`{"type": "latency", "attributes": {"latency": 450, "jitter": 200}}`}},
	"latency beyond the deadline": {toxics: []string{`{"type": "latency", "attributes": {"latency": 2000}}`}},
	"little bandwidth":            {works: true, toxics: []string{`{"type": "bandwidth", "attributes": {"rate": 20}}`, `{"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 20}}`}},
	"next to no bandwidth":        {toxics: []string{`{"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 1}}`}},
	"resets of requests":          {toxics: []string{`{"type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 0}}`}},
	"resets of replies":           {toxics: []string{`{"type": "reset_peer", "attributes": {"timeout": 0}}`}},
	"resets after a while":        {toxics: []string{`{"type": "reset_peer", "attributes": {"timeout": 100}}`}},
	"resets of some replies":      {works: true, toxics: []string{`{"type": "reset_peer", "toxicity": 0.3, "attributes": {"timeout": 0}}`}},
	"half-open, no requests":      {toxics: []string{`{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`}},
	"half-open, no replies":       {toxics: []string{`{"type": "timeout", "attributes": {"timeout": 0}}`}},
	"half-open in part":           {works: true, toxics: []string{`{"type": "timeout", "toxicity": 0.3, "attributes": {"timeout": 0}}`}},
	"slow to close":               {works: true, toxics: []string{`{"type": "slow_close", "attributes": {"delay": 300}}`, `{"type": "slow_close", "stream": "upstream", "attributes": {"delay": 300}}`}},
	"cut in mid-reply":            {works: true, toxics: []string{`{"type": "limit_data", "attributes": {"bytes": 700}}`}},
	"cut in mid-request":          {works: true, toxics: []string{`{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": 900}}`}},
	"sliced": {works: true, toxics: []string{
		`{"type": "slicer", "attributes": {"average_size": 7, "size_variation": 3, "delay": 100}}`,
		`{"type": "slicer", "stream": "upstream", "attributes": {"average_size": 7, "size_variation": 3, "delay": 100}}`,
	}},
}

// TestP6_Network: whatever the network does, no request outlives its deadline, no
// cookie is touched, what was acknowledged is there once and nothing twice, service
// returns by itself, and neither goroutines nor connections are left in the end.
func TestP6_Network(t *testing.T) {
	server := redistest.Shared(t)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Run("outage", func(t *testing.T) { outage(t, server, f) })
			wantNoConns(t, server)
			goleak.VerifyNone(t, append(ofToxiproxy, before)...)
		})
	}
}

// toxiproxy leaves goroutines of its own behind where a toxic is removed from a
// connection that is closing.
var ofToxiproxy = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
	goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).write"),
	goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
}

func outage(t *testing.T, server *redistest.Server, f fault) {
	net := newNetwork(t, server)
	var crowds []*trial.Crowd
	for _, policy := range []session.OutagePolicy{session.Refuse, session.ReadOnly} {
		o := session.Options{Insecure: true, Logger: slog.New(slog.DiscardHandler), StoreTimeout: storeTimeout, Outage: policy}
		crowds = append(crowds, trial.NewCrowd(t, open(t, net.url()), o, 6))
	}
	trial.Ordeal{
		Begin:    func() (end func()) { net.poison(f.toxics...); return net.cure },
		Works:    f.works,
		Steps:    50,
		Recovery: recovery,
	}.Run(t, crowds...)
	wantConns(t, server, len(crowds)*maxConns)
}

func open(t *testing.T, url string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(url, redisstore.Options{Prefix: redistest.Prefix(t), MaxActive: maxConns})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// conns returns how many connections the server has, apart from the one that asks.
func conns(t *testing.T, server *redistest.Server) int {
	t.Helper()
	list := fmt.Sprintf("%s", server.Do(t, "CLIENT", "LIST", "TYPE", "normal"))
	return strings.Count(list, "\n") - 1
}

func wantConns(t *testing.T, server *redistest.Server, most int) {
	t.Helper()
	if got := conns(t, server); got > most {
		t.Errorf("%d connections are open, want at most %d", got, most)
	}
}

// wantNoConns waits until the server has noticed that all connections are closed.
func wantNoConns(t *testing.T, server *redistest.Server) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); conns(t, server) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are still open", conns(t, server))
		}
	}
}
