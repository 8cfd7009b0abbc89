package session_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP6_BreakerAsksAgain after each probe, whatever came of it, and is closed by
// any answer.
func TestP6_BreakerAsksAgain(t *testing.T) {
	for name, c := range map[string]struct {
		probe  func(trial.Op) error
		closes bool
	}{
		"it waits in vain":     {hangs, false},
		"it is given up":       {failsAfter(aMoment, context.Canceled), false},
		"it panics":            {func(trial.Op) error { panic("a bug in the store") }, false},
		"it succeeds":          {nil, true},
		"it succeeds slowly":   {failsAfter(deadline-1, nil), true},
		"it is refused":        {failsAfter(0, errBroken), true},
		"there is no record":   {failsAfter(0, store.ErrNotFound), true},
		"it is refused slowly": {failsAfter(aTenth, errBroken), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAiling(trial.Memory(t))
				b := opened(t, a, plainHTTP())
				for range 3 {
					if !isOpen(t, a, b) {
						t.Fatal("it is not open")
					}
				}
				a.ails(c.probe)
				func() {
					defer func() { recover() }()
					visit(t, b, nothing)
				}()
				advance(deadline)
				wantSame(t, "is it open after the probe", isOpen(t, a, b), !c.closes)
				a.ails(nil)
				wantSame(t, "points, when the store is back", seen(t, b, points), 1)
				wantSame(t, "is it open when the store is back", isOpen(t, a, b), false)
			})
		})
	}
}

// TestP6_BreakerProbesInTheBackground: of all who come at once, one waits, and that for
// a moment. Nor do those wait who come one after the other.
func TestP6_BreakerProbesInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		b := opened(t, a, plainHTTP())
		for range 3 {
			before, began := a.count(), time.Now()
			waited := make(chan time.Duration, 100)
			for range cap(waited) {
				go func() {
					wantRefused(t, visit(t, b.Fork(), nothing))
					waited <- time.Since(began)
				}()
			}
			long := 0
			for range cap(waited) {
				if took := <-waited; took == aTenth {
					long++
				} else if took != 0 {
					t.Errorf("a request took %v, want none of the time or a tenth", took)
				}
			}
			for range 10 {
				began := time.Now()
				wantRefused(t, visit(t, b.Fork(), nothing))
				wantSame(t, "how long a later request waited", time.Since(began), 0)
			}
			wantSame(t, "requests that waited", long, 1)
			wantSame(t, "operations tried", a.count()-before, 1)
			advance(deadline)
		}
	})
}

// TestP6_BreakerMindsNoClients: they come and go, and say nothing of a store that is
// slow and well. Nor does one keep others from learning that it is back.
func TestP6_BreakerMindsNoClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		m := session.New(a, plainHTTP())
		b := trial.NewBrowser(m.Handler(obliging))
		visitOK(t, b, full)
		impatient := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			token := b.Cookies()["session"]
			if _, err := m.Do(ctx, token, func(context.Context) error { return nil }); err == nil {
				t.Error("it had no time, and succeeded")
			}
		}
		a.ails(takes(2 * aTenth))
		var all sync.WaitGroup
		for range 10 * strikes {
			all.Go(func() { impatient(aTenth + aTenth/2) })
		}
		all.Wait()
		wantSame(t, "points", seen(t, b, points), 1)

		a.ails(hangs)
		for range strikes {
			all.Go(func() { visit(t, b, nothing) })
		}
		all.Wait()
		a.ails(failsAfter(aTenth/10, nil))
		for range strikes {
			all.Go(func() { impatient(aTenth / 100) })
		}
		all.Wait()
		advance(aTenth / 10)
		wantSame(t, "points, when the store is back", seen(t, b, points), 1)
	})
}

// TestP6_BreakerMindsNoOldNews: what began before others were answered, and fails after
// it, says nothing of the store as it is.
func TestP6_BreakerMindsNoOldNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		b := visitor(t, a, plainHTTP(), full)
		a.ails(hangs)
		var all sync.WaitGroup
		for range 2 * strikes {
			all.Go(func() { visit(t, b.Fork(), nothing) })
		}
		synctest.Wait()
		advance(time.Second)
		a.ails(nil)
		visitOK(t, b, nothing)
		all.Wait()
		wantSame(t, "is it open", isOpen(t, a, b), false)
	})
}

