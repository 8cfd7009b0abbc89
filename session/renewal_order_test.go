package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// kind says what a write is: the creation of a record, a marker in the place of
// one, or a change.
func kind(op trial.Op) string {
	switch {
	case op.Name != "swap":
		return op.Name
	case op.Next.Rank == store.RankEnded:
		return "marker"
	case op.Prev == store.Version{}:
		return "create"
	}
	return "change"
}

func kinds(ops []trial.Op) string {
	var all []string
	for _, op := range ops {
		all = append(all, kind(op))
	}
	return strings.Join(all, " ")
}

// TestP3_OrderOfARenewal: the new record is there before the old one ends, and
// the cookie goes out after that.
func TestP3_OrderOfARenewal(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     deed
		rivals int // that commit before a marker
		want   string
	}{
		{"Renew", session.Renew, 0, "find create marker"},
		{"Login", func(ctx context.Context) { session.Login(ctx, "7") }, 0, "find index create marker"},
		{"Renew, with a change on the way", session.Renew, 1, "find create marker change marker"},
		{"Login, with three changes on the way", signingIn, 3, "find index create marker change marker change marker change marker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				f := newFaulty(s)
				b := visitor(t, f, plainHTTP(), full)
				rival := through(s, plainHTTP(), b)
				f.trace()
				response := httptest.NewRecorder()
				var created string
				rivals := c.rivals
				f.on("swap", 0, func(op trial.Op, call func() error) error {
					if len(response.Header()["Set-Cookie"]) > 0 {
						t.Errorf("the cookie was set before the %s", kind(op))
					}
					switch kind(op) {
					case "create":
						created = op.ID
					case "marker":
						if _, err := s.Find(t.Context(), created); err != nil {
							t.Errorf("the old record is about to end, and of the new one is known: %v", err)
						}
						if rivals--; rivals >= 0 {
							visitOK(t, rival, addPear)
						}
					}
					return call()
				})
				serve(f, b, response, c.do)
				wantStatus(t, response, http.StatusOK)
				wantSame(t, "cookies", len(response.Result().Cookies()), 1)
				wantSame(t, "the operations", kinds(f.trace()), c.want)
			})
		})
	}
}

// serve is visit with a response that can be looked at meanwhile.
func serve(f *faulty, b *trial.Browser, w http.ResponseWriter, do deed) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	for name, value := range b.Cookies() {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r = r.WithContext(context.WithValue(r.Context(), deedKey{}, do))
	session.New(f, plainHTTP()).Handler(obliging).ServeHTTP(w, r)
}

// TestP3_CarriesOver what others commit under the old id before it ends, as often
// as they do.
func TestP3_CarriesOver(t *testing.T) {
	const rivals = 12 // more than the history holds
	for _, c := range []struct {
		name string
		do   deed
		user string
	}{
		{"Renew", renewing, ""},
		{"Login", signingIn, "7"},
		{"Login and then a change", func(ctx context.Context) { session.Login(ctx, "7"); addPoint(ctx) }, "7"},
		{"Renew in Transact", func(ctx context.Context) {
			session.Transact(ctx, func(ctx context.Context) error { renewing(ctx); return nil })
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				f := newFaulty(s)
				b := visitor(t, f, patient(), full)
				old, rival := b.Fork(), through(s, plainHTTP(), b)
				var added []string
				f.on("swap", 0, func(op trial.Op, call func() error) error {
					if n := len(added); kind(op) == "marker" && n < rivals {
						added = append(added, fmt.Sprint("item ", n))
						visitOK(t, rival, func(ctx context.Context) {
							addItem(ctx, added[n])
							color.Set(ctx, added[n])
							addPoint(ctx)
						})
					}
					return call()
				})
				visitOK(t, b, c.do)
				wantSame(t, "the session", contentsOf(t, b),
					contents{"apple," + strings.Join(added, ","), 2 + rivals, added[rivals-1]})
				wantSame(t, "user", userOf(t, b), c.user)
				wantEnded(t, old)
			})
		})
	}
}

// TestP3_TransactRunsAgainForARenewal that finds out late, at the marker, that
// what it had read was changed. Nothing of the first try is left.
func TestP3_TransactRunsAgainForARenewal(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		b := visitor(t, f, plainHTTP(), full)
		rival := through(s, plainHTTP(), b)
		f.on("swap", 2, preceded(func() { visitOK(t, rival, addPoint) }))
		runs := 0
		visitOK(t, b, func(ctx context.Context) {
			err := session.Transact(ctx, func(ctx context.Context) error {
				runs++
				session.Renew(ctx)
				color.Set(ctx, fmt.Sprint(points.Get(ctx)))
				return nil
			})
			wantError(t, "Transact", err, nil)
		})
		wantSame(t, "runs", runs, 2)
		wantSame(t, "the session", contentsOf(t, b), contents{"apple", 2, "2"})
		wantSame(t, "records: the session and the marker", liveRecords(t, s, f.trace()), 2)
	})
}

// TestP3_TwoRenewalsAtOnce have both made their new record before either ends
// the old one. One of them wins.
func TestP3_TwoRenewalsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name     string
		one, two deed
	}{
		{"Renew and Renew", session.Renew, session.Renew},
		{"Login and Login", func(ctx context.Context) { session.Login(ctx, "7") }, func(ctx context.Context) { session.Login(ctx, "8") }},
		{"Login and Renew", func(ctx context.Context) { session.Login(ctx, "7") }, session.Renew},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				f := newFaulty(s)
				b := visitor(t, f, plainHTTP(), full)
				old := b.Fork()
				var both sync.WaitGroup
				both.Add(2)
				for n := range 2 {
					f.on("swap", 3+n, preceded(func() { both.Done(); both.Wait() })) // the markers
				}
				// The first two writes are the new records: let both come before the markers.
				var created sync.WaitGroup
				created.Add(2)
				for n := range 2 {
					f.on("swap", 1+n, followed(func() { created.Done(); created.Wait() }))
				}
				responses := finishAll([]*underway{begin(t, b, nil, c.one), begin(t, b, nil, c.two)})
				f.wantSpent(t)
				won := 0
				for _, w := range responses {
					switch w.Code {
					case http.StatusOK:
						won++
						wantSame(t, "cookies of the winner", len(w.Header()["Set-Cookie"]), 1)
					case http.StatusConflict:
						wantNoCookie(t, w)
					default:
						t.Errorf("status %d: %s", w.Code, w.Body)
					}
				}
				wantSame(t, "renewals that succeeded", won, 1)
				wantSame(t, "the session, with the cookie that the browser has now", contentsOf(t, b), contents{"apple", 1, "red"})
				wantEnded(t, old)
				wantSame(t, "records: the session and the marker", liveRecords(t, s, f.trace()), 2)
			})
		})
	}
}
