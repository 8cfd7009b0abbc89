package session_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// A caller speaks HTTP/1.1 over a socket of its own, for connections that turn
// into something else.
type caller struct {
	net.Conn
	in *bufio.Reader
}

// call connects and sends a GET with this cookie that asks for an upgrade.
func (s *running) call(t *testing.T, cookie string) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute)) // rather than for ever
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n")
	if cookie != "" {
		fmt.Fprintf(conn, "Cookie: %s\r\n", cookie)
	}
	fmt.Fprint(conn, "\r\n")
	return &caller{conn, bufio.NewReader(conn)}
}

// response reads a response, as running.expect wants it. That to an upgrade has no body.
func (c *caller) response(t *testing.T) *reply {
	t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &reply{status: res.StatusCode, header: res.Header}
	if a.status != http.StatusSwitchingProtocols {
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		a.body = string(b)
	}
	return a
}

// echo says something over a connection that was taken over, and hears it again.
func (c *caller) echo(t *testing.T, line string) {
	t.Helper()
	fmt.Fprintln(c, line)
	if got, err := c.in.ReadString('\n'); err != nil || got != line+"\n" {
		t.Errorf("the connection said %q (%v) after the upgrade, want %q", got, err, line)
	}
}

// hijack returns what Hijack does, for where it is to fail.
func hijack(w http.ResponseWriter) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
	return err
}

// serveEcho takes the connection over, and says when.
func serveEcho(t *testing.T, w http.ResponseWriter, taken func()) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Errorf("Hijack: %v", err)
		return
	}
	defer conn.Close()
	taken()
	line, err := rw.ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	rw.WriteString(line)
	rw.Flush()
}

// onHTTP1 is for what HTTP/2 does not have.
func onHTTP1(t *testing.T, test func(t *testing.T, g ground)) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) { test(t, ground{s, http1}) })
}

// A 101 is the whole of a response: the cookie goes with it, and the commit comes before.
func TestP5_AnUpgradeCommitsFirst(t *testing.T) {
	onHTTP1(t, func(t *testing.T, g ground) {
		for _, returning := range []bool{false, true} {
			t.Run(fmt.Sprintf("returning=%t", returning), func(t *testing.T) {
				s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					shade.Set(r.Context(), "green")
					w.Header().Set("Connection", "Upgrade")
					w.Header().Set("Upgrade", "echo")
					w.WriteHeader(http.StatusSwitchingProtocols)
					serveEcho(t, w, func() {})
					shade.Update(r.Context(), func(c *string) { *c += ", and changed since" })
				}})
				want, cookie := headers("Connection: Upgrade", "Upgrade: echo", "Vary: Cookie"), ""
				if returning {
					cookie = s.visitor(t, "red")
				} else {
					want["Set-Cookie"], want["Cache-Control"] = []string{ourCookie}, []string{"private"}
				}
				swap := s.lever.hold("swap")
				c := s.call(t, cookie)
				<-swap.entered
				if out, _ := s.edge.seen(); len(out) > 0 {
					t.Errorf("%q went out while the commit was under way, want nothing", out)
				}
				swap.open()
				a := c.response(t)
				s.expect(t, a, 101, "", want)
				if !returning {
					cookie = s.sessionCookie(a)
				}
				if got := s.stored(t, cookie); got != "green" {
					t.Errorf("the store has %q when the 101 is there, want green", got)
				}
				c.echo(t, "over to you")
				<-s.edge.returned
				if got := s.stored(t, cookie); got != "green, and changed since" {
					t.Errorf("the store has %q, want also what was changed after the upgrade", got)
				}
			})
		}
	})
}

func TestP5_AnUpgradeWhoseCommitFailsIsAnErrorResponse(t *testing.T) {
	onHTTP1(t, func(t *testing.T, g ground) {
		s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			clutter(w.Header())
			shade.Set(r.Context(), "green")
			w.WriteHeader(http.StatusSwitchingProtocols)
			persist(t, w)
		}})
		s.lever.breaks("swap", errRefused)
		s.expectApology(t, s.call(t, "").response(t), "GET", sorryOutage, "Vary: Cookie")
	})
}

