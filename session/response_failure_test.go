package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// An apology is what session.Error answers.
type apology struct {
	status   int
	sentence string
}

var (
	sorryOutage   = apology{503, "The service is not available right now. Please try again in a moment."}
	sorryDoubtful = apology{503, "The service is not available right now. Please check whether your change was saved before you repeat it."}
	sorryEnded    = apology{409, "Your session has changed meanwhile, and nothing was saved. Please reload the page."}
	sorryBroken   = apology{500, "Something went wrong, and nothing was saved."}
)

// expectApology compares all of an error response. lines are what its header has
// besides; "Vary: Cookie" where the session was used.
func (s *running) expectApology(t *testing.T, a *reply, method string, want apology, lines ...string) {
	t.Helper()
	body := want.sentence + "\n"
	lines = append(lines, textPlain, "Content-Length: "+strconv.Itoa(len(body)), "Cache-Control: no-store", "X-Content-Type-Options: nosniff")
	if want == sorryOutage {
		lines = append(lines, "Retry-After: 2")
	}
	if method == http.MethodHead {
		body = ""
	}
	s.expect(t, a, want.status, body, headers(lines...))
}

// clutter is everything that a handler could say about a response which is not
// the one that the client gets.
func clutter(h http.Header) {
	maps.Copy(h, http.Header{
		"X-Handler":        {"was here"},
		"X-Frame-Options":  {"SAMEORIGIN"}, // the edge has said DENY
		"Set-Cookie":       {"theme=dark", "__Host-session=forged", "session=forged"},
		"Cache-Control":    {"public, max-age=3600"},
		"Content-Encoding": {"gzip"},
		"Content-Length":   {"99999"},
		"Content-Type":     {"text/html"},
		"Etag":             {`"v1"`},
		"Location":         {"/welcome"},
		"Trailer":          {"X-Checksum"},
		"Vary":             {"Accept-Language"},
		"X-Checksum":       {"42"},

		http.TrailerPrefix + "X-Signature": {"42"},
	})
}

func TestP5_AFailedCommitIsOneErrorResponseAndNothingElse(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		for _, start := range starts {
			for _, returning := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/returning=%t", start.name, returning), func(t *testing.T) {
					s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						clutter(w.Header())
						shade.Set(r.Context(), "green")
						start.run(t, w, r)
						persist(t, w)
					}})
					cookie := ""
					if returning {
						cookie = s.visitor(t, "red")
					}
					s.lever.breaks("swap", errRefused)
					a := s.send(t, start.method, cookie).wait(t)
					s.expectApology(t, a, start.method, sorryOutage, "Vary: Cookie")

					if out, _ := s.edge.seen(); !reflect.DeepEqual(out, []string{"WriteHeader 503", "Write", "return"}) {
						t.Errorf("%q came out of Satchel, want one error response", out)
					}
					if returning {
						if got := s.stored(t, cookie); got != "red" {
							t.Errorf("the store has %q, want red: the commit has failed", got)
						}
					}
				})
			}
		}
	})
}

// persist is a handler that does not take no for an answer: it goes on with its
// response after the client has got another.
func persist(t *testing.T, w http.ResponseWriter) {
	w.WriteHeader(http.StatusEarlyHints)
	w.WriteHeader(http.StatusTeapot)
	w.(http.Flusher).Flush()
	attempts := map[string]func() error{
		"Write":       func() error { _, err := w.Write([]byte("more")); return err },
		"WriteString": func() error { _, err := io.WriteString(w, "more"); return err },
		"ReadFrom":    func() error { _, err := io.Copy(w, strings.NewReader("more")); return err },
		"Flush":       func() error { return http.NewResponseController(w).Flush() },
		"Hijack":      func() error { return hijack(w) },
	}
	for name, attempt := range attempts {
		var failed *session.StoreError
		if err := attempt(); name != "Hijack" && !errors.As(err, &failed) || err == nil {
			t.Errorf("%s after the failure returned %v, want the error of the commit", name, err)
		}
	}
}

// What a handler puts into its header after the failure stays out as well, as a
// trailer, and where middleware outside copies the header later.
func TestP5_AHandlerThatGoesOnAfterTheFailureAddsNothing(t *testing.T) {
	outsides := map[string]func(http.Handler) http.Handler{
		"direct": nil,
		"behind http.TimeoutHandler": func(next http.Handler) http.Handler {
			return http.TimeoutHandler(next, 1<<62, "")
		},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for name, outside := range outsides {
			for _, grasp := range []string{"asks again", "kept the header"} {
				t.Run(name+"/"+grasp, func(t *testing.T) {
					s := g.start(t, site{outside: outside, handler: func(w http.ResponseWriter, r *http.Request) {
						h := w.Header()
						shade.Set(r.Context(), "green")
						io.WriteString(w, "hello")
						if grasp == "asks again" {
							h = w.Header()
						}
						clutter(h)
					}})
					s.lever.breaks("swap", errRefused)
					s.expectApology(t, s.get(t, ""), "GET", sorryOutage, "Vary: Cookie")
				})
			}
		}
	})
}

