package session_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/session"
)

// leavings are the ways to leave a handler without returning from it.
var leavings = map[string]func(){
	"panic":                    func() { panic("the handler has a bug") },
	"panic ErrAbortHandler":    func() { panic(http.ErrAbortHandler) },
	"panic by the runtime":     func() { none, i := []int{}, 1; none[i]++ },
	"the end of the goroutine": runtime.Goexit,
	"a panic that was recovered and raised again": func() {
		defer func() { panic(recover()) }()
		panic("the handler has a bug")
	},
}

func TestP5_APanicDropsPendingChanges(t *testing.T) {
	moments := []struct {
		name    string
		handler func(s *running, w http.ResponseWriter, r *http.Request)
		stored  string // under the cookie that the visitor came with
	}{
		{
			"before the first byte",
			func(_ *running, _ http.ResponseWriter, r *http.Request) { shade.Set(r.Context(), "dropped") },
			"red",
		},
		{
			"before the first byte, after a commit",
			func(_ *running, _ http.ResponseWriter, r *http.Request) {
				shade.Set(r.Context(), "committed")
				session.Commit(r.Context())
				shade.Set(r.Context(), "dropped")
			},
			"committed",
		},
		{
			"after the first byte",
			func(_ *running, w http.ResponseWriter, r *http.Request) {
				shade.Set(r.Context(), "with the response")
				io.WriteString(w, "hello")
				shade.Set(r.Context(), "dropped")
			},
			"with the response",
		},
		{
			"after the first byte was flushed",
			func(_ *running, w http.ResponseWriter, r *http.Request) {
				shade.Set(r.Context(), "with the response")
				io.WriteString(w, strings.Repeat("hello", 1<<12))
				http.NewResponseController(w).Flush()
				shade.Set(r.Context(), "dropped")
			},
			"with the response",
		},
		{
			"after a failure",
			func(s *running, w http.ResponseWriter, r *http.Request) {
				s.lever.breaks("swap", errRefused)
				shade.Set(r.Context(), "not stored")
				io.WriteString(w, "hello")
				s.lever.breaks("swap", nil)
				shade.Set(r.Context(), "dropped")
			},
			"red",
		},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, moment := range moments {
			for name, leave := range leavings {
				t.Run(moment.name+"/"+name, func(t *testing.T) {
					var s *running
					s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						moment.handler(s, w, r)
						leave()
					}})
					cookie := s.visitor(t, "red")
					a := s.send(t, http.MethodGet, cookie)
					<-s.edge.returned
					if <-a.done; a.err == nil {
						t.Errorf("the client got a whole response, %d %q, want an aborted one", a.status, a.body)
					}
					if got := s.stored(t, cookie); got != moment.stored {
						t.Errorf("the store has %q, want %q: a panic drops what is not committed, and nothing else", got, moment.stored)
					}
				})
			}
		}
	})
}

// A middleware outside that recovers writes a response of its own. It carries
// the cookie of what was committed, which may be the only one that still works.
func TestP5_ARecoveredPanicKeepsTheCookieOfAnEarlierCommit(t *testing.T) {
	cases := []struct {
		name    string
		handler func(ctx context.Context)
		cookie  string
		stored  string
	}{
		{"nothing committed", func(ctx context.Context) { shade.Set(ctx, "dropped"); session.Login(ctx, "eve") }, "", "red"},
		{"a change committed", func(ctx context.Context) {
			shade.Set(ctx, "green")
			session.Commit(ctx)
			session.Login(ctx, "eve")
		}, "", "green"},
		{"a login committed", func(ctx context.Context) {
			session.Login(ctx, "ann")
			session.Commit(ctx)
			shade.Set(ctx, "dropped")
		}, ourCookie, "ann red"},
		{"logged out", func(ctx context.Context) { session.Logout(ctx); shade.Set(ctx, "dropped") }, expiredCookie, ""},
	}
	recovers := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				v := recover()
				w.WriteHeader(http.StatusInternalServerError)
				fmt.Fprint(w, v)
			}()
			next.ServeHTTP(w, r)
		})
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := g.start(t, site{outside: recovers, handler: func(_ http.ResponseWriter, r *http.Request) {
					c.handler(r.Context())
					panic("oh no")
				}})
				cookie := s.visitor(t, "red")
				a := s.get(t, cookie)
				lines := []string{textPlain, "Content-Length: 5", "Vary: Cookie"}
				if c.cookie != "" {
					lines = append(lines, "Set-Cookie: "+c.cookie, "Cache-Control: private")
					cookie = s.sessionCookie(a)
				}
				s.expect(t, a, 500, "oh no", headers(lines...))
				if got := s.stored(t, cookie); got != c.stored {
					t.Errorf("the store has %q under the cookie that the visitor has now, want %q", got, c.stored)
				}
			})
		}
	})
}
