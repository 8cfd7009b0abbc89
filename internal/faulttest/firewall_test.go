package faulttest_test

import (
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

// A firewall passes connections on to a server, and can forget those that are open:
// they stay, and nothing passes any more. New ones work.
type firewall struct {
	listener  net.Listener
	mu        sync.Mutex
	conns     []net.Conn
	forgotten *atomic.Bool // whether those that are open now have been forgotten
}

func newFirewall(t *testing.T, target string) *firewall {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &firewall{listener: listener, forgotten: new(atomic.Bool)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			f.mu.Lock()
			f.conns = append(f.conns, client, server)
			forgotten := f.forgotten
			f.mu.Unlock()
			running.Go(func() { pass(server, client, forgotten) })
			running.Go(func() { pass(client, server, forgotten) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		f.mu.Lock()
		for _, c := range f.conns {
			c.Close()
		}
		f.mu.Unlock()
		running.Wait()
	})
	return f
}

// pass passes on what arrives, as long as the connection is not forgotten.
func pass(to, from net.Conn, forgotten *atomic.Bool) {
	defer to.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if !forgotten.Load() {
			to.Write(buf[:n])
		}
	}
}

// forget makes all open connections dead.
func (f *firewall) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgotten.Store(true)
	f.forgotten = new(atomic.Bool)
}

// TestP6_ForgottenConnections: all connections that are idle in the pool are dead, and
// nobody says so. A few visitors find out, and not each for one connection.
func TestP6_ForgottenConnections(t *testing.T) {
	server := redistest.Shared(t)
	before := goleak.IgnoreCurrent()
	t.Run("outage", func(t *testing.T) {
		f := newFirewall(t, server.Addr())
		o := session.Options{Insecure: true, Logger: slog.New(slog.DiscardHandler), StoreTimeout: storeTimeout}
		c := trial.NewCrowd(t, open(t, "redis://"+f.listener.Addr().String()), o, 10)
		c.Steps(100)()
		f.forget()
		began := time.Now()
		c.Recover(2*storeTimeout + 100*time.Millisecond)
		t.Logf("everybody was served after %v", time.Since(began))
		c.Steps(20)()
		c.Check(false)
	})
	wantNoConns(t, server)
	goleak.VerifyNone(t, before)
}
