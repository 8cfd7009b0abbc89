package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP1_GoroutinesOfOneRequest change its session at the same time.
func TestP1_GoroutinesOfOneRequest(t *testing.T) {
	const goroutines = 32
	keys := make([]session.Key[int], goroutines)
	for i := range keys {
		keys[i] = session.NewKey[int](fmt.Sprintf("commit/own/%02d", i))
	}
	for _, c := range []struct {
		name string
		also func(ctx context.Context) error // each goroutine does it after its changes
	}{
		{"changing", func(context.Context) error { return nil }},
		{"committing", session.Commit},
		{"transacting", func(ctx context.Context) error {
			return session.Transact(ctx, func(ctx context.Context) error { addPear(ctx); return nil })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, patient(), full)
				visitOK(t, b, func(ctx context.Context) {
					start := make(chan struct{})
					var running sync.WaitGroup
					for i := range goroutines {
						running.Go(func() {
							<-start
							addPoint(ctx)
							keys[i].Set(ctx, i+1)
							wantError(t, c.name, c.also(ctx), nil)
							addPoint(ctx)
						})
					}
					close(start)
					running.Wait()
					wantSame(t, "points in the request's own view", points.Get(ctx), 1+2*goroutines)
				})
				wantSame(t, "points", seen(t, b, points), 1+2*goroutines)
				for i, k := range keys {
					wantSame(t, fmt.Sprintf("key %d", i), seen(t, b, k), i+1)
				}
			})
		})
	}
}

// TestP1_ChangesDuringACommit of the same request wait for the next one. The
// commit is held in the store, and meets a conflict there.
func TestP1_ChangesDuringACommit(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		b := visitor(t, f, plainHTTP(), full)
		rival := through(s, plainHTTP(), b)
		visitOK(t, b, func(ctx context.Context) {
			f.on("swap", 1, preceded(func() {
				// The request goes on while its own commit is under way.
				addPoint(ctx)
				color.Set(ctx, "blue")
				wantSame(t, "points meanwhile", points.Get(ctx), 3)
				visitOK(t, rival, addPoint)
			}))
			addPoint(ctx)
			wantError(t, "Commit", session.Commit(ctx), nil)
			wantSame(t, "points after the commit: two of ours and the rival's", points.Get(ctx), 4)
			wantSame(t, "what is committed", contentsOf(t, rival), contents{"apple", 3, "red"})
		})
		wantSame(t, "the session", contentsOf(t, b), contents{"apple", 4, "blue"})
	})
}

// TestP1_ChangesDuringACommitThatFails stay with those it could not store.
func TestP1_ChangesDuringACommitThatFails(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		b := visitor(t, f, plainHTTP(), full)
		visitOK(t, b, func(ctx context.Context) {
			f.on("swap", 1, func(op trial.Op, call func() error) error {
				addPear(ctx)
				return refused(op, call)
			})
			addItem(ctx, "lime")
			wantStoreError(t, "Commit", session.Commit(ctx), false)
		})
		wantSame(t, "the basket, in the order of the changes", contentsOf(t, b), contents{"apple,lime,pear", 1, "red"})
	})
}

// enough ends a test in which something does not end.
func enough(t *testing.T, runs *int, most int) {
	if *runs++; *runs > most {
		t.Fatalf("it runs for ever: %d times so far", *runs)
	}
}

// TestP1_MeddlingUpdatesEnd: to do more in an Update than to change what it is
// given is a mistake, and so is to change the session around a Transact from
// within. What becomes of it is open, but it ends.
func TestP1_MeddlingUpdatesEnd(t *testing.T) {
	const most = 2000
	for _, c := range []struct {
		name string
		do   func(t *testing.T, ctx context.Context, runs *int)
	}{
		{"nothing", func(t *testing.T, ctx context.Context, runs *int) {
			points.Update(ctx, func(p *int) { enough(t, runs, most); *p++; session.Commit(ctx) })
		}},
		{"another change", func(t *testing.T, ctx context.Context, runs *int) {
			addPear(ctx)
			points.Update(ctx, func(p *int) { enough(t, runs, most); *p++; session.Commit(ctx) })
		}},
		{"a Transact of its own", func(t *testing.T, ctx context.Context, runs *int) {
			points.Update(ctx, func(p *int) {
				enough(t, runs, most)
				*p++
				session.Transact(ctx, func(ctx context.Context) error { addPear(ctx); return nil })
			})
		}},
		{"another key's update", func(t *testing.T, ctx context.Context, runs *int) {
			points.Update(ctx, func(p *int) { enough(t, runs, most); *p++; addPear(ctx) })
		}},
		{"in Transact, outside of which it changes the session", func(t *testing.T, ctx context.Context, runs *int) {
			session.Transact(ctx, func(inside context.Context) error { enough(t, runs, most); addPear(ctx); addPoint(inside); return nil })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := visitor(t, trial.Memory(t), plainHTTP(), full)
			runs := 0
			visit(t, b, func(ctx context.Context) { c.do(t, ctx, &runs) })
		})
	}
}

// TestP1_UpdateThatCommitsOnConflict waits for the commit that runs it. Time is
// the bubble's own.
func TestP1_UpdateThatCommitsOnConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := visitor(t, trial.Memory(t), plainHTTP(), full)
		runs := 0
		var inner error
		visit(t, b, func(ctx context.Context) {
			points.Update(ctx, func(p *int) {
				*p++
				if runs++; runs > 1 {
					inner = session.Commit(ctx)
				}
			})
			visitOK(t, b.Fork(), addPoint)
		})
		var failed *session.StoreError
		if !errors.As(inner, &failed) {
			t.Errorf("the Commit in the Update returned %v, want an error that says why it ended", inner)
		}
		if got := seen(t, b, points); got != 2 && got != 3 {
			t.Errorf("points: %d, want the rival's, and the request's at most once", got)
		}
	})
}
