package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func TestFrozenServer_DeadlineIsKept(t *testing.T) {
	server := redistest.Start(t)
	warm := open(t, server.URL(), noOptions)
	for _, m := range methods {
		m.call(t.Context(), warm)
	}
	create(t, warm, "id", "data")
	server.Freeze(t)
	const deadline = 150 * time.Millisecond
	for _, m := range methods {
		for state, s := range map[string]*redisstore.Store{
			"connected": warm,
			// The kernel accepts for a frozen server, so these wait in the middle of
			// signing in, too.
			"dialling": open(t, strings.Replace(server.URL(), "redis://", "redis://:"+secretPassword+"@", 1), noOptions),
		} {
			start := time.Now()
			err := m.call(within(t, deadline), s)
			if took := time.Since(start); took > deadline+slack {
				t.Errorf("%s, %s: returned after %v with a deadline of %v", m.name, state, took, deadline)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s, %s: %v, want DeadlineExceeded", m.name, state, err)
			}
			if m.writes && errors.Is(err, store.ErrNotApplied) != (state == "dialling") {
				t.Errorf("%s, %s: ErrNotApplied is %v", m.name, state, state != "dialling")
			}
			discreet(t, err)
		}
	}
}

// A write that the network takes only in part blocks on its own.
func TestFrozenServer_DeadlineIsKeptInMidWrite(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), noOptions)
	create(t, s, "id", "data")
	server.Freeze(t)
	large := newRecord(strings.Repeat("x", 8<<20)) // more than the kernel buffers
	const deadline = time.Second                   // of which copying may take a part
	start := time.Now()
	err := s.Swap(within(t, deadline), "id", store.Version{}, large)
	if took := time.Since(start); took > deadline+slack {
		t.Errorf("returned after %v with a deadline of %v", took, deadline)
	}
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want DeadlineExceeded that leaves the outcome open", err)
	}
}

// Without a deadline of the caller's, the store's own timeout ends the wait.
func TestFrozenServer_TimeoutsApplyWithoutADeadline(t *testing.T) {
	server := redistest.Start(t)
	o := redisstore.Options{ReadTimeout: 100 * time.Millisecond, WriteTimeout: 100 * time.Millisecond}
	s := open(t, server.URL(), o)
	if err := s.Index(t.Context(), secretOwner, "r", "id", time.Hour); err != nil {
		t.Fatal(err)
	}
	server.Freeze(t)
	for _, m := range methods {
		start := time.Now()
		err := m.call(t.Context(), s)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want DeadlineExceeded", m.name, err)
		}
		if took := time.Since(start); took > o.ReadTimeout+slack {
			t.Errorf("%s: returned after %v with a timeout of %v", m.name, took, o.ReadTimeout)
		}
	}
}

func TestCancel_EndsTheWaitForAReply(t *testing.T) {
	for _, m := range methods {
		t.Run(m.name, func(t *testing.T) {
			s, p := openProxied(t)
			gate := p.Hold()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- m.call(ctx, s) }()
			<-gate.Held
			cancel()
			err := <-done
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want Canceled", err)
			}
			if errors.Is(err, store.ErrNotApplied) {
				t.Error("a command that was carried out is said not to be applied")
			}
			discreet(t, err)
		})
	}
}

// The pipeline of Owned waits on its own, so it has a test of its own.
func TestCancel_EndsAPipeline(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	p := redistest.NewProxy(t, server.Addr())
	s := open(t, p.URL(), redisstore.Options{Prefix: prefix})
	if err := s.Index(t.Context(), "o", "r", "id", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Owned(t.Context(), "o"); err != nil {
		t.Fatal(err)
	}
	list := p.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Owned(ctx, "o")
		done <- err
	}()
	<-list.Held
	finds := p.Hold() // lets the list pass
	<-finds.Held
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	finds.Release()
	if _, err := s.Owned(t.Context(), "o"); err != nil {
		t.Errorf("after a cancelled pipeline: %v", err)
	}
}

func TestDoneContext_SendsNothing(t *testing.T) {
	s, p := openProxied(t)
	create(t, s, "id", "data")
	p.Trips()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, m := range methods {
		err := m.call(ctx, s)
		if !errors.Is(err, context.Canceled) || m.writes && !errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s: %v, want Canceled and, for what writes, ErrNotApplied", m.name, err)
		}
	}
	if n := p.Trips(); n != 0 {
		t.Errorf("%d round trips with a context that is done", n)
	}
}

// The reply to a command that was given up arrives when another command waits
// for its own.
func TestLateReply_IsNeverAnotherCommandsAnswer(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Options{MaxActive: 1})
	create(t, s, "a", "data of a")
	create(t, s, "b", "data of b")
	if err := s.Index(t.Context(), "o", "r", "a", time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, giveUp := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := s.Find(ctx, "a"); return err },
		func(ctx context.Context) error { _, err := s.Owned(ctx, "o"); return err },
	} {
		for range 10 {
			server.Freeze(t)
			if err := giveUp(within(t, 20*time.Millisecond)); err == nil {
				t.Fatal("a frozen server answered")
			}
			server.Thaw(t)
			if got := find(t, s, "b"); string(got.Data) != "data of b" {
				t.Fatalf("asked for b, got %q", got.Data)
			}
		}
	}
}
