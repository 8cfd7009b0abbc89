package session_test

import (
	"context"

	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

func logout(t *testing.T, b *trial.Browser) {
	t.Helper()
	visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
}

// signedIn gives a session an apple, one point and red, and user 7.
func signedIn(ctx context.Context) { full(ctx); session.Login(ctx, "7") }

// TestP2_LogoutIsFinal has a request under way, with the session loaded, while
// the visitor logs out. Whatever it then stores, it is refused.
func TestP2_LogoutIsFinal(t *testing.T) {
	nothing := func(context.Context) {}
	transact := func(do deed) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			return session.Transact(ctx, func(ctx context.Context) error { do(ctx); return nil })
		}
	}
	take := func(ctx context.Context) error {
		color.Set(ctx, "green") // or there might be nothing to take
		_, _, err := color.Take(ctx)
		return err
	}
	// What a request changes and leaves to its response to commit.
	changes := []struct {
		name string
		do   deed
	}{
		{"Set", func(ctx context.Context) { color.Set(ctx, "blue") }},
		{"Update", addPoint},
		{"Delete", func(ctx context.Context) { color.Delete(ctx) }},
		{"Clear", session.Clear},
		{"Renew", session.Renew},
		{"Login as the same", func(ctx context.Context) { session.Login(ctx, "7") }},
		{"Login as another", func(ctx context.Context) { session.Login(ctx, "8"); addPoint(ctx) }},
		{"Remember", func(ctx context.Context) { session.Remember(ctx, time.Hour) }},
		{"SetDeadline", func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(time.Hour)) }},
	}
	// What it commits by itself, after that.
	commits := []struct {
		name   string
		commit func(ctx context.Context) error
	}{
		{"with the response", nil},
		{"Commit", session.Commit},
		{"Transact", transact(addPoint)},
		{"Transact with Renew", transact(session.Renew)},
		{"Take", take},
		{"Reload", session.Reload},
	}
	try := func(t *testing.T, s store.Store, before, after deed, commit func(context.Context) error) {
		f := newFaulty(s)
		b := visitor(t, f, plainHTTP(), signedIn)
		old := b.Fork()
		slow := begin(t, b.Fork(), before, func(ctx context.Context) {
			after(ctx)
			if commit != nil {
				wantError(t, "the request's own commit", commit(ctx), session.ErrEnded)
				wantSame(t, "user after it", session.UserID(ctx), "")
				addPoint(ctx) // is refused, and so the response fails as well
			}
		})
		logout(t, b)
		wantSame(t, "cookies after the logout", len(b.Cookies()), 0)
		w := slow.finish()
		wantStatus(t, w, http.StatusConflict)
		wantNoCookie(t, w)
		wantEnded(t, old)
		if left := liveRecords(t, s, f.trace()); left != 1 {
			t.Errorf("%d records are left, want the marker alone", left)
		}
	}
	for _, change := range changes {
		for _, c := range commits {
			t.Run(change.name+", "+c.name, func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					try(t, s, change.do, nothing, c.commit)
					if c.name != "Reload" { // which would not let it get that far
						try(t, s, nil, change.do, c.commit)
					}
				})
			})
		}
	}
}

// TestP2_LogoutBetweenTheStepsOfARenewal finds the renewal's new record there
// and the old one not ended yet, or in between of carrying over.
func TestP2_LogoutBetweenTheStepsOfARenewal(t *testing.T) {
	for _, s := range steps {
		if !s.moves {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, sound store.Store) {
				f := newFaulty(sound)
				b := s.visitor(t, f)
				old, rival := b.Fork(), through(sound, plainHTTP(), b)
				f.on("swap", s.swap, preceded(func() { logout(t, rival) }))
				w := visit(t, b, s.do)
				f.wantSpent(t)
				wantStatus(t, w, http.StatusConflict)
				wantNoCookie(t, w)
				wantEnded(t, old)
				wantSame(t, "records that are left: the marker", liveRecords(t, sound, f.trace()), 1)
			})
		})
	}
}

