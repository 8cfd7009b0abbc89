package session_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// An ailing store does to its operations what the test wants.
type ailing struct {
	*trial.Intercepted

	mu      sync.Mutex
	ail     func(op trial.Op) error // nil: it is well
	reached int                     // operations that were tried
}

func newAiling(s store.Store) *ailing {
	a := &ailing{}
	a.Intercepted = trial.Intercept(s, func(op trial.Op, call func() error) error {
		a.mu.Lock()
		a.reached++
		ail := a.ail
		a.mu.Unlock()
		if ail != nil {
			if err := ail(op); err != nil {
				return err
			}
		}
		return call()
	})
	return a
}

// ails makes ail come before each operation, which is not carried out if ail fails.
func (a *ailing) ails(ail func(op trial.Op) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ail = ail
}

// count returns how many operations have reached the store.
func (a *ailing) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reached
}

// hangs is the ailment of a store that does not answer.
func hangs(op trial.Op) error {
	<-op.Ctx.Done()
	return op.Ctx.Err()
}

// failsAfter is the ailment of a store that fails after a while, in a bubble.
func failsAfter(after time.Duration, err error) func(trial.Op) error {
	return func(trial.Op) error {
		advance(after)
		return err
	}
}

func nothing(context.Context) {}

// isOpen reports, in a bubble, whether operations fail at once while another is on
// its way. What it does is no sign of the store, and so changes nothing.
func isOpen(t *testing.T, a *ailing, b *trial.Browser) bool {
	t.Helper()
	a.mu.Lock()
	was, before := a.ail, a.reached
	a.mu.Unlock()
	defer a.ails(was)

	gate := make(chan struct{})
	first := true
	a.ails(func(trial.Op) error {
		if first {
			first = false
			<-gate
		}
		return context.Canceled
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		visit(t, b.Fork(), nothing)
	}()
	synctest.Wait()
	if a.count() != before+1 {
		t.Error("no operation is let through")
	}
	began := time.Now()
	wantRefused(t, visit(t, b.Fork(), nothing))
	if took := time.Since(began); took != 0 {
		t.Errorf("it took %v to refuse", took)
	}
	open := a.count() == before+1
	close(gate)
	<-done
	return open
}
