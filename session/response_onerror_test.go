package session_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/session"
)

// Options.OnError writes the one response, with the header from before the
// handler; where it does not, session.Error does.
func TestP5_OnErrorWritesTheOneResponse(t *testing.T) {
	page := []string{"X-Page: sorry", textPlain, "Content-Length: 5", "Vary: Cookie"}
	fallback := []string{"X-Page: sorry", "Vary: Cookie"}
	cases := []struct {
		name    string
		onError func(w http.ResponseWriter)
		status  int
		body    string
		header  []string
	}{
		{"a page", func(w http.ResponseWriter) { w.WriteHeader(500); io.WriteString(w, "sorry") }, 500, "sorry", page},
		{"a page without a status", func(w http.ResponseWriter) { io.WriteString(w, "sorry") }, 200, "sorry", page},
		{"a status alone", func(w http.ResponseWriter) { w.WriteHeader(500) }, 500, "", []string{"X-Page: sorry", "Content-Length: 0", "Vary: Cookie"}},
		{"a redirect", func(w http.ResponseWriter) { w.Header().Set("Location", "/sorry"); w.WriteHeader(303) }, 303, "",
			[]string{"X-Page: sorry", "Location: /sorry", "Content-Length: 0", "Vary: Cookie"}},
		{"nothing", func(w http.ResponseWriter) {}, 0, "", fallback},
		{"early hints and nothing else", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }, 0, "", fallback},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				calls := 0
				onError := func(w http.ResponseWriter, r *http.Request, err error) {
					calls++
					if !errors.Is(err, errRefused) {
						t.Errorf("OnError got the error %v, want that of the store", err)
					}
					if _, there := w.Header()["X-Handler"]; there {
						t.Error("OnError got the handler's header")
					}
					w.Header().Set("X-Page", "sorry")
					c.onError(w)
				}
				s := g.start(t, site{options: session.Options{OnError: onError}, handler: func(w http.ResponseWriter, r *http.Request) {
					clutter(w.Header())
					shade.Set(r.Context(), "green")
					io.WriteString(w, "hello")
					persist(t, w)
				}})
				s.lever.breaks("swap", errRefused)
				a := s.get(t, "")
				if c.status == 0 {
					s.expectApology(t, a, "GET", sorryOutage, c.header...)
				} else {
					s.expect(t, a, c.status, c.body, headers(c.header...))
				}
				if calls != 1 {
					t.Errorf("OnError was called %d times, want once", calls)
				}
			})
		}
	})
}

// A page of OnError's own goes out with the cookie of an earlier commit, and is
// for no shared cache, whatever OnError says.
func TestP5_OnErrorsPageKeepsTheCookieOfAnEarlierCommit(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		for cacheControl, want := range map[string]string{"": "private", "public, max-age=60": "max-age=60, private"} {
			t.Run(cacheControl, func(t *testing.T) {
				onError := func(w http.ResponseWriter, _ *http.Request, _ error) {
					if cacheControl != "" {
						w.Header().Set("Cache-Control", cacheControl)
					}
					w.WriteHeader(500)
				}
				var s *running
				s = g.start(t, site{options: session.Options{OnError: onError}, handler: func(w http.ResponseWriter, r *http.Request) {
					session.Login(r.Context(), "ann")
					session.Commit(r.Context())
					s.lever.breaks("swap", errRefused)
					shade.Set(r.Context(), "never stored")
				}})
				a := s.get(t, s.visitor(t, "red"))
				s.expect(t, a, 500, "", headers("Content-Length: 0", "Vary: Cookie", "Cache-Control: "+want, "Set-Cookie: "+ourCookie))
				if got := s.stored(t, s.sessionCookie(a)); got != "ann red" {
					t.Errorf("the store has %q under the cookie that came with OnError's page, want ann red", got)
				}
			})
		}
	})
}

// An OnError that panics has no response to give. It must not look like one: an
// empty 200 would tell the client that all is well.
func TestP5_AnOnErrorThatPanicsIsNoSuccess(t *testing.T) {
	recovers := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					http.Error(w, "recovered", http.StatusInternalServerError)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
	write := func(w http.ResponseWriter, r *http.Request) {
		shade.Set(r.Context(), "green")
		io.WriteString(w, "hello")
	}
	writeNothing := func(_ http.ResponseWriter, r *http.Request) { shade.Set(r.Context(), "green") }

	onEachGround(t, func(t *testing.T, g ground) {
		run := func(t *testing.T, outside func(http.Handler) http.Handler, handler http.HandlerFunc) (*running, *reply) {
			onError := func(http.ResponseWriter, *http.Request, error) { panic("OnError has a bug") }
			s := g.start(t, site{options: session.Options{OnError: onError}, outside: outside, handler: handler})
			cookie := s.visitor(t, "red")
			s.lever.breaks("swap", errRefused)
			a := s.send(t, http.MethodGet, cookie)
			<-a.done
			s.lever.breaks("swap", nil)
			if got := s.stored(t, cookie); got != "red" {
				t.Errorf("the store has %q, want red", got)
			}
			return s, a
		}
		for name, handler := range map[string]http.HandlerFunc{"in Write": write, "at the end": writeNothing} {
			t.Run("nobody recovers/"+name, func(t *testing.T) {
				if _, a := run(t, nil, handler); a.err == nil {
					t.Errorf("the client got %d %q, want an aborted response", a.status, a.body)
				}
			})
			t.Run("a middleware outside recovers/"+name, func(t *testing.T) {
				_, a := run(t, recovers, handler)
				if a.wait(t); a.status != 500 || strings.Contains(a.body, "hello") {
					t.Errorf("the client got %d %q, want an error and nothing of the handler", a.status, a.body)
				}
			})
		}
		t.Run("a middleware inside recovers", func(t *testing.T) {
			_, a := run(t, nil, recovers(http.HandlerFunc(write)).ServeHTTP)
			if a.wait(t); a.status < 500 || strings.Contains(a.body, "hello") {
				t.Errorf("the client got %d %q, want an error and nothing of the handler", a.status, a.body)
			}
		})
	})
}

// Whatever happens to the response, the session is closed once the handler is gone.
func TestP5_ASessionIsSealedAlsoWhereOnErrorPanics(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		result := make(chan error)
		var s *running
		onError := func(http.ResponseWriter, *http.Request, error) { panic("OnError has a bug") }
		s = g.start(t, site{options: session.Options{OnError: onError}, handler: func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			shade.Set(ctx, "green")
			go func() {
				<-s.edge.returned
				s.lever.breaks("swap", nil)
				shade.Set(ctx, "late")
				result <- session.Commit(ctx)
			}()
		}})
		cookie := s.visitor(t, "red")
		s.lever.breaks("swap", errRefused)
		<-s.send(t, http.MethodGet, cookie).done
		if err := <-result; !errors.Is(err, session.ErrDone) {
			t.Errorf("a commit after the handler is gone returned %v, want ErrDone", err)
		}
		if got := s.stored(t, cookie); got != "red" {
			t.Errorf("the store has %q, want red", got)
		}
	})
}
