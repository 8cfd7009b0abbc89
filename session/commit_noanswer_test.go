package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP1_NoAnswerAndOthersCommit loses a change's request or its reply, and lets
// others commit before the look at what happened. The record knows its last
// eight commits; beyond that it must be ErrUnknown, and never a second application.
func TestP1_NoAnswerAndOthersCommit(t *testing.T) {
	const known = 8
	for _, c := range []struct {
		name    string
		mishap  mishap
		applied int
	}{
		{"the reply is lost", lostReply, 1},
		{"the request is lost", lostRequest, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				for others := 1; others <= 20; others++ {
					b, response, err := commitAmong(t, newFaulty(s), c.mishap, others)
					what := fmt.Sprintf("%d commits of others", others)
					got := seen(t, b, points) - others
					if others <= known {
						wantError(t, what, err, nil)
						wantSame(t, what+": applied so many times", got, 1)
						wantStatus(t, response, http.StatusOK)
						continue
					}
					wantStoreError(t, what, err, true)
					wantSame(t, what+": applied so many times", got, c.applied)
					wantStatus(t, response, http.StatusServiceUnavailable)
					wantNoCookie(t, response)
				}
			})
		})
	}
}

// commitAmong has a request add a point and commit, with a mishap, and others
// add a point each before it looks. Then it tries to add a hundred.
func commitAmong(t *testing.T, f *faulty, m mishap, others int) (b *trial.Browser, w *httptest.ResponseRecorder, err error) {
	t.Helper()
	b = visitor(t, f, plainHTTP(), func(ctx context.Context) { points.Set(ctx, 0) })
	rival := through(f.sound, plainHTTP(), b)
	f.on("swap", 1, m)
	f.on("find", 2, preceded(func() {
		for range others {
			visitOK(t, rival, addPoint)
		}
	}))
	w = visit(t, b, func(ctx context.Context) {
		addPoint(ctx)
		err = session.Commit(ctx)
		if err != nil {
			points.Update(ctx, func(p *int) { *p += 100 })
		}
	})
	return b, w, err
}

// TestP1_NoAnswerAndTheRequestArrivesLast: whatever others did meanwhile, and
// whatever the retry did, it comes too late.
func TestP1_NoAnswerAndTheRequestArrivesLast(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for others := range 5 {
			f := newFaulty(s)
			l := &late{store: s}
			b, w, err := commitAmong(t, f, l.leave, others)
			wantError(t, "Commit", err, nil)
			wantStatus(t, w, http.StatusOK)
			l.arrive()
			wantSame(t, fmt.Sprintf("points, with %d commits of others", others), seen(t, b, points), others+1)
			visitOK(t, b, addPoint)
			l.arrive()
			wantSame(t, "points after another visit", seen(t, b, points), others+2)
		}
	})
}

// TestP1_NoAnswerAndTheSessionEnds before the look: what the change has become
// can still be read off the marker.
func TestP1_NoAnswerAndTheSessionEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		rival deed
		left  contents
	}{
		{"destroyed", func(ctx context.Context) { session.Destroy(ctx) }, contents{}},
		{"renewed", session.Renew, contents{"", 2, ""}},
	} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			f := newFaulty(s)
			b := visitor(t, f, plainHTTP(), func(ctx context.Context) { points.Set(ctx, 1) })
			rival := through(s, plainHTTP(), b)
			old := b.Fork()
			f.on("swap", 1, lostReply)
			f.on("find", 2, preceded(func() { visitOK(t, rival, c.rival) }))
			var err error
			w := visit(t, old, func(ctx context.Context) {
				addPoint(ctx)
				err = session.Commit(ctx)
				wantSame(t, c.name+": points in the view of who was too late", points.Get(ctx), 0)
			})
			wantError(t, c.name+": Commit, which was in time", err, nil)
			wantStatus(t, w, http.StatusOK)
			wantNoCookie(t, w)
			wantSame(t, c.name+": what is left", contentsOf(t, rival), c.left)
			wantEnded(t, old)
		})
	}
}

// A stalling store does not answer swaps before their time is over.
type stalling struct {
	store.Store
	stalls, applies bool
}

func (s *stalling) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if !s.stalls {
		return s.Store.Swap(ctx, id, prev, next)
	}
	if s.applies {
		s.Store.Swap(ctx, id, prev, next)
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestP1_Stall ends within the timeout, with enough of it kept back for the look.
func TestP1_Stall(t *testing.T) {
	for _, applies := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := &stalling{Store: trial.Memory(t), applies: applies}
			b := visitor(t, s, plainHTTP(), func(ctx context.Context) { points.Set(ctx, 1) })
			s.stalls = true
			begun := time.Now()
			var err error
			visit(t, b, func(ctx context.Context) {
				addPoint(ctx)
				err = session.Commit(ctx)
			})
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("the commit took %v, want at most the timeout of 2s", took)
			}
			s.stalls = false
			if applies {
				wantError(t, "Commit, when the write was applied", err, nil)
				wantSame(t, "points", seen(t, b, points), 2)
			} else {
				wantStoreError(t, "Commit, when the write may still come", err, true)
				wantSame(t, "points", seen(t, b, points), 1)
			}
		})
	}
}
