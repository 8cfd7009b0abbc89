package session_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/redisstore"
)

// The variables of the environment that make this test binary a server instead.
const (
	serverRedis  = "SATCHEL_TEST_REDIS"
	serverPrefix = "SATCHEL_TEST_PREFIX"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(serverRedis); url != "" {
		if err := serveProcess(url, os.Getenv(serverPrefix)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveProcess serves a shop over its own connections to a Redis, says where on
// standard output, and ends when standard input does.
func serveProcess(url, prefix string) error {
	s, err := redisstore.Open(url, redisstore.Options{Prefix: prefix})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(l, newShop(session.New(s, patient())))
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// A shop is what the processes serve. A request with ?wait has its session
// loaded, and waits until /release; /waiting?n= answers when so many do.
type shop struct {
	mu      sync.Mutex
	changed sync.Cond
	waiting int
	gate    chan struct{}
}

func newShop(m *session.Manager) http.Handler {
	s := &shop{gate: make(chan struct{})}
	s.changed.L = &s.mu
	mux := http.NewServeMux()
	mux.HandleFunc("/waiting", s.awaitWaiting)
	mux.HandleFunc("/release", s.release)
	mux.Handle("/", m.Handler(s.waits(shopping())))
	return mux
}

func (s *shop) waits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("wait") {
			s.mu.Lock()
			s.waiting++
			s.changed.Broadcast()
			gate := s.gate
			s.mu.Unlock()
			<-gate
		}
		next.ServeHTTP(w, r)
	})
}

func (s *shop) awaitWaiting(_ http.ResponseWriter, r *http.Request) {
	var n int
	fmt.Sscan(r.URL.Query().Get("n"), &n)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.waiting < n {
		s.changed.Wait()
	}
}

func (s *shop) release(http.ResponseWriter, *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = 0
	close(s.gate)
	s.gate = make(chan struct{})
}

func shopping() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/add", func(_ http.ResponseWriter, r *http.Request) { addItem(r.Context(), r.URL.Query().Get("item")) })
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) { session.Login(r.Context(), "7") })
	mux.HandleFunc("/renew", func(_ http.ResponseWriter, r *http.Request) { session.Renew(r.Context()) })
	mux.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		if err := session.Logout(r.Context()); err != nil {
			session.Error(w, r, err)
		}
	})
	mux.HandleFunc("/show", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s: %s", session.UserID(r.Context()), strings.Join(basket.Get(r.Context()), ","))
	})
	return mux
}

// A process is another one, with a shop.
type process struct{ url string }

// startProcesses starts two processes that share a Redis and nothing else.
func startProcesses(t *testing.T) (one, two process) {
	t.Helper()
	prefix := redistest.Prefix(t)
	start := func() process {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), serverRedis+"="+redistest.Shared(t).URL(), serverPrefix+"="+prefix)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
		address, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("the process did not say where it serves: %v", err)
		}
		return process{"http://" + strings.TrimSpace(address)}
	}
	return start(), start()
}

// answer is what came of a request to a process.
type answer struct {
	status int
	cookie string // that the response sets
	body   string
}

var processClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// get sends a request with a cookie, or without one if it is "".
func (p process) get(t *testing.T, cookie, path string) (a answer) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Error(err)
		return a
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w, err := processClient.Do(r)
	if err != nil {
		t.Error(err)
		return a
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Error(err)
	}
	a.status, a.body = w.StatusCode, string(body)
	a.cookie, _, _ = strings.Cut(w.Header.Get("Set-Cookie"), ";")
	return a
}

// begin sends a request that has loaded its session, and waits, when begin returns.
func (p process) begin(t *testing.T, cookie, path string) (finish func() answer) {
	t.Helper()
	done := make(chan answer, 1)
	go func() { done <- p.get(t, cookie, path) }()
	wantSame(t, "status of the barrier", p.get(t, "", "/waiting?n=1").status, http.StatusOK)
	return func() answer {
		p.get(t, "", "/release")
		return <-done
	}
}

