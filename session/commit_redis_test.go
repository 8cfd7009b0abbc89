package session_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

// network is a visitor of a store behind a proxy, and a rival that gets to the
// same Redis directly.
type network struct {
	proxy    *redistest.Proxy
	store    *faulty // behind the proxy
	b, rival *trial.Browser
}

// newNetwork also has every script known to the server, so that a command is one
// round trip.
func newNetwork(t *testing.T) network {
	t.Helper()
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	direct := trial.OpenRedis(t, server.URL(), prefix)
	proxy := redistest.NewProxy(t, server.Addr())
	f := newFaulty(trial.OpenRedis(t, proxy.URL(), prefix))
	b := visitor(t, f, plainHTTP(), func(ctx context.Context) { points.Set(ctx, 1) })
	visitOK(t, b, addPoint)
	return network{proxy, f, b, through(direct, plainHTTP(), b)}
}

// TestP1_RedisLosesTheReply of each write of a commit, at the network.
func TestP1_RedisLosesTheReply(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    deed
		swaps int
	}{
		{"a change", addPoint, 1},
		{"a renewal", renewing, 2},
		{"a sign-in", signingIn, 2},
		{"a Transact", func(ctx context.Context) {
			wantError(t, "Transact", session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil }), nil)
		}, 1},
	} {
		for n := range c.swaps {
			t.Run(c.name, func(t *testing.T) {
				net := newNetwork(t)
				net.store.on("swap", n+1, preceded(net.proxy.DropReply))
				visitOK(t, net.b, c.do)
				net.store.wantSpent(t)
				wantSame(t, "points: what got no answer is applied once", seen(t, net.b, points), 3)
			})
		}
	}
}

// TestP1_RedisLosesTheReplyAndOthersCommit before the connection is cut: what
// the store itself then meets is neither the old record nor ours.
func TestP1_RedisLosesTheReplyAndOthersCommit(t *testing.T) {
	for _, c := range []struct {
		others  int
		unknown bool
	}{{1, false}, {8, false}, {9, true}, {20, true}} {
		net := newNetwork(t)
		net.store.on("swap", 1, func(_ trial.Op, call func() error) error {
			gate := net.proxy.Hold()
			result := make(chan error)
			go func() { result <- call() }()
			<-gate.Held // it is applied now
			for range c.others {
				visitOK(t, net.rival, addPoint)
			}
			net.proxy.Cut()
			gate.Release()
			return <-result
		})
		w := visit(t, net.b, addPoint)
		net.store.wantSpent(t)
		status := http.StatusOK
		if c.unknown {
			status = http.StatusServiceUnavailable
		}
		wantStatus(t, w, status)
		wantNoCookie(t, w)
		wantSame(t, "points: what got no answer is applied once", seen(t, net.b, points), 3+c.others)
	}
}

// TestP2_RedisLosesTheReplyOfALogout, which has logged out all the same.
func TestP2_RedisLosesTheReplyOfALogout(t *testing.T) {
	net := newNetwork(t)
	old := net.b.Fork()
	net.store.on("swap", 1, preceded(net.proxy.DropReply))
	visitOK(t, net.b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
	net.store.wantSpent(t)
	wantEnded(t, old)
	wantSame(t, "cookies of who has logged out", len(net.b.Cookies()), 0)
}
