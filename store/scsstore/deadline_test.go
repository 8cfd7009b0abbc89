package scsstore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
)

// All time in these tests is that of a bubble: it stands still while anything runs,
// so that a deadline that is kept is kept to the nanosecond.

func TestDeadline_IsKeptWhileTheStoreHangs(t *testing.T) {
	for _, m := range methods {
		for _, op := range []string{"find", "commit", "delete"} {
			if m.name == "Find" && op != "find" || m.name != "Delete" && op == "delete" || m.name == "Delete" && op != "delete" {
				continue // it never gets there
			}
			t.Run(m.name+" in "+op, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHooked()
					s := scsstore.New(h, scsstore.Options{})
					r := create(t, s, "id", "data")
					release := h.hold(op)
					begun := time.Now()
					err := m.call(within(t, time.Second), s, "id", r.Version)
					if took := time.Since(begun); took != time.Second {
						t.Errorf("it took %v, want the second it had", took)
					}
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("error %v, want DeadlineExceeded", err)
					}
					if certain, want := errors.Is(err, store.ErrNotApplied), m.writes != "" && op == "find"; certain != want {
						t.Errorf("error %v: wraps ErrNotApplied is %t, want %t", err, certain, want)
					}
					release()
					synctest.Wait()
					if n := s.Locks(); n != 0 {
						t.Errorf("%d locks are left", n)
					}
				})
			})
		}
	}
}

// A call that said that nothing was written must not write when its read gets an
// answer after all.
func TestDeadline_AfterItNothingNewIsWritten(t *testing.T) {
	for _, m := range methods {
		if m.writes != "commit" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHooked()
				s := scsstore.New(h, scsstore.Options{})
				r := create(t, s, "id", "data")
				writes, gate := 0, make(chan struct{})
				h.around = func(op string, call func() error) error {
					if op == "find" {
						<-gate
					} else {
						writes++
					}
					return call()
				}
				if err := m.call(within(t, time.Second), s, "id", r.Version); !errors.Is(err, store.ErrNotApplied) {
					t.Errorf("error %v, want ErrNotApplied", err)
				}
				close(gate)
				synctest.Wait()
				if writes != 0 {
					t.Error("it wrote after it had said that it did not")
				}
				holds(t, s, "id", r)
			})
		})
	}
}

// While a write is under way whose caller has left, no other write may read what it
// is about to replace.
func TestDeadline_TheLockIsKeptUntilTheWriteHasReturned(t *testing.T) {
	for _, m := range methods {
		if m.writes == "" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHooked()
				s := scsstore.New(h, scsstore.Options{})
				r := create(t, s, "id", "data")
				release := h.hold("commit")
				first := newRecord("first")
				if err := s.Swap(within(t, time.Second), "id", r.Version, first); errors.Is(err, store.ErrNotApplied) {
					t.Errorf("the first Swap, whose write is under way: %v", err)
				}
				err := m.call(within(t, time.Second), s, "id", r.Version)
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, store.ErrNotApplied) {
					t.Errorf("%s meanwhile: %v, want DeadlineExceeded and ErrNotApplied", m.name, err)
				}
				if err := s.Delete(within(t, time.Second), "other id"); err != nil {
					t.Errorf("Delete of another id meanwhile: %v", err)
				}
				holds(t, s, "id", r)

				// The next one waits for it, and then meets what it wrote.
				waiting := make(chan error)
				go func() { waiting <- s.Swap(within(t, time.Minute), "id", r.Version, newRecord("second")) }()
				synctest.Wait()
				release()
				var conflict *store.Conflict
				if err := <-waiting; !errors.As(err, &conflict) || conflict.Current.Version != first.Version {
					t.Errorf("the Swap that waited: %v, want a Conflict with the first one's record", err)
				}
				holds(t, s, "id", first)
			})
		})
	}
}

func TestMaxCalls_BoundsWhatHangs(t *testing.T) {
	for _, m := range methods {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHooked()
				s := scsstore.New(h, scsstore.Options{MaxCalls: 2})
				r := create(t, s, "id", "data")
				release := h.hold("find")
				for range 2 {
					if _, err := s.Find(within(t, time.Second), "id"); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Find: %v", err)
					}
				}
				err := m.call(within(t, time.Second), s, "id", r.Version)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s without a slot: %v, want DeadlineExceeded", m.name, err)
				}
				if certain, want := errors.Is(err, store.ErrNotApplied), m.writes != ""; certain != want {
					t.Errorf("%s without a slot: %v: wraps ErrNotApplied is %t, want %t", m.name, err, certain, want)
				}
				release()
				synctest.Wait()
				if err := m.call(t.Context(), s, "id", r.Version); err != nil {
					t.Errorf("%s afterwards: %v", m.name, err)
				}
				if n := s.Locks(); n != 0 {
					t.Errorf("%d locks are left", n)
				}
			})
		})
	}
}

// Whatever waits for one id leaves the slots to the others.
func TestMaxCalls_AreNotTakenByThoseWhoWaitForOneID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHooked()
		s := scsstore.New(h, scsstore.Options{MaxCalls: 2})
		r := create(t, s, "stuck", "data")
		other := create(t, s, "other", "data")
		release := h.hold("commit")
		ctx := within(t, time.Minute)
		for range 5 {
			go func() { s.Swap(ctx, "stuck", r.Version, newRecord("next")) }()
		}
		synctest.Wait()
		if got, err := s.Find(within(t, time.Second), "other"); err != nil || got.Version != other.Version {
			t.Errorf("Find of another id meanwhile: %v", err)
		}
		release()
	})
}

// A write to a store with contexts goes on when its caller has left, but not for
// ever; a read ends with its caller.
func TestWriteTimeout_OutlivesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []time.Duration
		begun := time.Now()
		s := scsstore.New(interruptible{newHooked(), func(ctx context.Context) error {
			if ctx.Value(t) != "value" {
				t.Error("the context has lost its values")
			}
			<-ctx.Done()
			ended = append(ended, time.Since(begun))
			return ctx.Err()
		}}, scsstore.Options{WriteTimeout: 10 * time.Second})
		ctx := context.WithValue(within(t, time.Second), t, "value")
		if _, err := s.Find(ctx, "id"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Find: %v", err)
		}
		synctest.Wait()
		ctx = context.WithValue(within(t, time.Second), t, "value")
		begun = time.Now()
		if err := s.Delete(ctx, "id"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrNotApplied) {
			t.Errorf("Delete: %v", err)
		}
		if err := s.Delete(context.WithValue(within(t, time.Hour), t, "value"), "id"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a Delete whose write was given up: %v", err)
		}
		want := []time.Duration{time.Second, 10 * time.Second, 20 * time.Second}
		if len(ended) != len(want) {
			t.Fatalf("the calls ended after %v, want %v", ended, want)
		}
		for i := range want {
			if ended[i] != want[i] {
				t.Errorf("call %d ended after %v, want %v", i, ended[i], want[i])
			}
		}
	})
}

// The caller's bytes are the caller's again once the call has returned, also if the
// work goes on. If it read them meanwhile, the race detector would see it.
func TestDeadline_LeavesTheCallersData(t *testing.T) {
	for _, op := range []string{"find", "commit"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHooked()
				s := scsstore.New(h, scsstore.Options{})
				release := h.hold(op)
				r := newRecord("data")
				if err := s.Swap(within(t, time.Second), "id", store.Version{}, r); err == nil {
					t.Error("no error after the deadline")
				}
				release()
				copy(r.Data, "else")
				synctest.Wait()
				if op == "commit" {
					r.Data = []byte("data")
					holds(t, s, "id", r)
				}
			})
		})
	}
}
