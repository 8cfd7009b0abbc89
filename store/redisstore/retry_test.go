package redisstore_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func TestRestart_FailsNoRequest(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), noOptions)
	together := func() {
		t.Helper()
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				m := methods[i%len(methods)]
				err := m.call(within(t, 10*time.Second), s)
				var conflict *store.Conflict
				if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.As(err, &conflict) {
					t.Errorf("%s: %v", m.name, err)
				}
			})
		}
		all.Wait()
	}
	together() // fills the pool
	for _, end := range []func(testing.TB){server.Stop, server.Kill} {
		end(t)
		for _, m := range methods {
			err := m.call(within(t, time.Second), s)
			if err == nil || strings.Contains(err.Error(), "EOF") {
				t.Errorf("%s on a server that is down: %v, want connection refused", m.name, err)
			}
			discreet(t, err)
		}
		server.Restart(t)
		together()
	}
}

func TestLostReply_OfASwapThatWasApplied(t *testing.T) {
	s, p := openProxied(t)
	first := create(t, s, "id", "first")
	second := newRecord("second")
	p.DropReply()
	if err := s.Swap(t.Context(), "id", first.Version, second); err != nil {
		t.Errorf("a Swap that was applied: %v", err)
	}
	if got := find(t, s, "id"); got.Version != second.Version {
		t.Errorf("the record has version %x, want %x", got.Version, second.Version)
	}
	p.DropReply()
	if err := s.Swap(t.Context(), "new", store.Version{}, newRecord("new")); err != nil {
		t.Errorf("a creation that was applied: %v", err)
	}
	for _, m := range methods {
		p.DropReply()
		if err := m.call(t.Context(), s); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

// The first attempt was applied and then overwritten or deleted by others, so
// that the second can't tell that it was. A conflict would be a lie.
func TestLostReply_WhenNobodyCanTell(t *testing.T) {
	for _, c := range []struct {
		name      string
		meanwhile func(t *testing.T, direct *redisstore.Store, ours store.Version)
	}{
		{"overwritten", func(t *testing.T, direct *redisstore.Store, ours store.Version) {
			if err := direct.Swap(t.Context(), "id", ours, newRecord("theirs")); err != nil {
				t.Fatal(err)
			}
		}},
		{"deleted", func(t *testing.T, direct *redisstore.Store, _ store.Version) {
			if err := direct.Delete(t.Context(), "id"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			prefix := redistest.Prefix(t)
			server := redistest.Shared(t)
			p := redistest.NewProxy(t, server.Addr())
			s := open(t, p.URL(), redisstore.Options{Prefix: prefix})
			direct := open(t, server.URL(), redisstore.Options{Prefix: prefix})
			first, second := create(t, s, "id", "first"), newRecord("second")
			gate := p.Hold()
			done := make(chan error, 1)
			go func() { done <- s.Swap(t.Context(), "id", first.Version, second) }()
			<-gate.Held
			c.meanwhile(t, direct, second.Version)
			p.Cut()
			gate.Release()
			err := <-done
			var conflict *store.Conflict
			if err == nil || errors.As(err, &conflict) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNotApplied) {
				t.Errorf("%v, want an error that leaves the outcome open", err)
			}
			discreet(t, err)
		})
	}
}

// The first attempt was applied, the second was refused: that must not pass for
// the whole call's fate.
func TestLostReply_ThenRefused(t *testing.T) {
	server := redistest.Start(t)
	p := redistest.NewProxy(t, server.Addr())
	s := open(t, p.URL(), noOptions)
	if err := s.Index(t.Context(), "o", "r", "other", time.Hour); err != nil {
		t.Fatal(err) // now the script is known
	}
	gate := p.Hold()
	done := make(chan error, 1)
	go func() { done <- s.Index(t.Context(), "o", "r", "id", time.Hour) }()
	<-gate.Held
	server.Do(t, "CONFIG", "SET", "maxmemory", "1")
	p.Cut()
	gate.Release()
	err := <-done
	if err == nil || !strings.Contains(err.Error(), "OOM") || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want OOM that leaves the outcome open", err)
	}
}
