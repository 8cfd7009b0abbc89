package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP1_TransactRunsAgain exactly when what it looked at or changed is not what
// it was any more. A rival commits while the first run is under way.
func TestP1_TransactRunsAgain(t *testing.T) {
	paint := func(ctx context.Context) { color.Set(ctx, "blue") }
	setPoints := func(ctx context.Context) { points.Set(ctx, 5) }
	for _, c := range []struct {
		name   string
		before deed // in the request, before Transact
		run    deed // in Transact
		rival  deed
		runs   int
		want   contents
	}{
		{"what it read was changed", nil,
			func(ctx context.Context) { color.Set(ctx, fmt.Sprint("painted ", points.Get(ctx))) },
			setPoints, 2, contents{"apple", 5, "painted 5"}},
		{"what it read was deleted", nil,
			func(ctx context.Context) { color.Set(ctx, fmt.Sprint("painted ", points.Get(ctx))) },
			func(ctx context.Context) { points.Delete(ctx) }, 2, contents{"apple", 0, "painted 0"}},
		{"what it updated was changed", nil,
			func(ctx context.Context) { points.Update(ctx, func(p *int) { *p++ }) },
			setPoints, 2, contents{"apple", 6, "red"}},
		{"what it set was changed", nil,
			func(ctx context.Context) { points.Set(ctx, 9) },
			setPoints, 2, contents{"apple", 9, "red"}},
		{"what it deleted was changed", nil,
			func(ctx context.Context) { points.Delete(ctx) },
			setPoints, 2, contents{"apple", 0, "red"}},
		{"something was changed and it cleared all", nil, session.Clear, setPoints, 2, contents{}},
		{"what an Update looked at and left alone was changed", nil,
			func(ctx context.Context) {
				few := false
				points.Update(ctx, func(p *int) { few = *p < 3 })
				color.Set(ctx, fmt.Sprint("few: ", few))
			},
			setPoints, 2, contents{"apple", 5, "few: false"}},
		{"what a Set left as it was, was changed", nil,
			func(ctx context.Context) { points.Set(ctx, 1); paint(ctx) },
			setPoints, 2, contents{"apple", 1, "blue"}},
		{"what it read was set to the same", nil,
			func(ctx context.Context) { points.Update(ctx, func(p *int) { *p++ }) },
			func(ctx context.Context) { points.Set(ctx, 1); paint(ctx) }, 1, contents{"apple", 2, "blue"}},
		{"another key was changed", nil,
			func(ctx context.Context) { points.Update(ctx, func(p *int) { *p++ }) },
			paint, 1, contents{"apple", 2, "blue"}},
		{"another key was changed, of which the request changed some before", addPear,
			func(ctx context.Context) { points.Update(ctx, func(p *int) { *p++ }) },
			addPear, 1, contents{"apple,pear,pear", 2, "red"}},
		{"what the request had changed before, and it read, was changed", addPear,
			func(ctx context.Context) { points.Set(ctx, len(basket.Get(ctx))) },
			addPear, 2, contents{"apple,pear,pear", 3, "red"}},
		{"the request had read a key that it did not", func(ctx context.Context) { color.Get(ctx) },
			func(ctx context.Context) { points.Update(ctx, func(p *int) { *p++ }) },
			paint, 1, contents{"apple", 2, "blue"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), full)
				runs := 0
				visitOK(t, b, func(ctx context.Context) {
					if c.before != nil {
						c.before(ctx)
					}
					err := session.Transact(ctx, func(ctx context.Context) error {
						c.run(ctx)
						if runs++; runs == 1 {
							visitOK(t, b.Fork(), c.rival)
						}
						return nil
					})
					wantError(t, "Transact", err, nil)
				})
				wantSame(t, "runs", runs, c.runs)
				wantSame(t, "the session", contentsOf(t, b), c.want)
			})
		})
	}
}

// full gives a session an apple, one point and red.
func full(ctx context.Context) {
	basket.Set(ctx, []string{"apple"})
	points.Set(ctx, 1)
	color.Set(ctx, "red")
}

func addPear(ctx context.Context)  { addItem(ctx, "pear") }
func addPoint(ctx context.Context) { points.Update(ctx, func(p *int) { *p++ }) }

// TestP1_TransactFails drops what fn changed, also in runs before, and nothing else.
func TestP1_TransactFails(t *testing.T) {
	sorry := errors.New("sorry")
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for _, c := range []struct {
			name string
			fail func() error
		}{
			{"with an error", func() error { return sorry }},
			{"with a panic", func() error { panic(sorry) }},
		} {
			b := visitor(t, s, plainHTTP(), full)
			visitOK(t, b, func(ctx context.Context) {
				addPear(ctx)
				var got error
				func() {
					defer func() {
						if p := recover(); p != nil {
							got = p.(error)
						}
					}()
					got = session.Transact(ctx, func(ctx context.Context) error {
						session.Clear(ctx)
						points.Set(ctx, 9)
						wantSame(t, "points inside", points.Get(ctx), 9)
						return c.fail()
					})
				}()
				if got != sorry {
					t.Errorf("%s: Transact returned %v, want fn's own error", c.name, got)
				}
				wantSame(t, c.name+": points after it", points.Get(ctx), 1)
			})
			wantSame(t, c.name+": the request's own changes stay, and fn's are gone", contentsOf(t, b), contents{"apple,pear", 1, "red"})
		}
	})
}