// TestP6_BreakerClosesWithWhatBeganBefore: the news of a store that is back is
// welcome from anybody, and a probe that ends after that is none any more.
func TestP6_BreakerClosesWithWhatBeganBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		b := visitor(t, a, plainHTTP(), full)
		held := func(is func(trial.Op) bool) (release func(error)) {
			gate := make(chan error)
			a.ails(func(op trial.Op) error {
				if is(op) {
					return <-gate
				}
				return nil
			})
			done := make(chan struct{})
			go func() { defer close(done); visit(t, b.Fork(), nothing) }()
			synctest.Wait()
			return func(err error) { gate <- err; <-done; synctest.Wait() }
		}
		early := held(func(op trial.Op) bool { return !probing(op) })
		a.ails(failsAfter(aTenth, errBroken))
		for range strikes {
			visit(t, b, nothing)
		}
		probe := held(probing)
		before := a.count()
		wantRefused(t, visit(t, b, nothing))
		wantSame(t, "operations tried beside the probe", a.count()-before, 0)
		early(nil)
		wantSame(t, "is it open after an early one succeeded", isOpen(t, a, b), false)

		advance(time.Second)
		a.ails(failsAfter(aTenth, errBroken))
		for range strikes {
			visit(t, b, nothing)
		}
		wantSame(t, "is it open again, with a probe of its own", isOpen(t, a, b), true)
		second := held(probing)
		probe(errBroken)
		before = a.count()
		wantRefused(t, visit(t, b, nothing))
		wantSame(t, "operations tried beside the second probe", a.count()-before, 0)
		second(nil)
		wantSame(t, "is it open in the end", isOpen(t, a, b), false)
	})
}

// TestP6_BreakerOutlivesAProbe that minds no deadline and never ends.
func TestP6_BreakerOutlivesAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		b := opened(t, a, plainHTTP())
		gate := make(chan struct{})
		a.ails(func(trial.Op) error { <-gate; return errBroken })
		began := time.Now()
		visit(t, b, nothing)
		a.ails(nil)
		advance(deadline - time.Since(began))
		wantRefused(t, visit(t, b, nothing))
		advance(1)
		wantSame(t, "points, when the probe is overdue", seen(t, b, points), 1)
		close(gate)
		synctest.Wait()
		wantSame(t, "is it open after the overdue probe", isOpen(t, a, b), false)
	})
}

// TestP6_BreakerMindsNoClientsOfListings either.
func TestP6_BreakerMindsNoClientsOfListings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		m := session.New(a, plainHTTP())
		b := trial.NewBrowser(m.Handler(obliging))
		visitOK(t, b, full)
		a.ails(takes(2 * aTenth))
		var all sync.WaitGroup
		for range 2 * strikes {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), aTenth+aTenth/2)
				defer cancel()
				if _, err := m.Sessions(ctx, "7"); err == nil {
					t.Error("it had no time, and succeeded")
				}
			})
		}
		all.Wait()
		wantSame(t, "points", seen(t, b, points), 1)
	})
}

// TestP6_BreakerMindsWritesOfClientsThatLeft: a commit goes on without them, so what it
// waits for in vain counts.
func TestP6_BreakerMindsWritesOfClientsThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAiling(trial.Memory(t))
		app := session.New(a, plainHTTP())
		b := trial.NewBrowser(app.Handler(obliging))
		visitOK(t, b, full)
		leaving := trial.NewBrowser(app.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { addPoint(r.Context()) })))
		leaving.SetCookie("session", b.Cookies()["session"])
		a.ails(func(op trial.Op) error {
			if op.Name != "swap" {
				return nil
			}
			<-op.Ctx.Done()
			return fmt.Errorf("%w: %w", op.Ctx.Err(), store.ErrNotApplied) // as of a pool
		})
		var all sync.WaitGroup
		for range 2 * strikes {
			all.Go(func() {
				ctx, leave := context.WithTimeout(t.Context(), time.Second)
				defer leave()
				leaving.Fork().Get(t, "/", func(r *http.Request) { *r = *r.WithContext(ctx) })
			})
		}
		all.Wait()
		wantSame(t, "is it open", isOpen(t, a, b), true)
	})
}
