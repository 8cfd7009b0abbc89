package session_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

func destroy(t *testing.T, ctx context.Context) {
	t.Helper()
	wantError(t, "Destroy", session.Destroy(ctx), nil)
}

func commitNow(t *testing.T, ctx context.Context) {
	t.Helper()
	wantError(t, "Commit", session.Commit(ctx), nil)
}

// TestP2_DestroyComposes with what a request does before and after it.
func TestP2_DestroyComposes(t *testing.T) {
	for _, c := range []struct {
		name    string
		do      func(t *testing.T, ctx context.Context)
		want    contents
		user    string
		cookies int // that the browser has in the end
		records int // markers included
	}{
		{"Destroy", destroy, contents{}, "", 0, 1},
		{"a change and then Destroy", func(t *testing.T, ctx context.Context) {
			addPoint(ctx)
			destroy(t, ctx)
		}, contents{}, "", 0, 1},
		{"Destroy and then a change", func(t *testing.T, ctx context.Context) {
			destroy(t, ctx)
			wantSame(t, "points after Destroy", points.Get(ctx), 0)
			wantSame(t, "user after Destroy", session.UserID(ctx), "")
			addPear(ctx)
		}, contents{"pear", 0, ""}, "", 1, 2},
		{"Destroy and then Login", func(t *testing.T, ctx context.Context) {
			destroy(t, ctx)
			session.Login(ctx, "8")
		}, contents{}, "8", 1, 2},
		{"Destroy and then Transact", func(t *testing.T, ctx context.Context) {
			destroy(t, ctx)
			wantError(t, "Transact", session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil }), nil)
		}, contents{"", 1, ""}, "", 1, 2},
		{"Destroy, a change, Destroy", func(t *testing.T, ctx context.Context) {
			destroy(t, ctx)
			addPear(ctx)
			destroy(t, ctx)
		}, contents{}, "", 0, 1},
		{"Destroy, a change that is committed, Destroy", func(t *testing.T, ctx context.Context) {
			destroy(t, ctx)
			addPear(ctx)
			commitNow(t, ctx)
			destroy(t, ctx)
		}, contents{}, "", 0, 2},
		{"Destroy, a change that is committed, Renew", func(t *testing.T, ctx context.Context) {
			destroy(t, ctx)
			addPear(ctx)
			commitNow(t, ctx)
			session.Renew(ctx)
		}, contents{"pear", 0, ""}, "", 1, 3},
		{"Renew and then Destroy", func(t *testing.T, ctx context.Context) {
			session.Renew(ctx)
			destroy(t, ctx)
		}, contents{}, "", 0, 1},
		{"Renew, which is committed, and then Destroy", func(t *testing.T, ctx context.Context) {
			session.Renew(ctx)
			commitNow(t, ctx)
			destroy(t, ctx)
		}, contents{}, "", 0, 2},
		{"Renew twice", func(t *testing.T, ctx context.Context) {
			session.Renew(ctx)
			session.Renew(ctx)
		}, contents{"apple", 1, "red"}, "7", 1, 2},
		{"Renew twice, and commit between", func(t *testing.T, ctx context.Context) {
			session.Renew(ctx)
			commitNow(t, ctx)
			addPoint(ctx)
			session.Renew(ctx)
		}, contents{"apple", 2, "red"}, "7", 1, 3},
		{"Login and then Logout", func(t *testing.T, ctx context.Context) {
			session.Login(ctx, "8")
			destroy(t, ctx)
		}, contents{}, "", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				f := newFaulty(s)
				b := visitor(t, s, plainHTTP(), signedIn)
				old := b.Fork()
				b = through(f, plainHTTP(), b)
				visitOK(t, b, func(ctx context.Context) { c.do(t, ctx) })
				wantSame(t, "cookies that the browser has", len(b.Cookies()), c.cookies)
				wantSame(t, "records in the store", liveRecords(t, s, f.trace()), c.records)
				wantEnded(t, old)
				if c.cookies > 0 {
					wantSame(t, "the new session", contentsOf(t, b), c.want)
					wantSame(t, "user", userOf(t, b), c.user)
				}
			})
		})
	}
}

// TestP2_DestroyOfARenewedSession fails: the visitor has the new id by now, and
// the session lives.
func TestP2_DestroyOfARenewedSession(t *testing.T) {
	change := func(do deed) func(ctx context.Context) error {
		return func(ctx context.Context) error { do(ctx); return session.Commit(ctx) }
	}
	for _, c := range []struct {
		name  string
		first func(ctx context.Context) error // fails with ErrEnded
	}{
		{"at once", nil},
		{"after a change was refused", change(addPoint)},
		{"after a renewal was refused", change(session.Renew)},
		{"after a Reload", session.Reload},
		{"after a Transact", func(ctx context.Context) error {
			return session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil })
		}},
		{"after a Destroy", session.Destroy},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), signedIn)
				late := begin(t, b.Fork(), nil, func(ctx context.Context) {
					if c.first != nil {
						wantError(t, "what came before", c.first(ctx), session.ErrEnded)
					}
					wantError(t, "Destroy", session.Destroy(ctx), session.ErrEnded)
				})
				visitOK(t, b, session.Renew)
				w := late.finish()
				wantStatus(t, w, http.StatusConflict)
				wantNoCookie(t, w)
				wantSame(t, "user of the session, which lives on", userOf(t, b), "7")
			})
		})
	}
}

