package session_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/redisstore"
)

// maxConns bounds the connections of each store in these tests.
const maxConns = 8

// An outage is what happens to a Redis server.
type outage struct {
	args   []string // of the server
	begin  func(t *testing.T, server *redistest.Server) (end func())
	ordeal trial.Ordeal
}

var outages = map[string]outage{
	"frozen": {begin: func(t *testing.T, server *redistest.Server) func() {
		server.Freeze(t)
		return func() { server.Thaw(t) }
	}},
	"killed, and restarted empty": {ordeal: trial.Ordeal{Lossy: true}, begin: func(t *testing.T, server *redistest.Server) func() {
		server.Kill(t)
		return func() { server.Restart(t) }
	}},
	"killed for a moment": {ordeal: trial.Ordeal{Lossy: true, Over: true, Works: true}, begin: func(t *testing.T, server *redistest.Server) func() {
		server.Kill(t)
		server.Restart(t)
		return func() {}
	}},
	"full": {ordeal: trial.Ordeal{Reads: true}, begin: func(t *testing.T, server *redistest.Server) func() {
		server.Do(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
		server.Do(t, "CONFIG", "SET", "maxmemory", "1")
		return func() { server.Do(t, "CONFIG", "SET", "maxmemory", "0") }
	}},
	"a replica without a master": {ordeal: trial.Ordeal{Reads: true}, begin: func(t *testing.T, server *redistest.Server) func() {
		server.Do(t, "REPLICAOF", "127.0.0.1", "1")
		return func() { server.Do(t, "REPLICAOF", "NO", "ONE") }
	}},
	"a replica that does not serve": {args: []string{"--replica-serve-stale-data", "no"}, begin: func(t *testing.T, server *redistest.Server) func() {
		server.Do(t, "REPLICAOF", "127.0.0.1", "1")
		return func() { server.Do(t, "REPLICAOF", "NO", "ONE") }
	}},
	"loading": {ordeal: trial.Ordeal{Quiet: true}, args: []string{"--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"}, begin: loading},
	"busy":    {args: []string{"--lua-time-limit", "20"}, begin: busy},
	"slow":    {ordeal: trial.Ordeal{Works: true, Steps: 40}, begin: slow},
}

// TestP6_Outages: whatever happens to the server, no request outlives its deadline, no
// cookie is touched, what was acknowledged is there once and nothing twice, and
// service returns by itself.
func TestP6_Outages(t *testing.T) {
	for name, o := range outages {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, o.args...)
			before := runtime.NumGoroutine()
			t.Run("outage", func(t *testing.T) { // with which stores and crowds end
				var crowds []*trial.Crowd
				for _, policy := range []session.OutagePolicy{session.Refuse, session.ReadOnly} {
					options := plainHTTP()
					options.StoreTimeout, options.Outage = stall, policy
					crowds = append(crowds, trial.NewCrowd(t, openBounded(t, server.URL()), options, 6))
				}
				ordeal := o.ordeal
				ordeal.Begin = func() (end func()) { return o.begin(t, server) }
				ordeal.Recovery = stall + time.Second
				if ordeal.Steps == 0 {
					ordeal.Steps = 200
				}
				ordeal.Run(t, crowds...)
				wantConns(t, server, len(crowds)*maxConns)
			})
			wantNothingLeft(t, server, before)
		})
	}
}

// wantNothingLeft waits until the server has noticed that all connections are closed, and
// until no more goroutines are left than there were.
func wantNothingLeft(t *testing.T, server *redistest.Server, before int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		open, running := conns(t, server), runtime.NumGoroutine()
		if open == 0 && running <= before {
			return
		}
		if time.Now().After(end) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("%d connections are open, and %d goroutines run, of %d before:\n%s",
				open, running, before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func openBounded(t *testing.T, url string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(url, redisstore.Options{Prefix: redistest.Prefix(t), MaxActive: maxConns})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// wantConns checks that a server has not more clients than most.
func wantConns(t *testing.T, server *redistest.Server, most int) {
	t.Helper()
	if got := conns(t, server); got > most {
		t.Errorf("%d connections are open, want at most %d", got, most)
	}
}

func conns(t *testing.T, server *redistest.Server) int {
	t.Helper()
	list := fmt.Sprintf("%s", server.Do(t, "CLIENT", "LIST", "TYPE", "normal"))
	return strings.Count(list, "\n") - 1 // one asks
}

// loading kills the server and has it load its data, which takes long, until end.
func loading(t *testing.T, server *redistest.Server) (end func()) {
	server.Do(t, "EVAL", "for i = 1, 30000 do redis.call('SET', 'filler' .. i, string.rep('x', 100)) end", 0)
	server.Do(t, "SAVE")
	server.Kill(t)
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		server.Restart(t) // returns when it is loaded
	}()
	for { // nobody signals that it begins
		if _, err := ask(server, "PING"); err != nil && strings.HasPrefix(err.Error(), "LOADING") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return func() {
		if _, err := ask(server, "CONFIG", "SET", "key-load-delay", "0"); err != nil {
			t.Error(err)
		}
		<-loaded
	}
}

// busy has a script keep the server busy until end: after a moment it answers
// everybody else with an error.
func busy(t *testing.T, server *redistest.Server) (end func()) {
	done := make(chan error)
	go func() {
		_, err := ask(server, "EVAL", "while true do end", "0")
		done <- err
	}()
	return func() {
		for { // it can be killed when it has run for long enough
			if _, err := ask(server, "SCRIPT", "KILL"); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if err := <-done; err == nil {
			t.Error("the script was not killed")
		}
	}
}

// slow has the server answer in bursts until end: up to half of the deadline passes
// before an answer.
func slow(t *testing.T, server *redistest.Server) (end func()) {
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for {
			select {
			case <-stop:
				done <- err
				return
			default:
			}
			_, pause := ask(server, "CLIENT", "PAUSE", fmt.Sprint((stall / 2).Milliseconds()), "ALL")
			_, reply := ask(server, "PING") // with everybody else's, when it is over
			err = errors.Join(err, pause, reply)
		}
	}()
	return func() {
		close(stop)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// ask sends a command over a connection of its own.
func ask(server *redistest.Server, command string, args ...any) (any, error) {
	conn, err := redis.Dial("tcp", server.Addr())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Do(command, args...)
}
