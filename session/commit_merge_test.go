package session_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// addItem adds one item to the basket.
func addItem(ctx context.Context, name string) {
	basket.Update(ctx, func(b *[]string) { *b = append(*b, name) })
}

// TestP1_NoLostUpdate has many requests load one session before any of them
// commits, and each of them add one item.
func TestP1_NoLostUpdate(t *testing.T) {
	for _, c := range []struct {
		name     string
		requests int
		add      func(t *testing.T, ctx context.Context, item string)
	}{
		{"Update", 50, func(_ *testing.T, ctx context.Context, item string) { addItem(ctx, item) }},
		{"Update and Commit", 50, func(t *testing.T, ctx context.Context, item string) {
			addItem(ctx, item)
			wantError(t, "Commit", session.Commit(ctx), nil)
		}},
		{"Transact with Update", 64, func(t *testing.T, ctx context.Context, item string) {
			wantError(t, "Transact", session.Transact(ctx, func(ctx context.Context) error { addItem(ctx, item); return nil }), nil)
		}},
		{"Transact with Get and Set", 64, func(t *testing.T, ctx context.Context, item string) {
			wantError(t, "Transact", session.Transact(ctx, func(ctx context.Context) error {
				basket.Set(ctx, append(basket.Get(ctx), item))
				return nil
			}), nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, patient(), func(ctx context.Context) { color.Set(ctx, "red") })
				var requests []*underway
				var want []string
				for i := range c.requests {
					item := fmt.Sprintf("item %02d", i)
					want = append(want, item)
					requests = append(requests, begin(t, b.Fork(), nil, func(ctx context.Context) { c.add(t, ctx, item) }))
				}
				for _, w := range finishAll(requests) {
					wantStatus(t, w, http.StatusOK)
					wantNoCookie(t, w)
				}
				got := seen(t, b, basket)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%d requests added an item each, and %d are there, want every one of them, once: %q", c.requests, len(got), got)
				}
			})
		})
	}
}

// rivalry is a request that changes a session which somebody else changes before
// it commits, and what the session holds in the end.
type rivalry struct {
	name        string
	mine, rival deed
	want        contents
}

// contents is what the test sessions hold.
type contents struct {
	basket string // joined
	points int
	color  string
}

func contentsOf(t *testing.T, b *trial.Browser) (s contents) {
	t.Helper()
	visitOK(t, b.Fork(), func(ctx context.Context) {
		s = contents{strings.Join(basket.Get(ctx), ","), points.Get(ctx), color.Get(ctx)}
	})
	return s
}

// TestP1_ChangesMerge begins with an apple, one point and red each time.
func TestP1_ChangesMerge(t *testing.T) {
	setColor := func(ctx context.Context) { color.Set(ctx, "blue") }
	both := func(deeds ...deed) deed {
		return func(ctx context.Context) {
			for _, d := range deeds {
				d(ctx)
			}
		}
	}
	for _, c := range []rivalry{
		{"Set and Set of two keys", setColor, func(ctx context.Context) { points.Set(ctx, 7) }, contents{"apple", 7, "blue"}},
		{"Update and Set of two keys", addPoint, setColor, contents{"apple", 2, "blue"}},
		{"Update and Update of one key", addPoint, addPoint, contents{"apple", 3, "red"}},
		{"Update on what was Set", addPoint, func(ctx context.Context) { points.Set(ctx, 10) }, contents{"apple", 11, "red"}},
		{"Update on what was deleted", addPoint, func(ctx context.Context) { points.Delete(ctx) }, contents{"apple", 1, "red"}},
		{"Update on what was cleared", addPoint, session.Clear, contents{"", 1, ""}},
		{"Delete and Update of two keys", func(ctx context.Context) { color.Delete(ctx) }, addPoint, contents{"apple", 2, ""}},
		{"Delete of what was updated", func(ctx context.Context) { points.Delete(ctx) }, addPoint, contents{"apple", 0, "red"}},
		{"Clear of what was added", session.Clear, both(addPear, addPoint), contents{"", 0, ""}},
		{"Clear and then Set, on what was updated", both(session.Clear, setColor), both(addPear, addPoint), contents{"", 0, "blue"}},
		{"Set and then Clear and then Update", both(setColor, session.Clear, addPoint), addPear, contents{"", 1, ""}},
		{"Update twice and Set between, on what was updated", both(addPear, setColor, addPear), both(addPear, addPoint), contents{"apple,pear,pear,pear", 2, "blue"}},
		{"Set and then Update, on what was updated", both(func(ctx context.Context) { points.Set(ctx, 20) }, addPoint), addPoint, contents{"apple", 21, "red"}},
		{"everything at once", both(addPear, setColor, addPoint), both(addPoint, addPear, addPoint), contents{"apple,pear,pear", 4, "blue"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), full)
				visitOK(t, b, func(ctx context.Context) {
					c.mine(ctx)
					visitOK(t, b.Fork(), c.rival)
				})
				wantSame(t, "the merged session", contentsOf(t, b), c.want)
			})
		})
	}
}