// TestP2_LogoutAmongCommitters ends, and they do: each commit came before it, or
// is refused.
func TestP2_LogoutAmongCommitters(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, patient(), signedIn)
		old := b.Fork()
		var requests []*underway
		for range 20 {
			requests = append(requests, begin(t, b.Fork(), nil, addPoint))
		}
		requests = append(requests, begin(t, b, nil, func(ctx context.Context) {
			wantError(t, "Logout", session.Logout(ctx), nil)
		}))
		responses := finishAll(requests)
		for _, w := range responses[:20] {
			if w.Code != http.StatusOK && w.Code != http.StatusConflict {
				t.Errorf("status %d: %s; want 200 for a commit before the logout, 409 after it", w.Code, w.Body)
			}
			wantNoCookie(t, w)
		}
		wantStatus(t, responses[20], http.StatusOK)
		wantEnded(t, old)
	})
}

// TestP2_LogoutOutrunTwentyTimes has somebody commit before each try to end the
// session.
func TestP2_LogoutOutrunTwentyTimes(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		b := visitor(t, f, patient(), signedIn)
		old, rival := b.Fork(), through(s, plainHTTP(), b)
		for n := range 20 {
			f.on("swap", n+1, preceded(func() { visitOK(t, rival, addPoint) }))
		}
		logout(t, b)
		f.wantSpent(t)
		wantEnded(t, old)
	})
}

// TestP2_TwoLogoutsAtOnce both succeed, in whatever order their writes come.
func TestP2_TwoLogoutsAtOnce(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		f := newFaulty(s)
		b := visitor(t, f, plainHTTP(), signedIn)
		old, rival := b.Fork(), through(s, plainHTTP(), b)
		f.on("swap", 1, preceded(func() { logout(t, rival) }))
		logout(t, b)
		f.wantSpent(t)
		wantSame(t, "cookies of the one", len(b.Cookies()), 0)
		wantSame(t, "cookies of the other", len(rival.Cookies()), 0)
		wantEnded(t, old)
		late := old.Fork()
		visitOK(t, late, func(ctx context.Context) {
			wantError(t, "Logout of what has ended", session.Logout(ctx), nil)
			wantError(t, "Logout again", session.Logout(ctx), nil)
		})
	})
}

// TestP2_TouchDoesNotExtendAMarker, nor bring the session back: a request that
// only reads is about to extend the idle timeout when the visitor logs out.
func TestP2_TouchDoesNotExtendAMarker(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		short, long := plainHTTP(), plainHTTP()
		short.IdleTimeout, long.IdleTimeout = 2*time.Minute, time.Hour
		b := visitor(t, s, short, signedIn)
		f := newFaulty(s)
		reader, old := through(f, long, b), b.Fork()
		f.on("touch", 1, preceded(func() { logout(t, b) }))
		wantNoCookie(t, visitOK(t, reader, func(ctx context.Context) { points.Get(ctx) }))
		f.wantSpent(t)
		wantEnded(t, old)
		if left := lapse(t, s, old); left > time.Minute {
			t.Errorf("the marker lives %v, want a minute at most", left)
		}
		for range 3 { // and who reads an ended id does not extend it either
			visitOK(t, through(f, long, old), func(ctx context.Context) { points.Get(ctx) })
		}
		if got := fmt.Sprint(opNames(f.trace())); got != "[find touch find find find]" {
			t.Errorf("the operations were %s, want no touch of an ended id", got)
		}
	})
}

// TestP2_TouchExtends makes sure that the test above tests something.
func TestP2_TouchExtends(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		short, long := plainHTTP(), plainHTTP()
		short.IdleTimeout, long.IdleTimeout = 2*time.Minute, time.Hour
		b := visitor(t, s, short, signedIn)
		visitOK(t, through(s, long, b), func(ctx context.Context) { points.Get(ctx) })
		if left := lapse(t, s, b); left < 59*time.Minute {
			t.Errorf("the session lives %v, want an hour", left)
		}
	})
}