// TestP1_TransactFailsInItsSecondRun, so that the commit it had tried is void.
func TestP1_TransactFailsInItsSecondRun(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), full)
		tooFew := errors.New("too few")
		visitOK(t, b, func(ctx context.Context) {
			addPear(ctx)
			err := session.Transact(ctx, func(ctx context.Context) error {
				if points.Get(ctx) < 1 {
					return tooFew
				}
				points.Update(ctx, func(p *int) { *p-- })
				color.Set(ctx, "bought")
				visitOK(t, b.Fork(), func(ctx context.Context) { points.Set(ctx, 0) })
				return nil
			})
			wantError(t, "Transact, when a rival took the last point", err, tooFew)
		})
		wantSame(t, "the session", contentsOf(t, b), contents{"apple,pear", 0, "red"})
	})
}

// TestP1_TransactCommitsNow, and with it what the request had changed before.
func TestP1_TransactCommitsNow(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		b := visitor(t, f, plainHTTP(), full)
		f.trace()
		visitOK(t, b, func(ctx context.Context) {
			addPear(ctx)
			wantError(t, "Transact", session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil }), nil)
			wantSame(t, "what others see while the handler runs", contentsOf(t, through(s, plainHTTP(), b)), contents{"apple,pear", 2, "red"})
		})
		if got := fmt.Sprint(opNames(f.trace())); got != "[find swap]" {
			t.Errorf("a Transact took %s, want one round trip for the load and one for the commit", got)
		}
	})
}

// TestP1_TransactCommitsASignIn that the request made before, with its new id.
func TestP1_TransactCommitsASignIn(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), full)
		old := b.Fork()
		w := visitOK(t, b, func(ctx context.Context) {
			session.Login(ctx, "7")
			wantError(t, "Transact", session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil }), nil)
			wantEnded(t, old)
		})
		wantSame(t, "cookies", len(w.Header()["Set-Cookie"]), 1)
		wantSame(t, "user", userOf(t, b), "7")
		wantSame(t, "the session", contentsOf(t, b), contents{"apple", 2, "red"})
	})
}

// TestP1_NestedTransactJoins the outer one: it commits nothing by itself, and its
// changes are dropped with those of the outer one.
func TestP1_NestedTransactJoins(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), full)
		sorry := errors.New("sorry")
		nested := func(result error) deed {
			return func(ctx context.Context) {
				err := session.Transact(ctx, func(ctx context.Context) error {
					addPear(ctx)
					inner := session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil })
					wantError(t, "the inner Transact", inner, nil)
					wantSame(t, "points as the outer one sees them", points.Get(ctx), 2)
					wantSame(t, "points as others see them meanwhile", seen(t, b, points), 1)
					if err := session.Commit(ctx); err == nil {
						t.Error("Commit inside Transact is taken, want it refused")
					}
					if err := session.Destroy(ctx); err == nil {
						t.Error("Destroy inside Transact is taken, want it refused")
					}
					return result
				})
				wantError(t, "the outer Transact", err, result)
			}
		}
		visitOK(t, b, nested(sorry))
		wantSame(t, "after an error", contentsOf(t, b), contents{"apple", 1, "red"})
		visitOK(t, b, nested(nil))
		wantSame(t, "after success", contentsOf(t, b), contents{"apple,pear", 2, "red"})
	})
}

// TestP1_TakeOnce has many requests that all see a value take it.
func TestP1_TakeOnce(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, patient(), full)
		const takers = 64
		taken := make([]string, takers)
		var requests []*underway
		for i := range takers {
			requests = append(requests, begin(t, b.Fork(), func(ctx context.Context) {
				wantSame(t, "the value before", color.Get(ctx), "red")
			}, func(ctx context.Context) {
				v, ok, err := color.Take(ctx)
				wantError(t, "Take", err, nil)
				if ok {
					taken[i] = v
				}
			}))
		}
		for _, w := range finishAll(requests) {
			wantStatus(t, w, http.StatusOK)
		}
		got := map[string]int{}
		for _, v := range taken {
			got[v]++
		}
		if got["red"] != 1 || got[""] != takers-1 {
			t.Errorf("%d requests took one value, and got %v, want it handed to one of them", takers, got)
		}
		wantSame(t, "the session after", contentsOf(t, b), contents{"apple", 1, ""})
	})
}

// TestP1_TransactSignsInOnAnEndedId: the new session is one for the rest of the
// request as well.
func TestP1_TransactSignsInOnAnEndedId(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), full)
		late := b.Fork()
		visitOK(t, b, func(ctx context.Context) { session.Logout(ctx) })
		visitOK(t, late, func(ctx context.Context) {
			err := session.Transact(ctx, func(ctx context.Context) error {
				session.Login(ctx, "7")
				addPoint(ctx)
				return nil
			})
			wantError(t, "Transact", err, nil)
			wantError(t, "Err after it", session.Err(ctx), nil)
			addPear(ctx)
		})
		wantSame(t, "user", userOf(t, late), "7")
		wantSame(t, "the new session", contentsOf(t, late), contents{"pear", 1, ""})
	})
}
