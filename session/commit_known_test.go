package session_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/session"
)

// TestP3_KnownFailure refuses each step of a commit. Nothing happened then, so
// nobody looks, the visitor keeps the session they had, and no record is left
// that nobody has the id of.
func TestP3_KnownFailure(t *testing.T) {
	onEachStep(t, func(t *testing.T, s step, f *faulty) {
		b := s.visitor(t, f)
		cookies := len(b.Cookies())
		f.on("swap", s.swap, refused)
		w := visit(t, b, s.do)
		f.wantSpent(t)
		wantStatus(t, w, http.StatusServiceUnavailable)
		wantNoCookie(t, w)
		ops := f.trace()
		looked := strings.Count(strings.Join(opNames(ops), " "), "find") >= s.look()
		if looked {
			t.Errorf("the operations were %v: it was known that nothing was written, and yet somebody looked", opNames(ops))
		}
		wantSame(t, "records that are left", liveRecords(t, f.sound, ops), cookies)
		wantSame(t, "the session", contentsOf(t, b), s.before())
		wantSame(t, "user", userOf(t, b), "")
		visitOK(t, b, s.do)
		wantSame(t, "the session, when the visitor tried again", contentsOf(t, b), s.after())
	})
}

// TestP3_KnownFailureOfCommit leaves the changes for the next commit.
func TestP3_KnownFailureOfCommit(t *testing.T) {
	onEachStep(t, func(t *testing.T, s step, f *faulty) {
		b := s.visitor(t, f)
		old := b.Fork()
		f.on("swap", s.swap, refused)
		w := visitOK(t, b, func(ctx context.Context) {
			s.do(ctx)
			wantStoreError(t, "Commit", session.Commit(ctx), false)
			wantSame(t, "what others see after a Commit that failed", contentsOf(t, old), s.before())
			color.Set(ctx, "blue")
		})
		f.wantSpent(t)
		after := s.after()
		after.color = "blue"
		wantSame(t, "the session after the response's commit", contentsOf(t, b), after)
		records, cookies := 1, 0
		if s.moves {
			records = 2 // with the marker
			wantEnded(t, old)
		}
		if s.moves || s.fresh {
			cookies = 1
		}
		wantSame(t, "cookies in the response", len(w.Header()["Set-Cookie"]), cookies)
		wantSame(t, "records that are left", liveRecords(t, f.sound, f.trace()), records)
	})
}

// TestP1_KnownFailureOfTransact drops fn's changes, and keeps the request's own.
func TestP1_KnownFailureOfTransact(t *testing.T) {
	onEachStep(t, func(t *testing.T, s step, f *faulty) {
		b := s.visitor(t, f)
		f.on("swap", s.swap, refused)
		visitOK(t, b, func(ctx context.Context) {
			color.Set(ctx, "blue")
			err := session.Transact(ctx, func(ctx context.Context) error { s.do(ctx); return nil })
			wantStoreError(t, "Transact", err, false)
			wantSame(t, "user", session.UserID(ctx), "")
		})
		f.wantSpent(t)
		after := s.before()
		after.color = "blue"
		wantSame(t, "the session", contentsOf(t, b), after)
		wantSame(t, "user", userOf(t, b), "")
	})
}

// TestP3_KnownFailureAndNoCleaningUp: when the half of a renewal that was made
// can't be removed either, the visitor still has what they had.
func TestP3_KnownFailureAndNoCleaningUp(t *testing.T) {
	onEachStep(t, func(t *testing.T, s step, f *faulty) {
		b := s.visitor(t, f)
		f.on("swap", s.swap, refused)
		f.on("delete", 0, refused)
		w := visit(t, b, s.do)
		wantStatus(t, w, http.StatusServiceUnavailable)
		wantNoCookie(t, w)
		wantSame(t, "the session", contentsOf(t, b), s.before())
	})
}