// Each kind of failure has its answer; see session.Error.
func TestP5_TheErrorResponseSaysWhatIsWrong(t *testing.T) {
	lost := errors.New("connection reset")
	cases := []struct {
		name    string
		handler func(s *running, r *http.Request)
		load    error
		want    apology
		lines   []string
	}{
		{
			name:    "the store refuses the commit",
			handler: func(s *running, r *http.Request) { s.lever.breaks("swap", errRefused) },
			want:    sorryOutage, lines: []string{"Vary: Cookie"},
		},
		{
			name: "nobody knows whether the commit happened",
			handler: func(s *running, r *http.Request) {
				s.lever.breaks("swap", lost)
				s.lever.breaks("find", lost)
			},
			want: sorryDoubtful, lines: []string{"Vary: Cookie"},
		},
		{
			name: "the session was ended meanwhile",
			handler: func(s *running, r *http.Request) {
				_, token, _ := strings.Cut(r.Header.Get("Cookie"), "=")
				s.past.Do(r.Context(), token, session.Logout)
			},
			want: sorryEnded, lines: []string{"Vary: Cookie"},
		},
		{
			name:    "too large",
			handler: func(s *running, r *http.Request) { shade.Set(r.Context(), strings.Repeat("x", 1<<11)) },
			want:    sorryBroken, lines: []string{"Vary: Cookie"},
		},
		{
			name:    "the store is down",
			load:    lost,
			handler: func(*running, *http.Request) { panic("there is no session to call the handler with") },
			want:    sorryOutage,
		},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				var s *running
				s = g.start(t, site{options: session.Options{MaxBytes: 1 << 10}, handler: func(w http.ResponseWriter, r *http.Request) {
					clutter(w.Header())
					shade.Set(r.Context(), "green")
					c.handler(s, r)
				}})
				cookie := s.visitor(t, "red")
				if c.load != nil {
					s.lever.breaks("find", c.load)
				}
				s.expectApology(t, s.get(t, cookie), "GET", c.want, c.lines...)
				if out, _ := s.edge.seen(); out[0] != fmt.Sprint("WriteHeader ", c.want.status) {
					t.Errorf("%q came out of Satchel, want one error response", out)
				}
			})
		}
	})
}

// A read-only outage calls the handler with an empty session, and leaves the
// visitor's cookie alone.
func TestP5_AReadOnlyOutageIsAnOrdinaryResponseUntilSomethingChanges(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		for _, changes := range []bool{false, true} {
			t.Run(fmt.Sprintf("changes=%t", changes), func(t *testing.T) {
				s := g.start(t, site{options: session.Options{Outage: session.ReadOnly}, handler: func(w http.ResponseWriter, r *http.Request) {
					var failed *session.StoreError
					if err := session.Err(r.Context()); !errors.As(err, &failed) {
						t.Errorf("session.Err is %v, want a *StoreError", err)
					}
					if changes {
						shade.Set(r.Context(), "green")
					}
					fmt.Fprintf(w, "color %q", shade.Get(r.Context()))
				}})
				cookie := s.visitor(t, "red")
				s.lever.breaks("find", store.ErrNotApplied)
				a := s.get(t, cookie)
				if changes {
					s.expectApology(t, a, "GET", sorryOutage, "Vary: Cookie")
				} else {
					s.expect(t, a, 200, `color ""`, headers(textPlain, "Content-Length: 8", "Vary: Cookie"))
				}
				if got := s.stored(t, cookie); got != "red" {
					t.Errorf("the store has %q after the sorryOutage, want red", got)
				}
			})
		}
	})
}

// Clients that want JSON get their apology in JSON.
func TestP5_TheErrorResponseIsInTheFormatThatTheClientAccepts(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		for accept, wantJSON := range map[string]bool{
			"":                                   false,
			"*/*":                                false,
			"text/html,application/json;q=0.9":   false,
			"application/json":                   true,
			"application/json, text/html;q=0.5":  true,
			"image/png, application/json; q=0.1": true,
		} {
			t.Run(accept, func(t *testing.T) {
				s := g.start(t, site{handler: func(_ http.ResponseWriter, r *http.Request) { shade.Set(r.Context(), "green") }})
				s.lever.breaks("swap", errRefused)
				a := s.get(t, "", func(r *http.Request) { r.Header.Set("Accept", accept) })
				if !wantJSON {
					s.expectApology(t, a, "GET", sorryOutage, "Vary: Cookie")
					return
				}
				body := `{"error":"` + sorryOutage.sentence + `"}` + "\n"
				s.expect(t, a, 503, body, headers("Content-Type: application/json", "Content-Length: "+strconv.Itoa(len(body)),
					"Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Retry-After: 2", "Vary: Cookie"))
			})
		}
	})
}

// What was committed before the failure is true, so its cookie goes out with the
// error response: the old one may have ended.
func TestP5_TheErrorResponseKeepsTheCookieOfAnEarlierCommit(t *testing.T) {
	earlier := map[string]struct {
		do     func(ctx context.Context)
		stored string
		cookie string
	}{
		"new session": {func(ctx context.Context) { shade.Set(ctx, "green") }, "green", ourCookie},
		"login":       {func(ctx context.Context) { session.Login(ctx, "ann") }, "ann red", ourCookie},
		"renewal":     {session.Renew, "red", ourCookie},
		"logout":      {func(ctx context.Context) { session.Logout(ctx) }, "", expiredCookie},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for name, c := range earlier {
			t.Run(name, func(t *testing.T) {
				var s *running
				s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
					clutter(w.Header())
					c.do(r.Context())
					if err := session.Commit(r.Context()); err != nil {
						t.Error(err)
					}
					s.lever.breaks("swap", errRefused)
					shade.Set(r.Context(), "never stored")
				}})
				cookie := ""
				if name != "new session" {
					cookie = s.visitor(t, "red")
				}
				a := s.get(t, cookie)
				s.lever.breaks("swap", nil)
				s.expectApology(t, a, "GET", sorryOutage, "Vary: Cookie", "Set-Cookie: "+c.cookie)
				if got := s.stored(t, s.sessionCookie(a)); got != c.stored {
					t.Errorf("the store has %q under the cookie that came with the error response, want %q", got, c.stored)
				}
			})
		}
	})
}