// A connection that is taken over without a 101 can carry no header of ours. So
// there must be no need for one.
func TestP5_HijackCommitsFirst(t *testing.T) {
	cases := []struct {
		name      string
		returning bool
		handler   func(r *http.Request)
		stored    string
		commits   int
	}{
		{"new visitor, nothing changed", false, func(r *http.Request) { shade.Get(r.Context()) }, "", 0},
		{"returning visitor, nothing changed", true, func(r *http.Request) { shade.Get(r.Context()) }, "red", 0},
		{"returning visitor, changed", true, func(r *http.Request) { shade.Set(r.Context(), "green") }, "green", 1},
	}
	onHTTP1(t, func(t *testing.T, g ground) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				var s *running
				s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					c.handler(r)
					serveEcho(t, w, func() {
						if _, applied := s.lever.swaps(); applied != c.commits {
							t.Errorf("%d commits when the connection was taken over, want %d", applied, c.commits)
						}
					})
				}})
				cookie := ""
				if c.returning {
					cookie = s.visitor(t, "red")
				}
				s.call(t, cookie).echo(t, "hello")
				if got := s.stored(t, cookie); got != c.stored {
					t.Errorf("the store has %q, want %q", got, c.stored)
				}
			})
		}
	})
}

func TestP5_HijackFailsWithTheCommit(t *testing.T) {
	onHTTP1(t, func(t *testing.T, g ground) {
		s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			clutter(w.Header())
			shade.Set(r.Context(), "green")
			if err := hijack(w); !errors.Is(err, errRefused) {
				t.Errorf("Hijack returned %v, want the error of the commit", err)
			}
		}})
		cookie := s.visitor(t, "red")
		s.lever.breaks("swap", errRefused)
		s.expectApology(t, s.call(t, cookie).response(t), "GET", sorryOutage, "Vary: Cookie")
	})
}

// Where a cookie would be lost Hijack refuses, and nothing has happened yet: the
// handler can still answer, and the cookie goes with that.
func TestP5_HijackRefusesToLoseACookie(t *testing.T) {
	changes := map[string]func(r *http.Request){
		"a new session": func(r *http.Request) { shade.Set(r.Context(), "green") },
		"a login":       func(r *http.Request) { session.Login(r.Context(), "ann") },
		"a renewal":     func(r *http.Request) { session.Renew(r.Context()) },
		"remember":      func(r *http.Request) { session.Remember(r.Context(), time.Hour) },
		"a committed login": func(r *http.Request) {
			session.Login(r.Context(), "ann")
			session.Commit(r.Context())
		},
		"a logout": func(r *http.Request) { session.Logout(r.Context()) },
	}
	onHTTP1(t, func(t *testing.T, g ground) {
		for name, change := range changes {
			t.Run(name, func(t *testing.T) {
				var s *running
				s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					change(r)
					before, _ := s.lever.swaps()
					if err := hijack(w); !errors.Is(err, session.ErrHeadersSent) {
						t.Errorf("Hijack returned %v, want ErrHeadersSent", err)
					}
					if after, _ := s.lever.swaps(); after != before {
						t.Error("Hijack has committed before it refused")
					}
					http.Error(w, "no upgrade", http.StatusUpgradeRequired)
				}})
				cookie := ""
				if name != "a new session" {
					cookie = s.visitor(t, "red")
				}
				a := s.call(t, cookie).response(t)
				want := ourCookie
				if name == "a logout" {
					want = expiredCookie
				}
				s.expect(t, a, 426, "no upgrade\n", headers("Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+want,
					textPlain, "X-Content-Type-Options: nosniff", "Content-Length: 11"))
			})
		}
	})
}

// HTTP/2 has no connection to take over. Whoever tries gets the standard library's
// error and the chance of another response, with everything that belongs to one.
func TestP5_HijackOnHTTP2IsNotSupportedAndStartsNothing(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, st store.Store) {
		for _, pending := range []string{"", "a change", "a login"} {
			t.Run("pending "+pending, func(t *testing.T) {
				s := ground{st, http2}.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					switch pending {
					case "a change":
						shade.Set(r.Context(), "green")
					case "a login":
						session.Login(r.Context(), "ann")
					}
					if err := hijack(w); !errors.Is(err, http.ErrNotSupported) {
						t.Errorf("Hijack returned %v, want http.ErrNotSupported", err)
					}
					session.Login(r.Context(), "bob")
					io.WriteString(w, "without an upgrade")
				}})
				a := s.get(t, s.visitor(t, "red"))
				s.expect(t, a, 200, "without an upgrade", headers(textPlain, "Content-Length: 18",
					"Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+ourCookie))
				if got := s.stored(t, s.sessionCookie(a)); !strings.HasPrefix(got, "bob") {
					t.Errorf("the store has %q, want bob signed in: the response had not begun", got)
				}
			})
		}
	})
}
