package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

const (
	strikes  = 5                      // that open the breaker
	aTenth   = 200 * time.Millisecond // of the StoreTimeout that is the default
	aMoment  = aTenth - 1
	deadline = 10 * aTenth
)

// TestP6_BreakerOpens after so many failures in a row that took long, of whatever
// kind, and after no others.
func TestP6_BreakerOpens(t *testing.T) {
	slow := failsAfter(aTenth, errBroken)
	for name, c := range map[string]struct {
		ails  []func(trial.Op) error
		opens bool
	}{
		"deadlines":                        {[]func(trial.Op) error{hangs, hangs, hangs, hangs, hangs}, true},
		"broken after a while":             {[]func(trial.Op) error{slow, slow, slow, slow, slow}, true},
		"one less":                         {repeated(strikes-1, slow), false},
		"replicas that are late":           {repeated(100, failsAfter(aTenth, store.ErrUnconfirmed)), false},
		"no answer of replicas or store":   {repeated(strikes, failsAfter(aTenth, errors.Join(context.DeadlineExceeded, store.ErrUnconfirmed))), true},
		"quick refusals":                   {repeated(100, failsAfter(aMoment, errBroken)), false},
		"clients that did not":             {repeated(100, failsAfter(aMoment, context.Canceled)), false},
		"little time left":                 {repeated(100, failsAfter(time.Millisecond, context.DeadlineExceeded)), false},
		"with a success between":           {[]func(trial.Op) error{slow, slow, slow, slow, nil, slow}, false},
		"with a slow success between":      {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(deadline-1, nil), slow}, false},
		"with a refusal between":           {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(0, errBroken), slow}, false},
		"with a damaged record between":    {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(aTenth, store.ErrDamaged), slow}, false},
		"with no record between":           {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(aTenth, store.ErrNotFound), slow}, false},
		"with a conflict between":          {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(aTenth, &store.Conflict{}), slow}, false},
		"with late replicas between":       {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(aTenth, store.ErrUnconfirmed), slow}, true},
		"with an impatient client between": {[]func(trial.Op) error{slow, slow, slow, slow, failsAfter(aMoment, context.Canceled), slow}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAiling(trial.Memory(t))
				b := visitor(t, a, plainHTTP(), full)
				for _, ail := range c.ails {
					if isOpen(t, a, b) {
						t.Fatal("it is open before its time")
					}
					a.ails(ail)
					visit(t, b, nothing)
				}
				wantSame(t, "is it open", isOpen(t, a, b), c.opens)
			})
		})
	}
}

func repeated[T any](n int, v T) (all []T) {
	for range n {
		all = append(all, v)
	}
	return all
}

// opened returns a visitor of an open breaker. In a bubble.
func opened(t *testing.T, a *ailing, o session.Options) *trial.Browser {
	t.Helper()
	b := visitor(t, a, o, full)
	a.ails(hangs)
	var all sync.WaitGroup
	for range strikes {
		all.Go(func() { visit(t, b, nothing) })
	}
	all.Wait()
	return b
}

// TestP6_BreakerLetsWritesBeLookedAt: when many commits at once get no answer, and
// were made, all of them learn that.
func TestP6_BreakerLetsWritesBeLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := trial.Memory(t)
		a := newAiling(memory)
		const visitors = 2 * strikes
		var back sync.WaitGroup // how many swaps have run out of time
		back.Add(visitors)
		m := session.New(a, plainHTTP()).Handler(obliging)
		var all []*trial.Browser
		var commits []*underway
		for range visitors {
			b := trial.NewBrowser(m)
			visitOK(t, b, func(ctx context.Context) { points.Set(ctx, 0) })
			all = append(all, b)
			commits = append(commits, begin(t, b, addPoint, nil))
		}
		a.ails(func(op trial.Op) error {
			if op.Name == "swap" {
				defer back.Done()
				memory.Swap(context.Background(), op.ID, op.Prev, op.Next)
				return hangs(op)
			}
			back.Wait() // the store is away until all have run out of time
			advance(time.Millisecond)
			return nil
		})
		for _, w := range finishAll(commits) {
			wantStatus(t, w, http.StatusOK)
		}
		a.ails(nil)
		for _, b := range all {
			wantSame(t, "points", seen(t, b, points), 1)
		}
	})
}

// TestP6_BreakerLogs one line when it opens and one when it closes, whoever sees it.
func TestP6_BreakerLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logged
		a := newAiling(trial.Memory(t))
		b := opened(t, a, log.to(plainHTTP()))
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { visit(t, b, nothing) })
		}
		all.Wait()
		advance(deadline) // the probe's
		a.ails(nil)
		for range 3 {
			visitOK(t, b, nothing)
		}
		lines := log.String()
		for line, want := range map[string]int{
			`level=ERROR msg="session: the store does not answer; requests fail at once until it does" error="context deadline exceeded" cookie=session`: 1,
			`level=INFO msg="session: the store keeps nobody waiting any more" after=2.2s cookie=session`:                                                1,
		} {
			if got := strings.Count(lines, line); got != want {
				t.Errorf("%d times %q, want %d, in:\n%s", got, line, want, lines)
			}
		}
		for _, id := range b.Cookies() {
			if strings.Contains(lines, id) {
				t.Error("the log has an id")
			}
		}
	})
}

// TestP6_BreakerRecoversFromAnything that many requests at once can meet.
func TestP6_BreakerRecoversFromAnything(t *testing.T) {
	for round := range 20 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAiling(trial.Memory(t))
				b := visitor(t, a, plainHTTP(), full)
				ailments := []func(trial.Op) error{
					hangs, hangs, hangs, failsAfter(aTenth, errBroken), failsAfter(0, errBroken), failsAfter(aMoment, context.Canceled), nil,
				}
				a.ails(func(op trial.Op) error {
					ail := ailments[rand.IntN(len(ailments))]
					if ail == nil {
						return nil
					}
					return ail(op)
				})
				var all sync.WaitGroup
				for range 20 {
					all.Go(func() {
						for range 20 {
							began := time.Now()
							visit(t, b, addPoint)
							if took := time.Since(began); took > 3*deadline {
								t.Errorf("a request that loads, commits, and commits once more, took %v", took)
							}
						}
					})
				}
				all.Wait()
				advance(deadline) // of a probe that is under way
				a.ails(nil)
				visitOK(t, b, addPoint)
				wantSame(t, "is it open", isOpen(t, a, b), false)
			})
		})
	}
}