// TestP1_UpdateSeesWhatOthersCommitted counts the runs of an Update, and what
// each of them sees.
func TestP1_UpdateSeesWhatOthersCommitted(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), func(ctx context.Context) { points.Set(ctx, 1) })
		var saw []int
		visitOK(t, b, func(ctx context.Context) {
			points.Update(ctx, func(p *int) { saw = append(saw, *p); *p *= 10 })
			visitOK(t, b.Fork(), func(ctx context.Context) { points.Set(ctx, 5) })
			wantSame(t, "the request's own view, which others don't change", points.Get(ctx), 10)
		})
		if !slices.Equal(saw, []int{1, 5}) {
			t.Errorf("the Update saw %v, want 1, and after the conflict 5", saw)
		}
		wantSame(t, "points", seen(t, b, points), 50)
	})
}

// TestP1_UpdateReadsAnotherKey: what an Update reads of
// the session itself must not deadlock, neither at once nor when it runs again.
func TestP1_UpdateReadsAnotherKey(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), func(ctx context.Context) { color.Set(ctx, "red") })
		runs := 0
		visitOK(t, b, func(ctx context.Context) {
			addItem(ctx, "pear")
			points.Update(ctx, func(p *int) {
				runs++
				*p += len(color.Get(ctx)) + len(session.UserID(ctx))
				session.Deadline(ctx)
				session.Err(ctx)
			})
			visitOK(t, b.Fork(), func(ctx context.Context) { points.Set(ctx, 100) })
		})
		wantSame(t, "runs of the Update", runs, 2)
		wantSame(t, "state", contentsOf(t, b), contents{"pear", 103, "red"})
	})
}

// TestP1_SetAfterGetIsLastWriterWins, and is logged if it overwrote somebody:
// it is the one way left to lose an update.
func TestP1_SetAfterGetIsLastWriterWins(t *testing.T) {
	increment := func(ctx context.Context) { points.Set(ctx, points.Get(ctx)+1) }
	for _, c := range []struct {
		name   string
		mine   deed
		rival  deed
		points int
		logged bool
	}{
		{"Set after Get of what somebody changed", increment, increment, 2, true},
		{"Set after Lookup of what somebody deleted", increment, func(ctx context.Context) { points.Delete(ctx) }, 2, true},
		{"blind Set of what somebody changed", func(ctx context.Context) { points.Set(ctx, 9) }, increment, 9, false},
		{"Set after Get while another key was changed", increment, func(ctx context.Context) { color.Set(ctx, "blue") }, 2, false},
		{"Update after Get of what somebody changed", func(ctx context.Context) {
			points.Get(ctx)
			points.Update(ctx, func(p *int) { *p++ })
		}, increment, 3, false},
		{"Get after a blind Set", func(ctx context.Context) { points.Set(ctx, 9); points.Get(ctx) }, increment, 9, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				var log logged
				o := log.to(plainHTTP())
				b := visitor(t, s, o, func(ctx context.Context) { points.Set(ctx, 1) })
				visitOK(t, b, func(ctx context.Context) {
					c.mine(ctx)
					visitOK(t, b.Fork(), c.rival)
				})
				wantSame(t, "points: the last writer wins", seen(t, b, points), c.points)
				lines := log.String()
				if got := strings.Contains(lines, "overwrote"); got != c.logged {
					t.Errorf("was it logged that somebody was overwritten? %v, want %v; the log: %s", got, c.logged, lines)
				}
				if c.logged && !strings.Contains(lines, "commit/points") {
					t.Errorf("the log does not name the key: %s", lines)
				}
			})
		})
	}
}
