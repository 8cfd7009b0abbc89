package session_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A start is a way in which a handler can begin its response.
type start struct {
	name   string
	method string // GET if empty
	run    func(t *testing.T, w http.ResponseWriter, r *http.Request) error

	status int
	body   string
	header []string // with a handler that sets none
}

const textPlain = "Content-Type: text/plain; charset=utf-8"

var starts = []start{
	{
		name:   "nothing at all",
		run:    func(*testing.T, http.ResponseWriter, *http.Request) error { return nil },
		status: 200, header: []string{"Content-Length: 0"},
	},
	{
		name: "Write",
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write([]byte("hello"))
			return err
		},
		status: 200, body: "hello", header: []string{textPlain, "Content-Length: 5"},
	},
	{
		name: "Write of nothing",
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write(nil)
			return err
		},
		status: 200, header: []string{"Content-Length: 0"},
	},
	{
		name: "WriteString",
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			_, err := io.WriteString(w, "hello")
			return err
		},
		status: 200, body: "hello", header: []string{textPlain, "Content-Length: 5"},
	},
	{
		name:   "WriteHeader 200",
		run:    func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(200); return nil },
		status: 200, header: []string{"Content-Length: 0"},
	},
	{
		name:   "WriteHeader 204",
		run:    func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(204); return nil },
		status: 204,
	},
	{
		name:   "WriteHeader 304",
		run:    func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(304); return nil },
		status: 304,
	},
	{
		name:   "WriteHeader 500",
		run:    func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(500); return nil },
		status: 500, header: []string{"Content-Length: 0"},
	},
	{
		name: "HEAD", method: http.MethodHead,
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write([]byte("hello"))
			return err
		},
		status: 200, header: []string{textPlain, "Content-Length: 5"},
	},
	{
		name: "103, then Write",
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusEarlyHints)
			_, err := w.Write([]byte("hello"))
			return err
		},
		status: 200, body: "hello", header: []string{textPlain, "Content-Length: 5"},
	},
	{
		name:   "Flusher",
		run:    func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error { w.(http.Flusher).Flush(); return nil },
		status: 200,
	},
	{
		name: "ResponseController.Flush",
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			return http.NewResponseController(w).Flush()
		},
		status: 200,
	},
	{
		name: "ReadFrom",
		run: func(_ *testing.T, w http.ResponseWriter, _ *http.Request) error {
			_, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello"))
			return err
		},
		status: 200, body: "hello", header: []string{textPlain, "Content-Length: 5"},
	},
	{
		name: "io.Copy from a file",
		run: func(t *testing.T, w http.ResponseWriter, _ *http.Request) error {
			f, err := os.Open(helloFile(t))
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(w, f)
			return err
		},
		status: 200, body: "hello", header: []string{textPlain, "Content-Length: 5"},
	},
	{
		name: "ServeContent",
		run: func(_ *testing.T, w http.ResponseWriter, r *http.Request) error {
			http.ServeContent(w, r, "hello.txt", time.Time{}, strings.NewReader("hello"))
			return nil
		},
		status: 200, body: "hello", header: []string{textPlain, "Content-Length: 5", "Accept-Ranges: bytes"},
	},
	{
		name: "Redirect",
		run: func(_ *testing.T, w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, "/next", http.StatusSeeOther)
			return nil
		},
		status: 303, body: "<a href=\"/next\">See Other</a>.\n\n",
		header: []string{"Content-Type: text/html; charset=utf-8", "Content-Length: 32", "Location: /next"},
	},
}

// helloFile returns the path of a file.
func helloFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "hello.txt")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Error(err)
	}
	return path
}

