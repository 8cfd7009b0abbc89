package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestP3_NoRenewalForAClientThatIsGone: it would end the old id, and nobody would
// get the new one. A change goes on; see TestP5_ACommitGoesOnWithoutTheClient.
func TestP3_NoRenewalForAClientThatIsGone(t *testing.T) {
	for name, do := range map[string]deed{
		"Renew": session.Renew,
		"Login": func(ctx context.Context) { session.Login(ctx, "7") },
	} {
		t.Run(name, func(t *testing.T) {
			trial.OnEachStore(t, func(t *testing.T, s store.Store) {
				b := visitor(t, s, plainHTTP(), full)
				lost := b.Fork()
				app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					leave, cancel := context.WithCancel(r.Context())
					session.New(s, plainHTTP()).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						do(r.Context())
						cancel()
					})).ServeHTTP(httptest.NewRecorder(), r.WithContext(leave))
				})
				through := trial.NewBrowser(app)
				for name, value := range lost.Cookies() {
					through.SetCookie(name, value)
				}
				through.Get(t, "/")
				wantSame(t, "what the visitor has", contentsOf(t, b), contents{"apple", 1, "red"})
				visitOK(t, b, addPoint)
			})
		})
	}
}

// TestP5_APanicWhileAChangeIsAppliedAgain is one before the first byte: the
// changes are dropped, and whoever recovers can begin a response of its own.
func TestP5_APanicWhileAChangeIsAppliedAgain(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := visitor(t, s, plainHTTP(), full)
		rival := b.Fork()
		runs := 0
		inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/panic" {
				return
			}
			points.Update(r.Context(), func(n *int) {
				if *n++; runs > 0 {
					panic("on what the other has stored")
				}
				runs++
			})
			visitOK(t, rival, addPoint)
			w.WriteHeader(http.StatusOK)
		})
		recovering := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					http.Error(w, "sorry", http.StatusInternalServerError)
				}
			}()
			inner(w, r)
		})
		through := browse(s, plainHTTP(), recovering)
		for name, value := range b.Cookies() {
			through.SetCookie(name, value)
		}
		if w := through.Get(t, "/panic"); w.Code != http.StatusInternalServerError {
			t.Errorf("status %d, %q; want the 500 of whoever recovered", w.Code, w.Body)
		}
		wantSame(t, "the session, with the rival's point alone", contentsOf(t, b), contents{"apple", 2, "red"})
	})
}
