package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// A mishap is what happens to an operation instead.
type mishap func(op trial.Op, call func() error) error

// errBroken leaves open whether anything was written.
var errBroken = errors.New("connection reset by peer")

func lostReply(_ trial.Op, call func() error) error { call(); return errBroken }
func lostRequest(trial.Op, func() error) error      { return errBroken }

func timedOut(_ trial.Op, call func() error) error {
	call()
	return fmt.Errorf("no reply: %w", context.DeadlineExceeded)
}

// refused leaves nothing open.
func refused(trial.Op, func() error) error {
	return fmt.Errorf("connection refused: %w", store.ErrNotApplied)
}

// preceded returns a mishap that does do, and then the operation.
func preceded(do func()) mishap {
	return func(_ trial.Op, call func() error) error { do(); return call() }
}

// followed returns a mishap that does the operation, and then do.
func followed(do func()) mishap {
	return func(_ trial.Op, call func() error) error { err := call(); do(); return err }
}

// A faulty store has mishaps when a test wants it to.
type faulty struct {
	*trial.Intercepted
	sound store.Store

	mu     sync.Mutex
	faults []*fault
	ops    []trial.Op
}

type fault struct {
	op     string
	nth    int // 0: every one
	mishap mishap
}

func newFaulty(s store.Store) *faulty {
	f := &faulty{sound: s}
	f.Intercepted = trial.Intercept(s, func(op trial.Op, call func() error) error {
		if m := f.next(op); m != nil {
			return m(op, call)
		}
		return call()
	})
	return f
}

func (f *faulty) next(op trial.Op) (hit mishap) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops = append(f.ops, op)
	f.faults = slices.DeleteFunc(f.faults, func(x *fault) bool {
		if x.op != op.Name {
			return false
		}
		x.nth--
		if x.nth <= 0 && hit == nil {
			hit = x.mishap
		}
		return x.nth == 0
	})
	return hit
}

// on has the nth operation of this name from now on meet with m, or all if nth is 0.
func (f *faulty) on(op string, nth int, m mishap) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault{op, nth, m})
}

// all has every operation meet with m, until mend.
func (f *faulty) all(m mishap) {
	for _, op := range []string{"find", "swap", "touch", "delete"} {
		f.on(op, 0, m)
	}
}

func (f *faulty) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// wantSpent checks that all mishaps that were to come once have come.
func (f *faulty) wantSpent(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.faults {
		if x.nth > 0 {
			t.Errorf("the test expects %d more of the operation %q, or its mishap did not come", x.nth, x.op)
		}
	}
}

// trace returns the operations since it was asked last, and forgets them.
func (f *faulty) trace() []trial.Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	ops := f.ops
	f.ops = nil
	return ops
}

// opNames returns the names of operations that a test may expect.
func opNames(ops []trial.Op) (names []string) {
	for _, op := range ops {
		names = append(names, op.Name)
	}
	return names
}
