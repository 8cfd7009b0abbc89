package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// startTimeout bounds a start on a busy machine.
const startTimeout = 20 * time.Second

// Server is a redis-server process. Its methods are for one goroutine at a time.
type Server struct {
	binary string
	args   []string
	dir    string
	port   int // 0 until the first start

	process *exec.Cmd
	guard   *guard
	exited  chan struct{} // closed when process has ended
}

func newServer(args []string) (*Server, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		return nil, err
	}
	return &Server{binary: binary, args: args, dir: dir}, nil
}

// Addr returns the host:port where the server listens.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the server's address as a redis URL.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Do sends a command over a connection of its own and returns the reply, or
// fails the test.
func (s *Server) Do(t testing.TB, command string, args ...any) any {
	t.Helper()
	conn, err := redis.Dial("tcp", s.Addr(), redis.DialReadTimeout(startTimeout))
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	defer conn.Close()
	reply, err := conn.Do(command, args...)
	if err != nil {
		t.Fatalf("redistest: %s: %v", command, err)
	}
	return reply
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
// empty.
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
}

// Thaw lets a frozen server go on with what has arrived meanwhile.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGCONT)
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

// start starts the server, and tries other ports if somebody else was quicker
// to take the one it chose.
func (s *Server) start() error {
	port := s.port
	var err error
	for range 20 {
		if s.port == 0 {
			// Below what systems hand out by themselves, so that a restart finds
			// the port still free.
			port = 20000 + rand.IntN(12000)
		}
		if err = s.startOn(port); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err == nil {
		s.port = port
	}
	return err
}

var errPortTaken = errors.New("the port is taken")

func (s *Server) startOn(port int) error {
	process := exec.Command(s.binary, append([]string{
		"--bind", "127.0.0.1",
		"--port", strconv.Itoa(port),
		"--dir", s.dir,
		"--save", "",
		"--appendonly", "no",
		"--daemonize", "no",
	}, s.args...)...)
	output, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	process.Stderr = process.Stdout
	if err := process.Start(); err != nil {
		return err
	}
	guard, err := newGuard(process.Process.Pid, s.dir)
	if err != nil {
		process.Process.Kill()
		process.Wait()
		return err
	}
	ready, exited := make(chan struct{}), make(chan struct{})
	var log strings.Builder // until ready or exited is closed, the goroutine's
	go func() {
		defer close(exited)
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			log.WriteString(lines.Text() + "\n")
			// Only this server's own word is good enough: who answers on the port
			// may be somebody else.
			if strings.Contains(lines.Text(), "Ready to accept connections") {
				close(ready)
				break
			}
		}
		io.Copy(io.Discard, output)
		process.Wait()
	}()
	select {
	case <-ready:
		s.process, s.guard, s.exited = process, guard, exited
		return nil
	case <-exited:
		guard.dismiss()
		if strings.Contains(log.String(), "Address already in use") {
			return errPortTaken
		}
		return fmt.Errorf("redis-server did not start:\n%s", log.String())
	case <-time.After(startTimeout):
		guard.dismiss()
		process.Process.Kill()
		<-exited
		return fmt.Errorf("redis-server was not ready after %v:\n%s", startTimeout, log.String())
	}
}
