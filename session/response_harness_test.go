package session_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// shade is what the handlers of the response tests change.
var shade = session.NewKey[string]("response.shade")

// A ground is what a response test runs on: a store, and a protocol between a
// real server and a real client.
type ground struct {
	store    store.Store
	protocol string
}

const (
	http1 = "HTTP/1.1" // plain, with Options.Insecure
	http2 = "HTTP/2"   // over TLS, with the default options
)

func onEachGround(t *testing.T, test func(t *testing.T, g ground)) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for _, protocol := range []string{http1, http2} {
			t.Run(protocol, func(t *testing.T) { test(t, ground{s, protocol}) })
		}
	})
}

// A site is a server with a handler behind Satchel.
type site struct {
	handler http.HandlerFunc
	options session.Options
	outside func(http.Handler) http.Handler // middleware between the edge and Satchel
}

// A running site has an edge, which is middleware outside that knows what has
// left Satchel and when, and a lever on the commits.
type running struct {
	*httptest.Server
	sessions *session.Manager
	past     *session.Manager // of the same sessions, but not through the lever
	cookie   string           // its name
	lever    *lever
	edge     *edge
	log      *logged
}

// start starts the site.
func (g ground) start(t *testing.T, site site) *running {
	t.Helper()
	s, h := g.prepare(t, site)
	s.Server = httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if g.protocol == http1 {
		s.Start()
	} else {
		s.EnableHTTP2 = true
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	t.Cleanup(s.lever.release) // before Close, which waits for the handlers
	return s
}

// rehearse returns the site without a server, and a function that sends a GET
// and returns the recorded response. A bubble of synctest comes to rest only
// where there are no sockets.
func rehearse(t *testing.T, site site) (*running, func(cookie string) *http.Response) {
	s, h := ground{trial.Memory(t), http1}.prepare(t, site)
	return s, func(cookie string) *http.Response {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", cookie)
		h.ServeHTTP(w, r)
		return w.Result()
	}
}

func (g ground) prepare(t *testing.T, site site) (*running, http.Handler) {
	s := &running{lever: &lever{}, log: &logged{}}
	s.edge = &edge{lever: s.lever, returned: make(chan struct{})}
	o := site.options
	o.Insecure = g.protocol == http1
	o.StoreTimeout = 30 * time.Second // nothing here is to be decided by a clock
	o = s.log.to(o)
	s.sessions = session.New(trial.Intercept(g.store, s.lever.around), o)
	s.past = session.New(g.store, o)
	s.cookie = cmp.Or(o.Cookie.Name, "session")
	if !o.Insecure {
		s.cookie = "__Host-" + s.cookie
	}
	h := s.sessions.Handler(site.handler)
	if site.outside != nil {
		h = site.outside(h)
	}
	return s, s.edge.around(h)
}

// visitor returns the cookie of a new session with this color.
func (s *running) visitor(t *testing.T, c string) string {
	t.Helper()
	token, err := s.past.Do(t.Context(), "", func(ctx context.Context) error { shade.Set(ctx, c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return s.cookie + "=" + token
}

// stored returns the user and the color that are in the store under cookie, as
// in "ann red", or "" if there is no such session.
func (s *running) stored(t *testing.T, cookie string) (found string) {
	t.Helper()
	_, token, _ := strings.Cut(cookie, "=")
	_, err := s.past.Do(t.Context(), token, func(ctx context.Context) error {
		found = strings.TrimSpace(session.UserID(ctx) + " " + shade.Get(ctx))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A reply is what a client sees of a response, while it comes in.
type reply struct {
	hints  chan http.Header // of 1xx responses
	byte1  chan struct{}    // closed at the first byte of the response
	done   chan struct{}    // closed when there is all of it
	status int
	header http.Header
	body   string
	trail  http.Header
	err    error // why there is no response, or no end of it
}

// send begins a request. cookie is "" or what visitor returned.
func (s *running) send(t *testing.T, method, cookie string, edits ...func(*http.Request)) *reply {
	t.Helper()
	x := &reply{hints: make(chan http.Header, 9), byte1: make(chan struct{}), done: make(chan struct{})}
	trace := &httptrace.ClientTrace{
		GotFirstResponseByte: sync.OnceFunc(func() { close(x.byte1) }),
		Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
			x.hints <- http.Header(h)
			return nil
		},
	}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), method, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	for _, edit := range edits {
		edit(r)
	}
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport.(*http.Transport).DisableCompression = true
	go func() {
		defer close(x.done)
		res, err := client.Do(r)
		if err != nil {
			x.err = err
			return
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		x.status, x.header, x.body, x.trail, x.err = res.StatusCode, res.Header, string(b), res.Trailer, err
	}()
	return x
}

// get sends a GET and waits for the response.
func (s *running) get(t *testing.T, cookie string, edits ...func(*http.Request)) *reply {
	t.Helper()
	return s.send(t, http.MethodGet, cookie, edits...).wait(t)
}

func (x *reply) wait(t *testing.T) *reply {
	t.Helper()
	<-x.done
	if x.err != nil {
		t.Fatalf("the client got no whole response: %v", x.err)
	}
	return x
}

// sessionCookie returns the cookie of ours that came with the response, or "".
func (s *running) sessionCookie(x *reply) string {
	for _, line := range x.header["Set-Cookie"] {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == s.cookie {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

// What expect takes for a Set-Cookie line of ours; see response_cookie_test.go
// for what the lines are.
const (
	ourCookie     = "(the session's)"
	expiredCookie = "(the session's, expired)"
)

// expect compares all of a response. The header is a closed world: what is not
// in want is not to be there, except for a Date, which is.
func (s *running) expect(t *testing.T, x *reply, status int, body string, want http.Header) {
	t.Helper()
	if x.status != status {
		t.Errorf("status %d, want %d", x.status, status)
	}
	if x.body != body {
		t.Errorf("body %q, want %q", x.body, body)
	}
	got := x.header.Clone()
	if len(got["Date"]) != 1 {
		t.Errorf("Date is %q, want one", got["Date"])
	}
	delete(got, "Date")
	for i, line := range got["Set-Cookie"] {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == s.cookie {
			got["Set-Cookie"][i] = ourCookie
			if c.MaxAge < 0 {
				got["Set-Cookie"][i] = expiredCookie
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the response's header is not exactly as expected:\n got %s\nwant %s", shown(got), shown(want))
	}
	if len(x.trail) > 0 {
		t.Errorf("trailers %v, want none", x.trail)
	}
}

func shown(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "\n\t%s: %q", name, h[name])
	}
	return b.String()
}

// headers returns what each response has by way of the edge, and the given lines.
func headers(lines ...string) http.Header {
	h := http.Header{"X-Frame-Options": {"DENY"}}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h[name] = append(h[name], value)
	}
	return h
}
