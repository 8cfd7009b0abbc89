package session_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/session"
)

// compressed is middleware inside of Satchel that holds the writer which Satchel
// made, and writes once more when the handler has returned.
func compressed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Add("Vary", "Accept-Encoding")
		z := gzip.NewWriter(w)
		defer z.Close()
		next(&compressor{w, z}, r)
	}
}

type compressor struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (c *compressor) Write(b []byte) (int, error) { return c.z.Write(b) }

func TestP5_MiddlewareInsideThatCompresses(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		shade.Set(r.Context(), "green")
		io.WriteString(w, strings.Repeat("hello", 1<<10))
	}
	onEachGround(t, func(t *testing.T, g ground) {
		t.Run("commit", func(t *testing.T) {
			s := g.start(t, site{handler: compressed(handler)})
			a := s.get(t, "")
			z, err := gzip.NewReader(strings.NewReader(a.body))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(z); err != nil || len(b) != 5<<10 {
				t.Errorf("the body unpacks to %d bytes (%v), want %d", len(b), err, 5<<10)
			}
			s.expect(t, a, 200, a.body, headers("Content-Encoding: gzip", "Content-Length: "+a.header.Get("Content-Length"),
				"Vary: Accept-Encoding", "Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+ourCookie))
		})
		t.Run("failure", func(t *testing.T) {
			s := g.start(t, site{handler: compressed(handler)})
			s.lever.breaks("swap", errRefused)
			s.expectApology(t, s.get(t, ""), "GET", sorryOutage, "Vary: Cookie")
		})
	})
}

// http.TimeoutHandler keeps the whole response until the handler has returned.
func TestP5_BehindATimeoutHandler(t *testing.T) {
	outside := func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Hour, "too slow") }
	handler := func(w http.ResponseWriter, r *http.Request) {
		shade.Set(r.Context(), "green")
		io.WriteString(w, "hello")
	}
	onEachGround(t, func(t *testing.T, g ground) {
		t.Run("commit", func(t *testing.T) {
			s := g.start(t, site{outside: outside, handler: handler})
			a := s.get(t, "")
			s.expect(t, a, 200, "hello", headers(textPlain, "Content-Length: 5", "Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+ourCookie))
			if got := s.stored(t, s.sessionCookie(a)); got != "green" {
				t.Errorf("the store has %q, want green", got)
			}
		})
		t.Run("failure", func(t *testing.T) {
			s := g.start(t, site{outside: outside, handler: handler})
			s.lever.breaks("swap", errRefused)
			s.expectApology(t, s.get(t, ""), "GET", sorryOutage, "Vary: Cookie")
		})
	})
}

// A handler that http.TimeoutHandler has given up on goes on, but its request is over.
func TestP5_AHandlerThatTimedOutChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *running
		late := make(chan error, 1)
		slow := func(_ http.ResponseWriter, r *http.Request) {
			<-s.edge.returned
			shade.Set(r.Context(), "late")
			late <- session.Commit(r.Context())
		}
		inside := http.TimeoutHandler(http.HandlerFunc(slow), time.Second, "too slow")
		s, get := rehearse(t, site{handler: func(w http.ResponseWriter, r *http.Request) { inside.ServeHTTP(w, r) }})
		cookie := s.visitor(t, "red")
		res := get(cookie)
		if b, _ := io.ReadAll(res.Body); res.StatusCode != 503 || string(b) != "too slow" {
			t.Errorf("the client got %d %q, want what TimeoutHandler says", res.StatusCode, b)
		}
		if err := <-late; !errors.Is(err, session.ErrDone) {
			t.Errorf("the commit after the timeout returned %v, want ErrDone", err)
		}
		if got := s.stored(t, cookie); got != "red" {
			t.Errorf("the store has %q, want red", got)
		}
	})
}

// A body that is too long is the handler's business, and an ordinary response.
func TestP5_MaxBytesHandlerWorksOnBothSides(t *testing.T) {
	limit := func(next http.Handler) http.Handler { return http.MaxBytesHandler(next, 4) }
	read := func(w http.ResponseWriter, r *http.Request) {
		shade.Set(r.Context(), "green")
		var tooLarge *http.MaxBytesError
		if _, err := io.ReadAll(r.Body); !errors.As(err, &tooLarge) {
			panic(err)
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}
	sites := map[string]site{
		"outside": {outside: limit, handler: read},
		"inside":  {handler: limit(http.HandlerFunc(read)).ServeHTTP},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for side, site := range sites {
			t.Run(side, func(t *testing.T) {
				s := g.start(t, site)
				a := s.send(t, http.MethodPost, "", func(r *http.Request) {
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hello")), 5
				}).wait(t)
				delete(a.header, "Connection") // which HTTP/1.1 closes, the limit being outside
				s.expect(t, a, 413, "", headers("Content-Length: 0", "Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+ourCookie))
				if got := s.stored(t, s.sessionCookie(a)); got != "green" {
					t.Errorf("the store has %q, want green", got)
				}
			})
		}
	})
}

// A client that goes away in the middle of a commit does not interrupt it: what
// was to be stored is stored, rather than perhaps.
func TestP5_ACommitGoesOnWithoutTheClient(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		gone := make(chan struct{})
		s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			context.AfterFunc(r.Context(), func() { close(gone) })
			shade.Set(r.Context(), "green")
			io.WriteString(w, "hello")
		}})
		cookie := s.visitor(t, "red")
		swap := s.lever.hold("swap")
		ctx, leave := context.WithCancel(t.Context())
		s.send(t, http.MethodGet, cookie, func(r *http.Request) { *r = *r.WithContext(ctx) })
		<-swap.entered
		leave()
		<-gone // the server knows
		swap.open()
		<-s.edge.returned
		if got := s.stored(t, cookie); got != "green" {
			t.Errorf("the store has %q, want green", got)
		}
		if out, _ := s.edge.seen(); strings.Contains(strings.Join(out, " "), "503") {
			t.Errorf("%q came out, want the handler's response", out)
		}
	})
}
