package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func TestPool_IsBoundedAndEveryCallKeepsItsDeadline(t *testing.T) {
	server := redistest.Start(t)
	p := redistest.NewProxy(t, server.Addr())
	const bound, callers, deadline = 10, 200, 300 * time.Millisecond
	s := open(t, fmt.Sprintf("%s?max_active=%d", p.URL(), bound), noOptions)
	create(t, s, "id", "data")
	server.Freeze(t)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			start := time.Now()
			err := methods[i%len(methods)].call(within(t, deadline), s)
			if took := time.Since(start); took > deadline+slack {
				t.Errorf("returned after %v with a deadline of %v", took, deadline)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want DeadlineExceeded", err)
			}
		})
	}
	all.Wait()
	if _, peak := p.Conns(); peak > bound {
		t.Errorf("%d connections were open at once, want %d at most", peak, bound)
	}
	server.Thaw(t)
	find(t, s, "id")
}

// A call that comes with next to no time left fails by itself, and says nothing of the
// connections that others use.
func TestPool_ShortDeadlinesDropNoConnections(t *testing.T) {
	s, p := openProxied(t)
	const idle = 5
	fill := func() {
		gate := p.Hold()
		var all sync.WaitGroup
		for range idle {
			all.Go(func() { find(t, s, "id") })
			<-gate.Held
		}
		gate.Release()
		all.Wait()
	}
	create(t, s, "id", "data")
	fill()
	before := p.Accepted()
	gate := p.Hold()
	if _, err := s.Find(within(t, 5*time.Millisecond), "id"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, want DeadlineExceeded", err)
	}
	gate.Release()
	fill()
	if n := p.Accepted() - before; n > 1 {
		t.Errorf("%d new connections, want one at most, for the one that timed out", n)
	}
	gate = p.Hold()
	if _, err := s.Find(within(t, 50*time.Millisecond), "id"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, want DeadlineExceeded", err)
	}
	gate.Release()
	before = p.Accepted()
	fill()
	if n := p.Accepted() - before; n != idle {
		t.Errorf("%d new connections after a reply that did not come, want %d", n, idle)
	}
}

func TestClose_EndsConnectionsAndLaterCalls(t *testing.T) {
	s, p := openProxied(t)
	create(t, s, "id", "data")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, m := range methods {
		if err := m.call(t.Context(), s); err == nil || m.writes && !errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s after Close: %v, want an error", m.name, err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if open, _ := p.Conns(); open == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("connections are still open after Close")
		}
	}
}

// Closing while calls wait for a connection and run out of time panics in
// redigo's own pool.
func TestClose_WhileCallsWait(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Options{MaxActive: 1})
	create(t, s, "id", "data")
	server.Freeze(t)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if _, err := s.Find(within(t, time.Duration(i)*time.Millisecond), "id"); err == nil {
				t.Error("a frozen server answered")
			}
		})
	}
	s.Close()
	all.Wait()
}

func TestNew_UsesTheAppsPool(t *testing.T) {
	server := redistest.Shared(t)
	pool := &redis.Pool{MaxIdle: 3, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", server.Addr()) }}
	defer pool.Close()
	s := redisstore.New(pool, redistest.Prefix(t))
	create(t, s, "id", "data")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := find(t, s, "id"); string(got.Data) != "data" {
		t.Errorf("data %q", got.Data)
	}
	if pool.ActiveCount() != 1 {
		t.Errorf("%d connections are open, want 1", pool.ActiveCount())
	}
}

func TestNew_HidesWhatAPoolsOwnDialQuotes(t *testing.T) {
	for _, url := range []string{
		"redis://:" + secretPassword + "@host:port", "redis:" + secretPassword + "@host",
	} {
		s := redisstore.New(&redis.Pool{Dial: func() (redis.Conn, error) { return redis.DialURL(url) }}, "")
		err := s.Ping(t.Context())
		if err == nil {
			t.Errorf("%s was dialled", url)
		}
		discreet(t, err)
	}
}

func TestNew_PanicsWithoutAPool(t *testing.T) {
	for name, pool := range map[string]*redis.Pool{"nil": nil, "without Dial": {}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "redisstore: New needs a pool") {
					t.Errorf("panic %q, want one that says what is missing", text)
				}
			}()
			redisstore.New(pool, "")
		})
	}
}
