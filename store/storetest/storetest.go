// Package storetest is the conformance suite for stores. Whoever writes a
// [store.Store] runs it in a test:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, storetest.Harness{
//			Open: func(t *testing.T) store.Store {
//				s := mystore.Open(address)
//				t.Cleanup(func() { s.Close() })
//				return s
//			},
//		})
//	}
//
// Each case holds the store to one rule of package store, and says which when it
// fails. The cases of [store.Indexer] are run over stores that implement it, and
// skipped over others.
//
// Some rules are about time. A store that lives within the process sets
// [Harness.FakeTime], and its clock is moved; with others the suite really
// waits, for seven seconds or so in all.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/store"
)

// Harness says how the suite gets at a store.
type Harness struct {
	// Open returns the store to test. It is called for each case, and registers on
	// t what is to be cleaned up after it.
	//
	// It may return the same store every time, and one that others use too: every
	// case makes up ids and owners that no other case or run has. What they held
	// expires within a day or so, but for a record or two that live for 400 days;
	// in a database that matters, use a part of its own.
	Open func(t *testing.T) store.Store

	// FakeTime runs every case, and Open, in a bubble of testing/synctest. It is
	// for stores that take the time from package time and wait for nothing outside
	// of the process, and gives them the cases that would take minutes. The store's
	// goroutines have to end in a t.Cleanup.
	FakeTime bool

	// Waive leaves out cases: from a case's name to the reason, which is printed.
	// It is for adapters to things that can't do better. Say in your documentation
	// what that costs its users.
	Waive map[string]string
}

// Run runs all cases as subtests of t, and returns when they are done.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Open == nil {
		t.Fatal("storetest: Harness.Open is missing: without it there is no store to test")
	}
	for name := range h.Waive {
		if !known(name) {
			t.Errorf("storetest: Harness.Waive names %q, which is no case", name)
		}
	}
	t.Run("Store", func(t *testing.T) { h.run(t, storeCases()) })
	t.Run("Indexer", func(t *testing.T) { h.run(t, indexerCases()) })
}

func (h Harness) run(t *testing.T, cases []testCase) {
	waiting := h.start(t, cases)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := h.Waive[c.name]; ok {
				t.Skipf("waived: %s", reason)
			}
			if result, ok := waiting[c.name]; ok {
				c.report(t, <-result)
				return
			}
			if h.FakeTime {
				synctest.Test(t, func(t *testing.T) { c.report(t, c.over(t.Context(), h.Open(t))) })
				return
			}
			if c.minutes {
				t.Skip("this rule is about minutes, and is only tested where Harness.FakeTime is set")
			}
			c.report(t, c.over(t.Context(), h.Open(t)))
		})
	}
}

// start starts the cases that really wait, all at once, and returns where their
// results will be, by name. T.Parallel would run no more of them at a time than
// there are processors, and they need none.
func (h Harness) start(t *testing.T, cases []testCase) map[string]<-chan error {
	started := make(map[string]<-chan error)
	for _, c := range cases {
		if _, waived := h.Waive[c.name]; h.FakeTime || waived || !c.waits {
			continue
		}
		s, result := h.Open(t), make(chan error, 1)
		started[c.name] = result
		go func() { result <- c.over(t.Context(), s) }()
	}
	return started
}

// testCase is one rule and how to find out whether a store keeps it.
type testCase struct {
	name    string
	rule    string
	run     func(*env) error // returns what the store did instead, or nil
	indexer bool             // needs a store.Indexer
	waits   bool             // some seconds
	minutes bool             // waits for minutes, which needs a fake clock
}

var errNoIndexer = errors.New("the store is no store.Indexer")

// over runs the case over s.
func (c testCase) over(ctx context.Context, s store.Store) error {
	e := newEnv(ctx, s)
	if c.indexer && e.index == nil {
		return errNoIndexer
	}
	return c.run(e)
}

func (c testCase) report(t *testing.T, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errNoIndexer):
		t.Skip(err)
	case err != nil:
		t.Errorf("the store breaks a rule: %s\nwhat happened: %v", c.rule, err)
	}
}

// wait lets time pass: in a bubble it moves the fake clock, and takes no time;
// otherwise there is no other way to see a store's own clock move than to wait.
func (e *env) wait(d time.Duration) { time.Sleep(d) }

func storeCases() []testCase {
	var all []testCase
	for _, some := range [][]testCase{
		findCases(), swapCases(), touchCases(), deleteCases(), ttlCases(), bytesCases(),
		refusalCases(), contextCases(), aliasCases(), concurrencyCases(),
	} {
		all = append(all, some...)
	}
	return all
}

func indexerCases() []testCase {
	all := append(indexCases(), indexTimeCases()...)
	for i := range all {
		all[i].indexer = true
	}
	return all
}

func known(name string) bool {
	for _, c := range append(storeCases(), indexerCases()...) {
		if c.name == name {
			return true
		}
	}
	return false
}

// nonce makes this case's ids and owners its own.
func nonce() string { return strings.ToLower(rand.Text()) + ":" }
