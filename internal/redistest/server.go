package redistest

import (
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// Server is a redis-server or redis-sentinel process. Its methods are for one
// goroutine at a time.
type Server struct {
	program string                  // its path
	listen  func(port int) []string // the first arguments
	args    []string                // the last ones
	ready   string                  // part of the line that it prints once it serves
	started func(*Server) error     // called after each start, unless nil
	tls     *tls.Config             // nil without TLS
	dir     string
	port    int // 0 until the first start

	process *exec.Cmd
	guard   *guard
	exited  chan struct{} // closed when process has ended
	frozen  bool

	ballast string // what the keys begin with that take long to load, or ""
}

// Addr returns the host:port where the server listens.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the server's address as a redis URL, or as a rediss URL if the
// server speaks TLS, without a password.
func (s *Server) URL() string {
	if s.tls != nil {
		return "rediss://" + s.Addr()
	}
	return "redis://" + s.Addr()
}

// Do sends a command over a connection of its own and returns the reply, or
// fails the test. It gives the password of --requirepass and speaks TLS where
// the server asks for it.
func (s *Server) Do(t testing.TB, command string, args ...any) any {
	t.Helper()
	reply, err := s.do(command, args...)
	if err != nil {
		t.Fatalf("redistest: %s: %v", command, err)
	}
	return reply
}

func (s *Server) do(command string, args ...any) (any, error) {
	options := []redis.DialOption{redis.DialReadTimeout(startTimeout), redis.DialPassword(s.password())}
	if s.tls != nil {
		options = append(options, redis.DialUseTLS(true), redis.DialTLSConfig(s.tls))
	}
	conn, err := redis.Dial("tcp", s.Addr(), options...)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Do(command, args...)
}

// password returns what --requirepass asks for, or "".
func (s *Server) password() string {
	if i := slices.Index(s.args, "--requirepass"); i >= 0 && i+1 < len(s.args) {
		return s.args[i+1]
	}
	return ""
}

// answers reports whether the server is neither ended nor frozen.
func (s *Server) answers() bool {
	if s.process == nil || s.frozen {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// Stop ends the server in an orderly way and waits until it has ended.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.end(t, syscall.SIGTERM)
}

// Kill ends the server without notice and waits until it has ended.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.end(t, syscall.SIGKILL)
}

// Restart starts a server that was stopped or killed again, on the same port and
// empty. A node of a cluster still knows its cluster, and a sentinel its master.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	need(t, s.start())
}

// Freeze halts the server: it keeps its connections, and the kernel accepts more
// for it, but nothing is answered. A frozen server still ends with its test.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
	// Until it has stopped, it may answer one more time.
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.process.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("redistest: the server did not stop: %v", err)
	}
	s.frozen = true
}

// Thaw lets a frozen server go on with what has arrived meanwhile.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGCONT)
	s.frozen = false
}

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(sig); err != nil {
		t.Fatalf("redistest: %v: %v", sig, err)
	}
}

func (s *Server) end(t testing.TB, sig syscall.Signal) {
	t.Helper()
	s.guard.dismiss()
	s.signal(t, sig)
	select {
	case <-s.exited:
	case <-time.After(startTimeout):
		t.Fatalf("redistest: the server survived %v", sig)
	}
}

// close ends the server for good, whatever state it is in.
func (s *Server) close() {
	if s.process != nil {
		s.guard.dismiss()
		s.process.Process.Kill() // fails if it has ended, which is as good
		<-s.exited
	}
	os.RemoveAll(s.dir)
}
