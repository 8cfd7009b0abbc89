package session_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
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

// takes is the ailment of a store that is slow and well, in a bubble.
func takes(d time.Duration) func(trial.Op) error {
	return func(op trial.Op) error {
		select {
		case <-time.After(d):
			return nil
		case <-op.Ctx.Done():
			return op.Ctx.Err()
		}
	}
}

func nothing(context.Context) {}

// probing is the operation that finds out whether the store is back.
func probing(op trial.Op) bool { return op.ID == session.ProbeID }

// isOpen reports, in a bubble, whether operations are not let through. What it does is
// no sign of the store, and so changes nothing.
func isOpen(t *testing.T, a *ailing, b *trial.Browser) bool {
	t.Helper()
	a.mu.Lock()
	was := a.ail
	a.mu.Unlock()
	defer a.ails(was)

	open := true
	a.ails(func(op trial.Op) error {
		if !probing(op) {
			open = false
		}
		return context.Canceled
	})
	began := time.Now()
	wantRefused(t, visit(t, b.Fork(), nothing))
	if took := time.Since(began); took != 0 {
		t.Errorf("it took %v to refuse", took)
	}
	synctest.Wait()
	return open
}
