package flash_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
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

// serveProcess serves half of a crowd over its own connections to a Redis, says
// where on standard output, and ends when standard input does.
func serveProcess(url, prefix string) error {
	s, err := redisstore.Open(url, redisstore.Options{Prefix: prefix})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	app := gate((readers+adders)/2, pages{"/add": addGated, "/take": takeAndEnd})
	server := &http.Server{Handler: session.New(s, patientOptions()).Handler(app)}
	go server.Serve(l)
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startProcess starts another process, on a Redis.
func startProcess(t *testing.T, redis, prefix string) (url string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverRedis+"="+redis, serverPrefix+"="+prefix)
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
	return "http://" + strings.TrimSpace(address)
}

func TestP4_64ReadersInTwoProcesses_NothingIsLostOrDoubled(t *testing.T) {
	redis, prefix := redistest.Shared(t).URL(), redistest.Prefix(t)
	urls := []string{startProcess(t, redis, prefix), startProcess(t, redis, prefix)}
	client := &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	cookie := ""
	get := func(i int, path string) (status int, body string) {
		r, err := http.NewRequest(http.MethodGet, urls[i/4%2]+path, nil)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		w, err := client.Do(r)
		if err != nil {
			return 0, "" // what a panic looks like from outside
		}
		defer w.Body.Close()
		text, err := io.ReadAll(w.Body)
		if err != nil {
			t.Error(err)
		}
		if cookie == "" {
			cookie, _, _ = strings.Cut(w.Header.Get("Set-Cookie"), ";")
		}
		return w.StatusCode, string(text)
	}
	var want []string
	for i := range waiting {
		text := fmt.Sprint("old", i)
		get(i, "/add?text="+text)
		want = append(want, text)
	}
	added, got, doubtful := crowd(get)
	if len(doubtful) > 0 {
		t.Errorf("could not add %v", doubtful)
	}
	_, pending := get(0, "/take?end=200")
	wantSameTexts(t, append(got, strings.Fields(pending)...), append(want, added...))
}
