package session_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP3_Stragglers come with the old id after a renewal. They read an empty
// session, can't write, and never touch the cookie, which is the new one by now.
func TestP3_Stragglers(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(ctx context.Context) error
		err    error // of do
		status int
	}{
		{"reads", func(ctx context.Context) error { return nil }, nil, http.StatusOK},
		{"sets", func(ctx context.Context) error { color.Set(ctx, "blue"); return nil }, nil, http.StatusConflict},
		{"updates", func(ctx context.Context) error { addPoint(ctx); return nil }, nil, http.StatusConflict},
		{"clears", func(ctx context.Context) error { session.Clear(ctx); return nil }, nil, http.StatusConflict},
		{"renews", func(ctx context.Context) error { session.Renew(ctx); return nil }, nil, http.StatusConflict},
		{"remembers", func(ctx context.Context) error { session.Remember(ctx, time.Hour); return nil }, nil, http.StatusConflict},
		{"commits", func(ctx context.Context) error { addPoint(ctx); return session.Commit(ctx) }, session.ErrEnded, http.StatusOK},
		{"transacts", func(ctx context.Context) error {
			return session.Transact(ctx, func(ctx context.Context) error { addPoint(ctx); return nil })
		}, session.ErrEnded, http.StatusOK},
		{"takes", func(ctx context.Context) error { _, _, err := color.Take(ctx); return err }, nil, http.StatusOK},
		{"reloads", session.Reload, session.ErrEnded, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), signedIn)
				late := b.Fork()
				visitOK(t, b, session.Renew)
				w := visit(t, late, func(ctx context.Context) {
					wantSame(t, "points", points.Get(ctx), 0)
					wantSame(t, "user", session.UserID(ctx), "")
					wantSame(t, "deadline", session.Deadline(ctx), time.Time{})
					wantError(t, "Err", session.Err(ctx), session.ErrEnded)
					wantError(t, "what it does", c.do(ctx), c.err)
				})
				wantStatus(t, w, c.status)
				wantNoCookie(t, w)
				wantSame(t, "the session", contentsOf(t, b), contents{"apple", 1, "red"})
				wantSame(t, "user of the session", userOf(t, b), "7")
			})
		})
	}
}

// TestP3_StragglersUnderway loaded the session before it was renewed.
func TestP3_StragglersUnderway(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), signedIn)
		reader := begin(t, b.Fork(), nil, func(ctx context.Context) {
			wantSame(t, "points as they were when the request began", points.Get(ctx), 1)
		})
		writer := begin(t, b.Fork(), addPoint, nil)
		visitOK(t, b, session.Renew)

		w := reader.finish()
		wantStatus(t, w, http.StatusOK)
		wantNoCookie(t, w)
		w = writer.finish()
		wantStatus(t, w, http.StatusConflict)
		wantNoCookie(t, w)
		wantSame(t, "the session", contentsOf(t, b), contents{"apple", 1, "red"})
	})
}

// TestP3_LoginOnAnEndedIdBeginsAnew, with nothing of the session that was.
func TestP3_LoginOnAnEndedIdBeginsAnew(t *testing.T) {
	for _, end := range []deed{session.Renew, func(ctx context.Context) { session.Logout(ctx) }} {
		trial.OnEachStore(t, func(t *testing.T, s store.Store) {
			b := visitor(t, s, plainHTTP(), signedIn)
			late, old := b.Fork(), b.Fork()
			visitOK(t, b, end)
			w := visitOK(t, late, func(ctx context.Context) {
				session.Login(ctx, "8")
				addPear(ctx)
			})
			wantSame(t, "cookies", len(w.Header()["Set-Cookie"]), 1)
			wantSame(t, "user", userOf(t, late), "8")
			wantSame(t, "the new session", contentsOf(t, late), contents{"pear", 0, ""})
			wantEnded(t, old)
		})
	}
}

// TestP3_LoginKeeps what an anonymous visitor or the same user had, and nothing
// of another user's.
func TestP3_LoginKeeps(t *testing.T) {
	login := func(user string) deed {
		return func(ctx context.Context) { session.Login(ctx, user); addPear(ctx) }
	}
	for _, c := range []struct {
		name   string
		before deed
		user   string
		want   contents
	}{
		{"an anonymous visitor's", full, "7", contents{"apple,pear", 1, "red"}},
		{"the same user's", signedIn, "7", contents{"apple,pear", 1, "red"}},
		{"another user's", signedIn, "8", contents{"pear", 0, ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), c.before)
				visitOK(t, b, login(c.user))
				wantSame(t, "the session", contentsOf(t, b), c.want)
				wantSame(t, "user", userOf(t, b), c.user)
			})
		})
	}
}
