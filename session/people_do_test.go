package session_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// A caller that keeps its token itself, as a mobile client does.
type remote struct {
	m     *session.Manager
	token string
}

// call is one Do, after which the client keeps the token it was given.
func (c *remote) call(t testing.TB, do func(ctx context.Context) error) error {
	t.Helper()
	token, err := c.m.Do(t.Context(), c.token, do)
	c.token = token
	return err
}

// ok is call that has to succeed.
func (c *remote) ok(t testing.TB, do deed) {
	t.Helper()
	wantError(t, "Do", c.call(t, func(ctx context.Context) error { do(ctx); return nil }), nil)
}

func (c *remote) user(t testing.TB) (user string) {
	t.Helper()
	c.ok(t, func(ctx context.Context) { user = session.UserID(ctx) })
	return user
}

// TestP12_DoSignsInListsAndEnds: the whole life of a signed-in client without HTTP.
func TestP12_DoSignsInListsAndEnds(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		m := session.New(s, plainHTTP())
		c := &remote{m: m}
		c.ok(t, full)
		guest := c.token
		c.ok(t, signIn("7"))
		if c.token == guest || c.token == "" {
			t.Error("a sign-in by Do keeps the token: who knew it is signed in, too (session fixation)")
		}
		signedIn := c.token
		c.ok(t, addPoint)
		wantSame(t, "the token after a change", c.token, signedIn)
		wantSame(t, "user", c.user(t), "7")
		c.ok(t, func(ctx context.Context) {
			wantSame(t, "points, which the guest had, and one more", points.Get(ctx), 2)
			all, err := m.Sessions(ctx, "7")
			wantError(t, "Sessions", err, nil)
			wantSame(t, "is it listed, as the current one", len(all) == 1 && all[0].Current && all[0].UserAgent == "", true)
		})
		straggler := &remote{m, guest}
		wantSame(t, "user of the guest's token", straggler.user(t), "")
		wantError(t, "a change by the guest's token", straggler.call(t, func(ctx context.Context) error { addPoint(ctx); return nil }), session.ErrEnded)
		wantSame(t, "the straggler's token, which is not ours to replace", straggler.token, guest)

		other := &remote{m: session.New(s, plainHTTP())}
		other.ok(t, signIn("7"))
		other.ok(t, func(ctx context.Context) { wantError(t, "RevokeOthers", session.RevokeOthers(ctx), nil) })
		wantSame(t, "user, who was ended by another", c.user(t), "")
		wantError(t, "a change after that", c.call(t, func(ctx context.Context) error { addPoint(ctx); return nil }), session.ErrEnded)
		wantSame(t, "the token after it was ended", c.token, signedIn)
		c.ok(t, signIn("7"))
		wantSame(t, "points of the session that a sign-in with an ended token begins", func() (n int) {
			c.ok(t, func(ctx context.Context) { n = points.Get(ctx) })
			return n
		}(), 0)
		wantSame(t, "user", c.user(t), "7")
		wantListed(t, s, "7", 2)
		c.ok(t, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		wantSame(t, "the token after a logout", c.token, "")
		wantListed(t, s, "7", 1)
	})
}

// TestP12_DoAmidAnEnd: a Do that has its session loaded while it is ended from
// elsewhere fails, and its client keeps its token.
func TestP12_DoAmidAnEnd(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s store.Store, c *remote){
		"RevokeAll": func(t *testing.T, s store.Store, _ *remote) { endAll(t, s, "7") },
		"Revoke": func(t *testing.T, s store.Store, _ *remote) {
			wantError(t, "Revoke", office(s).Revoke(t.Context(), "7", refsOf(t, s, "7")[0]), nil)
		},
		"Logout": func(t *testing.T, _ store.Store, c *remote) {
			c.ok(t, func(ctx context.Context) { session.Logout(ctx) })
		},
		"Renew": func(t *testing.T, _ store.Store, c *remote) { c.ok(t, session.Renew) },
	} {
		for doing, do := range map[string]deed{"a change": addPoint, "Renew": session.Renew, "Login": signIn("7")} {
			t.Run(doing+" amid "+name, func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					c := &remote{m: session.New(s, plainHTTP())}
					c.ok(t, signIn("7"))
					slow := *c
					was := slow.token
					err := slow.call(t, func(ctx context.Context) error {
						end(t, s, c)
						do(ctx)
						return nil
					})
					wantError(t, doing, err, session.ErrEnded)
					wantSame(t, "the token of who was too late", slow.token, was)
					left := 0
					if name == "Renew" {
						left = 1
					}
					wantListed(t, s, "7", left)
				})
			})
		}
	}
}

// TestP12_DoThatFailsSignsNobodyIn: with an error of its own, a panic, or one of the
// store.
func TestP12_DoThatFailsSignsNobodyIn(t *testing.T) {
	errOwn := errors.New("wrong password")
	for name, c := range map[string]struct {
		fail func(ctx context.Context) error
		op   string
	}{
		"its own error":         {func(context.Context) error { return errOwn }, ""},
		"a panic":               {func(context.Context) error { panic(errOwn) }, ""},
		"the listing fails":     {func(context.Context) error { return nil }, "index"},
		"the creation fails":    {func(context.Context) error { return nil }, "swap"},
		"a limit can't be kept": {func(context.Context) error { return nil }, "owned"},
	} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				census := newCensus(t, s)
				r := &remote{m: session.New(census, atMost(3))}
				r.ok(t, full)
				guest := r.token
				if c.op != "" {
					census.on(c.op, 1, refused)
				}
				func() {
					defer func() { recover() }()
					if r.call(t, func(ctx context.Context) error { signIn("7")(ctx); return c.fail(ctx) }) == nil {
						t.Error("Do succeeds")
					}
				}()
				wantSame(t, "the token", r.token, guest)
				wantSame(t, "user", r.user(t), "")
				wantSame(t, "sessions that are alive", len(census.live()), 0)
				wantListed(t, s, "7", 0)
				r.ok(t, func(ctx context.Context) { wantSame(t, "points that the guest had", points.Get(ctx), 1) })
			})
		})
	}
}

// TestP12_DoTakesNoTokenThatIsNone, and never makes one its own.
func TestP12_DoTakesNoTokenThatIsNone(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		m := session.New(f, plainHTTP())
		for _, token := range []string{"", "x", "../../etc/passwd", "A\r\nSet-Cookie: x", string(make([]byte, 43)), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"} {
			c := &remote{m, token}
			f.trace()
			c.ok(t, func(context.Context) {})
			wantSame(t, "operations for what is no token", len(f.trace()), 0)
			c.ok(t, signIn("7"))
			if c.token == token {
				t.Errorf("the token %q was taken for a new session", token)
			}
		}
		unknown := &remote{m, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
		unknown.ok(t, signIn("7"))
		if unknown.token == "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" {
			t.Error("a token that nobody knows was taken for a new session (session fixation)")
		}
	})
}

// TestP12_DoIsLimitedLikeRequests are.
func TestP12_DoIsLimitedLikeRequests(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		browser := device(t, s, atMost(2), "7")
		var clients []*remote
		for range 2 {
			awaitMillisecond()
			c := &remote{m: session.New(s, atMost(2))}
			c.ok(t, signIn("7"))
			clients = append(clients, c)
		}
		wantEnded(t, browser)
		for _, c := range clients {
			wantSame(t, "user of a client", c.user(t), "7")
		}
		wantListed(t, s, "7", 2)
	})
}
