package redistest_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
)

func dial(t *testing.T, addr string) redis.Conn {
	t.Helper()
	conn, err := redis.Dial("tcp", addr, redis.DialReadTimeout(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func do(t *testing.T, conn redis.Conn, command string, args ...any) any {
	t.Helper()
	reply, err := conn.Do(command, args...)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return reply
}

// await polls until servers have come to terms, of which they give no signal.
func await(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatal("nothing came of it")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestShared_IsOneServerWithAPrefixPerTest(t *testing.T) {
	a, b := redistest.Shared(t), redistest.Shared(t)
	if a.Addr() != b.Addr() {
		t.Errorf("two shared servers: %s and %s", a.Addr(), b.Addr())
	}
	if p := redistest.Prefix(t); p == redistest.Prefix(t) {
		t.Errorf("prefix %q was handed out twice", p)
	}
}

func TestServer_StopsKillsAndRestartsOnItsPort(t *testing.T) {
	s := redistest.Start(t)
	addr := s.Addr()
	for _, end := range []func(testing.TB){s.Stop, s.Kill} {
		do(t, dial(t, addr), "SET", "k", "v")
		end(t)
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Fatal("an ended server accepts connections")
		}
		s.Restart(t)
		if s.Addr() != addr {
			t.Fatalf("restarted on %s, want %s", s.Addr(), addr)
		}
		if got := do(t, dial(t, addr), "GET", "k"); got != nil {
			t.Errorf("a restarted server still has its data: %v", got)
		}
	}
}

func TestServer_FrozenAnswersOnceThawed(t *testing.T) {
	s := redistest.Start(t)
	conn := dial(t, s.Addr())
	do(t, conn, "PING")
	s.Freeze(t)
	if _, err := redis.DoWithTimeout(dial(t, s.Addr()), 50*time.Millisecond, "PING"); err == nil {
		t.Error("a frozen server answered")
	}
	s.Thaw(t)
	do(t, conn, "PING")
}

func TestServer_TakesArguments(t *testing.T) {
	s := redistest.Start(t, "--maxmemory", "5mb")
	got, err := redis.Strings(s.Do(t, "CONFIG", "GET", "maxmemory"), nil)
	if err != nil || len(got) != 2 || got[1] != strconv.Itoa(5<<20) {
		t.Errorf("maxmemory is %v (%v), want 5 MiB", got, err)
	}
}

// TestServer_DiesWithItsTestBinary starts this binary again, has that one start
// all kinds of servers, and kills it.
func TestServer_DiesWithItsTestBinary(t *testing.T) {
	if os.Getenv("REDISTEST_CHILD") != "" {
		servers := []*redistest.Server{redistest.Shared(t), redistest.Start(t), redistest.StartTLS(t, true).Server}
		servers = append(servers, redistest.StartCluster(t, 1, 0).Nodes()...)
		servers = append(servers, redistest.StartSentinel(t, 1, 0).Sentinels()...)
		for _, s := range servers {
			info := string(s.Do(t, "INFO", "server").([]byte))
			_, pid, _ := strings.Cut(info, "process_id:")
			pid, _, _ = strings.Cut(pid, "\r")
			fmt.Printf("server %s\n", pid)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	redistest.Shared(t)
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "REDISTEST_CHILD=1")
	output, err := child.Output()
	if err == nil {
		t.Fatal("the child survived its own kill")
	}
	var pids []int
	for line := range bytes.Lines(output) {
		var pid int
		if _, err := fmt.Sscanf(string(line), "server %d", &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	if len(pids) != 5 {
		t.Fatalf("the child started %d servers, want 5:\n%s", len(pids), output)
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range pids {
		for syscall.Kill(pid, 0) == nil && !zombie(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("server %d survived its test binary", pid)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// zombie reports whether pid has ended, and only waits for an init that is slow
// to reap, or for one that never does, as in some containers.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestProxy_CountsRoundTrips(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Shared(t).Addr())
	conn := dial(t, p.Addr())
	if n := p.Trips(); n != 0 {
		t.Errorf("connecting took %d round trips, want 0", n)
	}
	for range 3 {
		do(t, conn, "PING")
	}
	if n := p.Trips(); n != 3 {
		t.Errorf("3 commands took %d round trips", n)
	}
	// More than fits any one segment.
	key, value := redistest.Prefix(t), strings.Repeat("x", 1000)
	for range 300 {
		if err := conn.Send("SET", key, value); err != nil {
			t.Fatal(err)
		}
	}
	do(t, conn, "")
	if n := p.Trips(); n != 1 {
		t.Errorf("a pipeline of 300 commands took %d round trips, want 1", n)
	}
	do(t, conn, "EVAL", "return {1, {'a', false}, redis.status_reply('fine')}", 0)
	if n := p.Trips(); n != 1 {
		t.Errorf("a nested reply took %d round trips, want 1", n)
	}
}

func TestProxy_DropsTheReplyOfAnAppliedCommand(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Shared(t).Addr())
	key := redistest.Prefix(t)
	p.DropReply()
	if _, err := dial(t, p.Addr()).Do("SET", key, "v"); err == nil {
		t.Fatal("the reply was not dropped")
	}
	if got, err := redis.String(do(t, dial(t, p.Addr()), "GET", key), nil); got != "v" {
		t.Errorf("the command was not applied: %q, %v", got, err)
	}
}

func TestProxy_HoldsReplies(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Shared(t).Addr())
	conn := dial(t, p.Addr())
	gate := p.Hold()
	done := make(chan error, 1)
	go func() {
		_, err := conn.Do("PING")
		done <- err
	}()
	<-gate.Held
	select {
	case err := <-done:
		t.Fatalf("a held reply arrived (%v)", err)
	case <-time.After(20 * time.Millisecond):
	}
	gate.Release()
	if err := <-done; err != nil {
		t.Errorf("a released reply did not arrive: %v", err)
	}
}

func TestProxy_CutsConnections(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Shared(t).Addr())
	conn := dial(t, p.Addr())
	do(t, conn, "PING")
	if open, peak := p.Conns(); open != 1 || peak != 1 {
		t.Errorf("%d connections are open, %d were, want 1 and 1", open, peak)
	}
	p.Cut()
	if _, err := conn.Do("PING"); err == nil {
		t.Error("a connection that was cut still works")
	}
	do(t, dial(t, p.Addr()), "PING")
}