func TestP5_TheCommitComesBeforeTheFirstByte(t *testing.T) {
	visitors := map[string]struct {
		returns bool
		header  []string
	}{
		"new visitor":       {false, []string{"Vary: Cookie", "Set-Cookie: " + ourCookie, "Cache-Control: private"}},
		"returning visitor": {true, []string{"Vary: Cookie"}},
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for _, start := range starts {
			for name, visitor := range visitors {
				t.Run(start.name+"/"+name, func(t *testing.T) {
					s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						shade.Set(r.Context(), "green")
						if err := start.run(t, w, r); err != nil {
							t.Errorf("the handler got the error %v, want none", err)
						}
					}})
					cookie := ""
					if visitor.returns {
						cookie = s.visitor(t, "red")
					}

					swap := s.lever.hold("swap")
					a := s.send(t, start.method, cookie)
					select {
					case <-swap.entered:
					case <-a.done:
						t.Fatalf("the response came without a commit: %d %v", a.status, a.err)
					}
					if out, _ := s.edge.seen(); len(out) > 0 {
						t.Errorf("%q went out while the commit was under way, want nothing", out)
					}
					select {
					case <-a.done:
						t.Error("the client got a response while the commit was under way")
					default:
					}
					swap.open()
					a.wait(t)

					if out, before := s.edge.seen(); before != 1 {
						t.Errorf("%d commits came before %q, want 1", before, out)
					}
					s.expect(t, a, start.status, start.body, headers(append(start.header, visitor.header...)...))
					if !visitor.returns {
						cookie = s.sessionCookie(a)
					}
					if got := s.stored(t, cookie); got != "green" {
						t.Errorf("the store has %q under the visitor's cookie, want green", got)
					}
				})
			}
		}
	})
}

// Early hints go out at once and with the handler's header, since a browser is to
// fetch things while the handler is at work. They are not the response.
func TestP5_InformationalResponsesCommitNothing(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		hinted := make(chan struct{})
		s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			shade.Set(r.Context(), "green")
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusProcessing)
			<-hinted // by now the client has both
			io.WriteString(w, "hello")
		}})
		a := s.send(t, http.MethodGet, "")
		for range 2 {
			hint := <-a.hints
			want := headers("Link: </style.css>; rel=preload")
			delete(hint, "Date")
			if !reflect.DeepEqual(hint, want) {
				t.Errorf("an informational response has the header %v, want %v and nothing of the session", hint, want)
			}
		}
		if tried, _ := s.lever.swaps(); tried > 0 {
			t.Error("an informational response has committed the session; the handler is not done with it")
		}
		close(hinted)
		a.wait(t)
		s.expect(t, a, 200, "hello", headers(textPlain, "Content-Length: 5", "Link: </style.css>; rel=preload",
			"Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+ourCookie))
		if got := s.stored(t, s.sessionCookie(a)); got != "green" {
			t.Errorf("the store has %q, want green", got)
		}
	})
}

// Who could get hold of the writer below could begin a response without a commit.
func TestP5_ThereIsNoWayAroundTheCommit(t *testing.T) {
	_, get := rehearse(t, site{handler: func(w http.ResponseWriter, _ *http.Request) {
		if _, unwraps := w.(interface{ Unwrap() http.ResponseWriter }); unwraps {
			t.Error("the handler's writer unwraps to the one that does not commit")
		}
	}})
	get("")
}

// What a handler says about its connection is not the start of a response.
func TestP5_DeadlinesAndFullDuplexCommitNothing(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		var s *running
		s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			shade.Set(r.Context(), "green")
			c := http.NewResponseController(w)
			for call, err := range map[string]error{
				"SetReadDeadline":  c.SetReadDeadline(time.Now().Add(time.Hour)),
				"SetWriteDeadline": c.SetWriteDeadline(time.Now().Add(time.Hour)),
				"EnableFullDuplex": c.EnableFullDuplex(),
			} {
				if err != nil {
					t.Errorf("%s: %v", call, err)
				}
			}
			if tried, _ := s.lever.swaps(); tried > 0 {
				t.Error("the session was committed before the handler had begun its response")
			}
		}})
		a := s.get(t, "")
		s.expect(t, a, 200, "", headers("Content-Length: 0", "Vary: Cookie", "Cache-Control: private", "Set-Cookie: "+ourCookie))
	})
}

// A write deadline in the past reaches the connection through Satchel.
func TestP5_DeadlinesReachTheConnection(t *testing.T) {
	onEachGround(t, func(t *testing.T, g ground) {
		s := g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).SetWriteDeadline(time.Now().Add(-time.Hour))
			io.WriteString(w, strings.Repeat("x", 1<<20))
		}})
		a := s.send(t, http.MethodGet, "")
		<-a.done
		if a.err == nil {
			t.Error("the client got the whole response, although the time to write it had passed")
		}
	})
}
