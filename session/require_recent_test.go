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

// authenticatedAt returns what a request with b's cookies learns.
func authenticatedAt(t testing.TB, b *trial.Browser) (at time.Time) {
	t.Helper()
	visitOK(t, b.Fork(), func(ctx context.Context) { at = session.AuthenticatedAt(ctx) })
	return at
}

// TestP12_AuthenticatedAtMovesWithEachSignIn, and with nothing else.
func TestP12_AuthenticatedAtMovesWithEachSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trial.Memory(t)
		b := visitor(t, s, plainHTTP(), full)
		wantSame(t, "of a guest", authenticatedAt(t, b), time.Time{})
		start := time.Now()
		visitOK(t, b, func(ctx context.Context) {
			signIn("7")(ctx)
			wantSame(t, "in the request that signs in", session.AuthenticatedAt(ctx).Equal(start), true)
		})
		for name, do := range map[string]deed{
			"a change": addPoint, "Renew": session.Renew, "Clear": session.Clear, "nothing": func(context.Context) {},
			"Remember": func(ctx context.Context) { session.Remember(ctx, 48*time.Hour) },
		} {
			advance(time.Minute)
			visitOK(t, b, do)
			wantSame(t, "after "+name, authenticatedAt(t, b).Equal(start), true)
		}
		advance(time.Minute)
		old := b.Cookies()["session"]
		visitOK(t, b, signIn("7"))
		wantSame(t, "after a sign-in as the same", time.Since(authenticatedAt(t, b)), 0)
		if b.Cookies()["session"] == old {
			t.Error("signing in again keeps the id; who knew it has the new rights, too")
		}
		advance(time.Minute)
		visitOK(t, b, signIn("8"))
		wantSame(t, "after a sign-in as another", time.Since(authenticatedAt(t, b)), 0)
		logout(t, b)
		wantSame(t, "after a logout", authenticatedAt(t, b), time.Time{})
	})
}

// TestP12_AMergedLoginKeepsItsTime: it counts from when it was asked for, also
// where others came first, and loses nothing of theirs.
func TestP12_AMergedLoginKeepsItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trial.Memory(t)
		b := visitor(t, s, plainHTTP(), full)
		f := newFaulty(s)
		rival := b.Fork()
		f.on("swap", 2, preceded(func() { advance(700 * time.Millisecond); visitOK(t, rival, addPoint) }))
		start := time.Now()
		signs := through(f, plainHTTP(), b)
		visitOK(t, signs, signIn("7"))
		f.wantSpent(t)
		wantSame(t, "authenticated after the start", authenticatedAt(t, signs).Sub(start), 0)
		wantSame(t, "points, of which the rival added one", seen(t, signs, points), 2)
	})
}

// TestP12_RequireRecentAsksAgain, exactly when d is over, and keeps the user
// signed in and what they have meanwhile.
func TestP12_RequireRecentAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := browse(trial.Memory(t), plainHTTP(), members(session.RequireRecent(10*time.Minute, "/login")))
		wantSame(t, "a guest", outcomeOf(b.Get(t, "/secret")), outcome{303, "/login", "no-store", "session"})
		wantSame(t, "sign-in", b.Post(t, "/login", "").Header().Get("Location"), "/secret")
		do(t, b, addPoint)
		advance(10 * time.Minute)
		wantSame(t, "after ten minutes", body(t, b.Get(t, "/secret")), "hello 7")
		advance(time.Second)
		do(t, b, session.Renew)
		wantSame(t, "after more", outcomeOf(b.Get(t, "/secret?x=1")), outcome{303, "/login", "no-store", ""})
		wantSame(t, "POST", outcomeOf(b.Post(t, "/secret?y=1", "")), outcome{303, "/login", "no-store", ""})
		wantSame(t, "JSON", outcomeOf(b.Get(t, "/secret?z=1", trial.Header("Accept", wantsJSON))), outcome{401, "", "no-store", ""})
		do(t, b, func(ctx context.Context) { wantSame(t, "user, who is still signed in", session.UserID(ctx), "7") })
		wantSame(t, "sign-in again", b.Post(t, "/login", "").Header().Get("Location"), "/secret?x=1")
		wantSame(t, "after it", body(t, b.Get(t, "/secret?x=1")), "hello 7")
		do(t, b, func(ctx context.Context) { wantSame(t, "points", points.Get(ctx), 1) })
	})
}

// TestP12_RequireRecentTakesNobodysWordForAnother: a renewal does not make a
// sign-in recent, and another user's sign-in does not keep the first one's place.
func TestP12_RequireRecentTakesNobodysWordForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := browse(trial.Memory(t), plainHTTP(), members(session.RequireRecent(time.Minute, "/login")))
		do(t, b, signIn("8"))
		advance(time.Hour)
		wantSame(t, "GET", b.Get(t, "/secret/of/8").Code, http.StatusSeeOther)
		wantSame(t, "where the sign-in of another leads", b.Post(t, "/login", "").Header().Get("Location"), "/home")
		advance(time.Hour)
		b.Get(t, "/secret/of/7")
		do(t, b, signIn("8"))
		do(t, b, func(ctx context.Context) {
			wantSame(t, "where one user was going is nothing for the next", session.Intended(ctx, "/home"), "/home")
		})
	})
}

// TestP12_RequireRecentAmidARenewal answers like RequireUser: the straggler of a
// sign-in that is being renewed is asked for nothing.
func TestP12_RequireRecentAmidARenewal(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, plainHTTP(), members(session.RequireRecent(time.Hour, "/login")))
		do(t, b, signIn("7"))
		late := b.Fork()
		do(t, b, signIn("7"))
		wantSame(t, "GET", outcomeOf(late.Get(t, "/secret")), outcome{303, "/secret", "no-store", "session-retry"})
		wantSame(t, "GET again", outcomeOf(late.Get(t, "/secret")), outcome{409, "", "no-store", ""})
		wantSame(t, "POST", outcomeOf(late.Post(t, "/secret", "")), outcome{409, "", "no-store", ""})
	})
}
