package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startTimeout bounds a start on a busy machine.
const startTimeout = 20 * time.Second

// newServer returns a redis-server that was not started yet. It keeps no data,
// and brings a replica up to date without waiting for others that may come.
func newServer(args []string) (*Server, error) {
	s, err := newProgram("redis-server")
	if err != nil {
		return nil, err
	}
	s.ready = "Ready to accept connections"
	s.listen = func(port int) []string { return []string{"--port", strconv.Itoa(port)} }
	s.args = append([]string{
		"--save", "",
		"--appendonly", "no",
		"--rdb-del-sync-files", "yes", // a replica's, which it would load when restarted
		"--repl-diskless-sync-delay", "0",
	}, args...)
	if password := s.password(); password != "" {
		s.args = append(s.args, "--masterauth", password) // of the server that it may come to follow
	}
	return s, nil
}

// newProgram returns a server without a command line, and with a directory.
func newProgram(name string) (*Server, error) {
	program, err := exec.LookPath(name)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		return nil, err
	}
	return &Server{program: program, dir: dir}, nil
}

// startAll starts servers side by side and ends them with the test.
func startAll(t testing.TB, servers []*Server) {
	t.Helper()
	errs := make([]error, len(servers))
	var starting sync.WaitGroup
	for i, s := range servers {
		t.Cleanup(s.close)
		starting.Go(func() { errs[i] = s.start() })
	}
	starting.Wait()
	need(t, errors.Join(errs...))
}

// start starts the server and waits until it serves.
func (s *Server) start() error { return s.startUntil(s.ready) }

// startUntil starts the server, with args added to its own, and waits for a line
// of output with the text ready. It tries other ports if somebody else was
// quicker to take the one it chose.
func (s *Server) startUntil(ready string, args ...string) error {
	port := s.port
	var err error
	for range 20 {
		if s.port == 0 {
			// Below what systems hand out by themselves, so that a restart finds
			// the port still free. Even, as a node of a cluster takes the next one
			// too.
			port = 20000 + 2*rand.IntN(6000)
		}
		if err = s.startOn(port, ready, args); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return err
	}
	s.port = port
	if s.started != nil {
		return s.started(s)
	}
	return nil
}

var errPortTaken = errors.New("the port is taken")

func (s *Server) startOn(port int, line string, args []string) error {
	program := filepath.Base(s.program)
	process := exec.Command(s.program, slices.Concat(
		s.listen(port),
		[]string{"--bind", "127.0.0.1", "--dir", s.dir, "--daemonize", "no"},
		s.args,
		args,
	)...)
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
			if strings.Contains(lines.Text(), line) {
				close(ready)
				break
			}
		}
		io.Copy(io.Discard, output)
		process.Wait()
	}()
	select {
	case <-ready:
		s.process, s.guard, s.exited, s.frozen = process, guard, exited, false
		return nil
	case <-exited:
		guard.dismiss()
		if strings.Contains(log.String(), "Address already in use") {
			return errPortTaken
		}
		return fmt.Errorf("%s did not start:\n%s", program, log.String())
	case <-time.After(startTimeout):
		guard.dismiss()
		process.Process.Kill()
		<-exited
		return fmt.Errorf("%s was not ready after %v:\n%s", program, startTimeout, log.String())
	}
}
