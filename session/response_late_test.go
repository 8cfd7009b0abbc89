package session_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/session"
)

// sendHeader begins a response, so that the client has its header.
func sendHeader(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	io.WriteString(w, "hello")
	if err := http.NewResponseController(w).Flush(); err != nil {
		t.Error(err)
	}
}

// sentHeader is the header of such a response.
func sentHeader(lines ...string) http.Header {
	return headers(append(lines, textPlain, "Vary: Cookie")...)
}

// What needs no cookie is saved when the handler returns.
func TestP5_AChangeAfterTheHeadersIsSavedAtTheEnd(t *testing.T) {
	changes := map[string]struct {
		change func(ctx context.Context)
		stored string
	}{
		"Set":    {func(ctx context.Context) { shade.Set(ctx, "green") }, "green"},
		"Update": {func(ctx context.Context) { shade.Update(ctx, func(c *string) { *c += "dish" }) }, "reddish"},
		"Delete": {shade.Delete, ""},
		"Clear":  {session.Clear, ""},
		"Transact": {func(ctx context.Context) {
			session.Transact(ctx, func(ctx context.Context) error { shade.Set(ctx, "green"); return nil })
		}, "green"},
		"Take":    {func(ctx context.Context) { shade.Take(ctx) }, ""},
		"Destroy": {func(ctx context.Context) { session.Destroy(ctx) }, ""},
		"Commit":  {func(ctx context.Context) { shade.Set(ctx, "green"); session.Commit(ctx) }, "green"},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for name, c := range changes {
			t.Run(name, func(t *testing.T) {
				s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					shade.Get(r.Context())
					sendHeader(t, w)
					c.change(r.Context())
					if err := session.Err(r.Context()); err != nil {
						t.Errorf("session.Err is %v, want nil", err)
					}
				}})
				cookie := s.visitor(t, "red")
				a := s.get(t, cookie)
				s.expect(t, a, 200, "hello", sentHeader())
				if got := s.stored(t, cookie); got != c.stored {
					t.Errorf("the store has %q, want %q", got, c.stored)
				}
				if lines := s.log.String(); lines != "" {
					t.Errorf("the log says %s, want nothing", lines)
				}
			})
		}
	})
}

// What needs a cookie can't be had any more. The handler is told, if it asks;
// the log in any case; and the visitor keeps the session that the browser knows.
func TestP5_AChangeThatNeedsACookieIsReportedAfterTheHeaders(t *testing.T) {
	changes := map[string]struct {
		newVisitor bool
		change     func(ctx context.Context)
	}{
		"a new session":   {true, func(ctx context.Context) { shade.Set(ctx, "green") }},
		"a new user":      {true, func(ctx context.Context) { session.Login(ctx, "ann") }},
		"Login":           {false, func(ctx context.Context) { session.Login(ctx, "ann") }},
		"Renew":           {false, session.Renew},
		"Remember":        {false, func(ctx context.Context) { session.Remember(ctx, 24*time.Hour) }},
		"SetDeadline":     {false, func(ctx context.Context) { session.SetDeadline(ctx, time.Now().Add(time.Hour)) }},
		"Login, then Set": {false, func(ctx context.Context) { session.Login(ctx, "ann"); shade.Set(ctx, "green") }},
		"Login in a Transact": {false, func(ctx context.Context) {
			err := session.Transact(ctx, func(ctx context.Context) error { session.Login(ctx, "ann"); return nil })
			if !errors.Is(err, session.ErrHeadersSent) {
				panic(err)
			}
		}},
	}
	asks := map[string]func(ctx context.Context) error{"Commit": session.Commit, "Err": session.Err, "not at all": nil}

	onEachGround(t, func(t *testing.T, g ground) {
		for name, c := range changes {
			for asking, ask := range asks {
				if strings.Contains(name, "Transact") && ask != nil {
					continue // Transact's own error says it
				}
				t.Run(name+"/asks "+asking, func(t *testing.T) {
					s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						shade.Get(r.Context())
						sendHeader(t, w)
						c.change(r.Context())
						if ask == nil {
							return
						}
						if err := ask(r.Context()); !errors.Is(err, session.ErrHeadersSent) {
							t.Errorf("session.%s returned %v, want ErrHeadersSent", asking, err)
						}
					}})
					cookie, stored := "", ""
					if !c.newVisitor {
						cookie, stored = s.visitor(t, "red"), "red"
					}
					a := s.get(t, cookie)
					s.expect(t, a, 200, "hello", sentHeader())
					if tried, _ := s.lever.swaps(); tried > 0 {
						t.Error("something was written that the browser has no cookie for")
					}
					if got := s.stored(t, cookie); got != stored {
						t.Errorf("the store has %q under the visitor's cookie, want %q", got, stored)
					}
					if lines := s.log.String(); !strings.Contains(lines, session.ErrHeadersSent.Error()) {
						t.Errorf("the log says %q, want that the change is lost", lines)
					}
				})
			}
		}
	})
}

