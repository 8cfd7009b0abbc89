package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// allowance is how much longer than its deadlines a request may take.
const allowance = 100 * time.Millisecond

var numbers = session.NewKey[[]int]("trial/numbers")

// A Crowd are visitors of an app on a real server, who collect numbers, sign in and
// sign out, whatever happens to the store. Each response is checked for how long it
// took, and that it leaves the visitor's cookie alone where it has to. [Crowd.Check]
// compares what visitors were told with what is stored.
type Crowd struct {
	Metronome *Metronome

	t        testing.TB
	o        session.Options
	server   *httptest.Server
	client   *http.Client
	visitors []visitor
	down     atomic.Bool
	number   atomic.Int64
	answers  [len(tally{})]atomic.Int64
	answered chan struct{} // receives when there is one and somebody waits
}

// A visitor takes a step: some requests, of which some at the same time.
type visitor interface {
	step()
	current() string // its cookie
	check(lossy bool)
}

// NewCrowd returns a crowd of size visitors, half of whom collect numbers while the
// others come and go. Each has a session already. It leaves with the test, or with Close.
func NewCrowd(t testing.TB, s store.Store, o session.Options, size int) *Crowd {
	t.Helper()
	c := &Crowd{Metronome: NewMetronome(t), t: t, o: o, answered: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/look", show)
	mux.HandleFunc("/add", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		numbers.Update(r.Context(), func(all *[]int) { *all = append(*all, n) })
	})
	mux.HandleFunc("/in", func(_ http.ResponseWriter, r *http.Request) { session.Login(r.Context(), r.FormValue("user")) })
	mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) {
		if err := session.Logout(r.Context()); err != nil {
			session.Error(w, r, err)
		}
	})
	c.server = httptest.NewServer(c.timed(session.New(s, o).Handler(mux)))
	c.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
	t.Cleanup(c.Close)
	for n := range size {
		if n%2 == 0 {
			v := &collector{crowd: c, user: fmt.Sprint("collector-", n), told: map[int]answer{}}
			for v.cookie == "" {
				v.add()
			}
			c.visitors = append(c.visitors, v)
		} else {
			v := &guest{crowd: c, user: fmt.Sprint("guest-", n)}
			for v.cookie == "" {
				v.step()
			}
			c.visitors = append(c.visitors, v)
		}
	}
	return c
}

// A seen is what /look shows.
type seen struct {
	Numbers []int
	User    string
	Outage  bool // the session was not available
}

func show(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var failed *session.StoreError
	s := seen{numbers.Get(ctx), session.UserID(ctx), errors.As(session.Err(ctx), &failed)}
	json.NewEncoder(w).Encode(s)
}

// Close ends the server when all requests are answered.
func (c *Crowd) Close() {
	c.server.Close()
	c.client.CloseIdleConnections()
	c.Metronome.Stop()
}

// Steps has the visitors take n steps in all, and returns what waits for them. Who is
// held up leaves the others more of them.
func (c *Crowd) Steps(n int) (wait func()) {
	var all sync.WaitGroup
	var taken atomic.Int64
	for _, v := range c.visitors {
		all.Go(func() {
			for taken.Add(1) <= int64(n) {
				v.step()
			}
		})
	}
	return all.Wait
}

// Await waits for n answers to changes of visitors who are on their way.
func (c *Crowd) Await(n int) {
	for range n {
		<-c.answered
	}
}

// Down says whether the store is out of order from now on. While it is, no response
// may touch a cookie, unless it is one that succeeded in signing in or out.
func (c *Crowd) Down(down bool) { c.down.Store(down) }

// Recover waits until every visitor is served again, and fails after limit.
func (c *Crowd) Recover(limit time.Duration) {
	c.t.Helper()
	began := time.Now()
	for _, v := range c.visitors {
		for {
			a, ok := c.look(v.current())
			if ok {
				break
			}
			if time.Since(began) > limit {
				c.t.Fatalf("service has not returned by itself after %v: %d %s", limit, a.status, a.body)
			}
			time.Sleep(time.Millisecond) // nobody signals that a server is back
		}
	}
}

// Check compares what the visitors were told with what is stored. Where the store
// lost its data, lossy, nothing may be there twice, but may be missing.
func (c *Crowd) Check(lossy bool) {
	c.t.Helper()
	for _, v := range c.visitors {
		v.check(lossy)
	}
}

// An answer is a response as the client got it.
type answer struct {
	status int
	body   string
	cookie *string // what it sets
}

func (a answer) unknown() bool {
	return a.status == http.StatusServiceUnavailable && strings.Contains(a.body, "check whether")
}

func (a answer) seen() (s seen) {
	json.Unmarshal([]byte(a.body), &s)
	return s
}

// timed checks that no request outlives its deadlines. It is the server that looks at
// the clock: what clients wait for besides is not the sessions' doing.
func (c *Crowd) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operations := time.Duration(2) // it loads, and it commits
		if r.URL.Path == "/look" {
			operations = 1
		}
		began, limit := time.Now(), operations*c.o.StoreTimeout
		next.ServeHTTP(w, r)
		took := time.Since(began)
		if took <= limit+allowance {
			return
		}
		if lost := c.Metronome.Lost(began.Add(limit)); took > limit+allowance+lost {
			c.t.Errorf("%s took %v, with %d operations of at most %v each; the machine was away for %v of it", r.URL.Path, took, operations, c.o.StoreTimeout, lost)
		}
	})
}

// request sends a request with a cookie, and checks what holds for every response.
func (c *Crowd) request(path, cookie string, query ...string) (a answer) {
	url := c.server.URL + path + "?" + strings.Join(query, "")
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		c.t.Error(err)
		return a
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	}
	wasDown := c.down.Load()
	w, err := c.client.Do(r)
	if err != nil {
		c.t.Errorf("%s: %v", path, err)
		return a
	}
	body, err := io.ReadAll(w.Body)
	w.Body.Close()
	if err != nil {
		c.t.Errorf("%s: %v", path, err)
	}
	a = answer{status: w.StatusCode, body: string(body)}
	for _, set := range w.Cookies() {
		a.cookie = &set.Value
	}
	if a.cookie != nil && (a.status != http.StatusOK || wasDown && c.down.Load() && path != "/in" && path != "/out") {
		c.t.Errorf("%s answers %d in an outage and sets a cookie", path, a.status)
	}
	switch a.status {
	case http.StatusOK, http.StatusConflict:
	case http.StatusServiceUnavailable:
		if after := w.Header.Get("Retry-After"); (after == "") != a.unknown() {
			c.t.Errorf("%s answers 503 %q with Retry-After %q; who repeats what is unknown may do it twice", path, a.body, after)
		}
	default:
		c.t.Errorf("%s answers %d: %s", path, a.status, a.body)
	}
	return a
}

// look shows a session, and reports whether it could be loaded.
func (c *Crowd) look(cookie string) (a answer, ok bool) {
	a = c.request("/look", cookie)
	if a.status == http.StatusOK && !a.seen().Outage {
		return a, true
	}
	c.answers[unreadable].Add(1)
	return a, false
}

func (c *Crowd) note(a answer) {
	select {
	case c.answered <- struct{}{}:
	default:
	}
	switch {
	case a.status == http.StatusOK:
		c.answers[made].Add(1)
	case a.unknown():
		c.answers[unknown].Add(1)
	case a.status == http.StatusServiceUnavailable:
		c.answers[failed].Add(1)
	} // and not a straggler, who can be refused at any time
}
