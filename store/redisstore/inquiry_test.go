package redisstore_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
)

// Sentinels and servers behind a long way answer all the same, if late: connecting and
// signing in take more round trips than a server is given before the next one is asked.
func TestInquiry_SlowServersAreListenedTo(t *testing.T) {
	const late = 200 * time.Millisecond
	g := redistest.StartSentinel(t, 1, 0, "--requirepass", secretPassword)
	sentinel, master := redistest.NewProxy(t, g.Sentinels()[0].Addr()), redistest.NewProxy(t, g.Nodes()[0].Addr())
	host, port, err := net.SplitHostPort(master.Addr())
	if err != nil {
		t.Fatal(err)
	}
	g.Sentinels()[0].Do(t, "SENTINEL", "MONITOR", "far", host, port, 1)
	sentinel.Delay(late)
	master.Delay(late)
	s := open(t, fmt.Sprintf("redis+sentinel://:%s@%s/far/1", secretPassword, sentinel.Addr()), noOptions)
	if err := s.Ping(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
}

// silent is a server that accepts connections and never says a word. It returns its
// address, and a channel that receives when a connection was accepted and closed when
// its client left.
func silent(t *testing.T) (addr string, accepted, left chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	accepted, left = make(chan struct{}, 100), make(chan struct{}, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- struct{}{}
			go func() {
				defer conn.Close()
				for b := make([]byte, 100); err == nil; _, err = conn.Read(b) {
				}
				left <- struct{}{}
			}()
		}
	}()
	return listener.Addr().String(), accepted, left
}

// What goes on in the background ends with Close.
func TestInquiry_EndsWithClose(t *testing.T) {
	for name, url := range map[string]string{"sentinel": "redis+sentinel://%s/main", "cluster": "redis+cluster://%s"} {
		addr, accepted, left := silent(t)
		s := open(t, fmt.Sprintf(url, addr), noOptions)
		if err := s.Ping(within(t, 50*time.Millisecond)); err == nil {
			t.Fatalf("%s: a server that says nothing was taken for one", name)
		}
		began := time.Now()
		s.Close()
		if took := time.Since(began); took > slack {
			t.Errorf("%s: Close took %v", name, took)
		}
		select {
		case <-left: // and no other was begun meanwhile
		case <-time.After(time.Second):
			t.Errorf("%s: the connection is still open after Close", name)
		}
		if n := len(accepted); n != 1 {
			t.Errorf("%s: asked %d times, want once", name, n)
		}
		if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: after Close: %v, want an error that says so", name, err)
		}
		if n := len(accepted); n != 1 {
			t.Errorf("%s: asked after Close", name)
		}
	}
}

// A liar answers each command by what it is told to, in the protocol's own words, in
// which PORT is its own.
func liar(t *testing.T, answers map[string]string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if answer, ok := answers[lines.Text()]; ok {
						if answer == "" {
							return
						}
						fmt.Fprint(conn, strings.ReplaceAll(answer, "PORT", port))
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// Answers that make no sense end a call with an error, and nothing else.
func TestInquiry_AnswersThatMakeNoSense(t *testing.T) {
	named := func(role string) string {
		host, port, _ := net.SplitHostPort(liar(t, map[string]string{"ROLE": role}))
		return liar(t, map[string]string{"SENTINEL": fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)})
	}
	sentinel := func(answer string) string {
		return "redis+sentinel://" + liar(t, map[string]string{"SENTINEL": answer}) + "/main"
	}
	cluster := func(answer string) string { return "redis+cluster://" + liar(t, map[string]string{"CLUSTER": answer}) }
	const node = "*2\r\n$9\r\n127.0.0.1\r\n:1\r\n"
	for name, c := range map[string]struct{ url, says string }{
		"a role that is none":          {"redis+sentinel://" + named("*0\r\n") + "/main", "makes no sense"},
		"another role":                 {"redis+sentinel://" + named("*1\r\n$5\r\nslave\r\n") + "/main", "it is a replica"},
		"half a master":                {sentinel("*1\r\n$1\r\nh\r\n"), "malformed"},
		"a sentinel that hangs up":     {sentinel(""), "EOF"},
		"a layout that is none":        {cluster(":1\r\n"), "makes no sense"},
		"slots that don't exist":       {cluster("*1\r\n*3\r\n:0\r\n:16384\r\n" + node), "makes no sense"},
		"slots in reverse":             {cluster("*1\r\n*3\r\n:9\r\n:0\r\n" + node), "makes no sense"},
		"slots of nobody":              {cluster("*1\r\n*2\r\n:0\r\n:16383\r\n"), "makes no sense"},
		"a range that is none":         {cluster("*1\r\n*0\r\n"), "makes no sense"},
		"a node that is none":          {cluster("*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n"), "makes no sense"},
		"a cluster node that hangs up": {cluster(""), "EOF"},
	} {
		s := open(t, c.url, noOptions)
		for range 2 { // the second finds out whether anything is stuck
			err := s.Ping(within(t, time.Second))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "the server answered: EOF") {
				t.Errorf("%s: %v, want an error with %q", name, err, c.says)
			}
		}
	}
}