func TestP1_TwoProcessesLoseNothing(t *testing.T) {
	one, two := startProcesses(t)
	cookie := one.get(t, "", "/add?item=apple").cookie
	want := []string{"apple"}
	var running sync.WaitGroup
	for i := range 50 {
		item := fmt.Sprintf("item%02d", i)
		want = append(want, item)
		running.Go(func() {
			a := []process{one, two}[i%2].get(t, cookie, "/add?wait&item="+item)
			wantSame(t, "status", a.status, http.StatusOK)
			wantSame(t, "the cookie that it sets", a.cookie, "")
		})
	}
	for _, p := range []process{one, two} {
		p.get(t, "", "/waiting?n=25")
	}
	for _, p := range []process{one, two} {
		p.get(t, "", "/release")
	}
	running.Wait()
	for _, p := range []process{one, two} {
		got := strings.Split(strings.TrimPrefix(p.get(t, cookie, "/show").body, ": "), ",")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d of 51 items are there, want each of them, once: %q", len(got), got)
		}
	}
}

func TestP2_LogoutInAnotherProcess(t *testing.T) {
	one, two := startProcesses(t)
	cookie := one.get(t, "", "/login").cookie
	wantSame(t, "user, in the other process", two.get(t, cookie, "/show").body, "7: ")
	for _, path := range []string{"/add?item=pear&wait", "/renew?wait", "/login?wait"} {
		finish := two.begin(t, cookie, path)
		wantSame(t, "status of the logout", one.get(t, cookie, "/logout").status, http.StatusOK)
		a := finish()
		wantSame(t, path+": status of what came too late", a.status, http.StatusConflict)
		wantSame(t, path+": the cookie that it sets", a.cookie, "")
		for _, p := range []process{one, two} {
			wantSame(t, path+": the session after the logout", p.get(t, cookie, "/show").body, ": ")
		}
		cookie = one.get(t, "", "/login").cookie
	}
}

func TestP3_RenewalInAnotherProcess(t *testing.T) {
	one, two := startProcesses(t)
	old := one.get(t, "", "/add?item=apple").cookie
	finish := two.begin(t, old, "/add?item=pear&wait")
	wantSame(t, "status", two.get(t, old, "/add?item=lime").status, http.StatusOK)
	renewed := one.get(t, old, "/login")
	wantSame(t, "status of the renewal", renewed.status, http.StatusOK)

	late := finish()
	wantSame(t, "status of the straggler", late.status, http.StatusConflict)
	wantSame(t, "the cookie that the straggler sets", late.cookie, "")
	for _, p := range []process{one, two} {
		wantSame(t, "the session under its new id", p.get(t, renewed.cookie, "/show").body, "7: apple,lime")
		a := p.get(t, old, "/show")
		wantSame(t, "the session under its old id", a.body, ": ")
		wantSame(t, "the cookie that goes with it", a.cookie, "")
	}
}

func TestP3_RenewalsInTwoProcesses(t *testing.T) {
	one, two := startProcesses(t)
	old := one.get(t, "", "/add?item=apple").cookie
	finishOne, finishTwo := one.begin(t, old, "/renew?wait"), two.begin(t, old, "/renew?wait")
	other := make(chan answer, 1)
	go func() { other <- finishTwo() }()
	answers := []answer{finishOne(), <-other}
	if answers[0].status != http.StatusOK {
		slices.Reverse(answers)
	}
	wantSame(t, "status of the winner", answers[0].status, http.StatusOK)
	wantSame(t, "status of the loser", answers[1].status, http.StatusConflict)
	wantSame(t, "the cookie that the loser sets", answers[1].cookie, "")
	for _, p := range []process{one, two} {
		wantSame(t, "the session", p.get(t, answers[0].cookie, "/show").body, ": apple")
	}
}