// A failure at the end comes too late for the client, but not for the log.
func TestP5_ALateChangeThatCannotBeSavedIsLogged(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		var s *running
		s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			sendHeader(t, w)
			s.lever.breaks("swap", errRefused)
			shade.Set(r.Context(), "green")
		}})
		cookie := s.visitor(t, "red")
		s.expect(t, s.get(t, cookie), 200, "hello", headers(textPlain))
		if lines := s.log.String(); !strings.Contains(lines, errRefused.Error()) {
			t.Errorf("the log says %q, want the error of the store", lines)
		}
		if got := s.stored(t, cookie); got != "red" {
			t.Errorf("the store has %q, want red", got)
		}
	})
}

// A response that begins inside a Transact is too early for what the Transact does.
func TestP5_ALoginInATransactThatBeginsTheResponseIsReported(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			first := sync.OnceFunc(func() { sendHeader(t, w) })
			err := session.Transact(r.Context(), func(ctx context.Context) error {
				session.Login(ctx, "ann")
				first()
				return nil
			})
			if !errors.Is(err, session.ErrHeadersSent) {
				t.Errorf("Transact returned %v, want ErrHeadersSent", err)
			}
		}})
		cookie := s.visitor(t, "red")
		s.expect(t, s.get(t, cookie), 200, "hello", sentHeader())
		if got := s.stored(t, cookie); got != "red" {
			t.Errorf("the store has %q under the visitor's cookie, want red", got)
		}
	})
}

// While the response begins, another goroutine of the handler signs in. Either
// the cookie goes out, or the sign-in is refused; a sign-in whose cookie nobody
// gets would sign the visitor out.
func TestP5_ALoginThatRacesWithTheHeadersIsSentOrReported(t *testing.T) {
	commit := func(ctx context.Context) error { session.Login(ctx, "ann"); return session.Commit(ctx) }
	transact := func(ctx context.Context) error {
		return session.Transact(ctx, func(ctx context.Context) error { session.Login(ctx, "ann"); return nil })
	}
	cases := []struct {
		name   string
		signIn func(ctx context.Context) error
		begins string // the operation of the store after which the sign-in, or the response, begins
	}{
		{"Commit, after the response has committed", commit, "touch"},
		{"Transact, after the response has committed", transact, "touch"},
		{"Commit, before the response begins", commit, "swap"},
		{"Transact, before the response begins", transact, "swap"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var signedIn error
				var touch, swap *hold
				idle := session.Options{IdleTimeout: time.Hour} // so that there is a touch between the commit and the header
				s, get := rehearse(t, site{options: idle, handler: func(w http.ResponseWriter, r *http.Request) {
					var signIn sync.WaitGroup
					signIn.Go(func() {
						if c.begins == "touch" {
							<-touch.entered
						}
						signedIn = c.signIn(r.Context())
					})
					if c.begins == "swap" {
						<-swap.entered
					}
					io.WriteString(w, "hello")
					signIn.Wait()
				}})
				cookie := s.visitor(t, "red")
				advance(10 * time.Minute)

				touch, swap = s.lever.hold("touch"), s.lever.hold("swap")
				response := make(chan *http.Response)
				go func() { response <- get(cookie) }()
				synctest.Wait() // the sign-in is as far as it gets before the header
				touch.open()
				synctest.Wait() // and the header before the sign-in
				swap.open()

				if sent := (<-response).Cookies(); len(sent) > 0 {
					cookie = sent[0].Name + "=" + sent[0].Value
				}
				want := "ann red"
				if errors.Is(signedIn, session.ErrHeadersSent) {
					want = "red"
				} else if signedIn != nil {
					t.Errorf("the sign-in failed with %v, want ErrHeadersSent or nothing", signedIn)
				}
				if got := s.stored(t, cookie); got != want {
					t.Errorf("the sign-in ended with %v, and the store has %q under the browser's cookie, want %q", signedIn, got, want)
				}
			})
		})
	}
}