// TestP2_MarkersLiveAMinute. After it, the id is one that nobody knows, and is
// never taken for a new session.
func TestP2_MarkersLiveAMinute(t *testing.T) {
	for _, end := range []deed{session.Renew, func(ctx context.Context) { session.Destroy(ctx) }} {
		synctest.Test(t, func(t *testing.T) {
			s := trial.Memory(t)
			o := plainHTTP()
			o.IdleTimeout = time.Hour
			b := visitor(t, s, o, signedIn)
			old := b.Fork()
			visitOK(t, b, end)
			wantEnded(t, old)
			advance(59 * time.Second)
			wantEnded(t, old) // although it was asked for before
			advance(2 * time.Second)

			late := old.Fork()
			wantNoCookie(t, visitOK(t, late, func(ctx context.Context) {
				wantError(t, "Err with an unknown id", session.Err(ctx), nil)
				wantSame(t, "points with an unknown id", points.Get(ctx), 0)
			}))
			visitOK(t, late, addPear)
			if late.Cookies()["session"] == old.Cookies()["session"] {
				t.Error("an id that nobody knows was taken for a new session")
			}
			wantSame(t, "the new session", contentsOf(t, late), contents{"pear", 0, ""})
			wantSame(t, "the old id", contentsOf(t, old), contents{})
		})
	}
}

// TestP2_RequestsOutliveTheMarker, and still can't bring a session back.
func TestP2_RequestsOutliveTheMarker(t *testing.T) {
	ends := map[string]deed{
		"Renew":  session.Renew,
		"Logout": func(ctx context.Context) { session.Logout(ctx) },
	}
	for endName, end := range ends {
		for _, c := range []struct {
			name string
			do   func(ctx context.Context) error
		}{
			{"a change", func(ctx context.Context) error { addPoint(ctx); return session.Commit(ctx) }},
			{"Renew", func(ctx context.Context) error { session.Renew(ctx); return session.Commit(ctx) }},
			{"Login", func(ctx context.Context) error { session.Login(ctx, "7"); return session.Commit(ctx) }},
			{"Transact", func(ctx context.Context) error {
				return session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil })
			}},
			{"Reload", session.Reload},
		} {
			t.Run(c.name+" after "+endName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := trial.Memory(t)
					b := visitor(t, s, plainHTTP(), signedIn)
					old, lives := b.Fork(), endName == "Renew"
					slow := begin(t, b.Fork(), nil, func(ctx context.Context) {
						wantError(t, c.name, c.do(ctx), session.ErrEnded)
						addPoint(ctx)
					})
					visitOK(t, b, end)
					advance(2 * time.Minute)
					w := slow.finish()
					wantStatus(t, w, http.StatusConflict)
					wantNoCookie(t, w)
					wantSame(t, "the old id", contentsOf(t, old), contents{})
					if lives {
						wantSame(t, "user of the session, which lives on", userOf(t, b), "7")
					}
				})
			})
		}
	}
}

// TestP3_LateLogoutKeepsTheNewCookie: a request that is older than the marker
// can't know whether the session was renewed. So it is not to expire a cookie
// that may be the new one.
func TestP3_LateLogoutKeepsTheNewCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := visitor(t, trial.Memory(t), plainHTTP(), signedIn)
		slow := begin(t, b.Fork(), nil, func(ctx context.Context) { session.Logout(ctx) })
		visitOK(t, b, session.Renew)
		advance(2 * time.Minute)
		wantNoCookie(t, slow.finish())
		wantSame(t, "user of the session, which lives on", userOf(t, b), "7")
	})
}

// TestP2_DoForgetsWhatItEnded: the client of a Do has nothing to keep after it.
func TestP2_DoForgetsWhatItEnded(t *testing.T) {
	for _, c := range []struct {
		name   string
		before deed
	}{
		{"Destroy", func(context.Context) {}},
		{"Renew and then Destroy", session.Renew},
		{"Renew, which is committed, and then Destroy", func(ctx context.Context) { session.Renew(ctx); commitNow(t, ctx) }},
	} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			m := session.New(s, plainHTTP())
			token, err := m.Do(t.Context(), "", func(ctx context.Context) error { signedIn(ctx); return nil })
			wantError(t, "the first Do", err, nil)
			left, err := m.Do(t.Context(), token, func(ctx context.Context) error {
				c.before(ctx)
				return session.Destroy(ctx)
			})
			wantError(t, c.name, err, nil)
			wantSame(t, c.name+": the token that the client has to keep", left, "")
			m.Do(t.Context(), token, func(ctx context.Context) error {
				wantError(t, "Err with the old token", session.Err(ctx), session.ErrEnded)
				return nil
			})
		})
	}
}
