package check

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds what is waited for, on a busy machine.
const patience = 30 * time.Second

// Program is an example that runs as a process of its own.
type Program struct {
	URL     string
	process *exec.Cmd
	rest    chan string // what it prints after the first line, once it has ended
}

// Build builds the program in directory dir and returns its path.
func Build(t testing.TB, dir string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = dir
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return binary
}

// Start starts binary on a free port and waits until it accepts connections. It
// ends with the test.
func Start(t testing.TB, binary string, args ...string) *Program {
	t.Helper()
	process := exec.Command(binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	process.Stderr = t.Output()
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Process.Kill(); process.Wait() })
	r := bufio.NewReader(output)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not start: %v", err)
	}
	address, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if u, err := url.Parse(address); !ok || err != nil || u.Scheme != "http" || u.Port() == "0" {
		t.Fatalf("the program's first line is %q, want listening on http://HOST:PORT", line)
	}
	p := &Program{URL: address, process: process, rest: make(chan string, 1)}
	go func() {
		rest, _ := io.ReadAll(r)
		p.rest <- string(rest)
	}()
	return p
}

// Signal sends a signal.
func (p *Program) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.process.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Ended waits for the end, which must be a clean one.
func (p *Program) Ended(t testing.TB) {
	t.Helper()
	select {
	case rest := <-p.rest:
		if rest != "" {
			t.Errorf("the program printed more than one line: %q", rest)
		}
	case <-time.After(patience):
		t.Fatal("the program did not end")
	}
	if err := p.process.Wait(); err != nil {
		t.Errorf("the program ended with %v, want status 0", err)
	}
}

// EndsCleanly checks that the program in the current directory ends at signal,
// but not before it has answered a POST of form to path that is in flight.
func EndsCleanly(t *testing.T, signal syscall.Signal, path, form string) {
	p := Start(t, Build(t, "."))
	address := strings.TrimPrefix(p.URL, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", path, address, len(form))
	// The server sends this as soon as the handler reads the body.
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q (%v), want 100 Continue", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}

	p.Signal(t, signal)
	for begun := time.Now(); ; {
		other, err := net.Dial("tcp", address)
		if err != nil {
			break // it has begun to shut down
		}
		other.Close()
		if time.Since(begun) > patience {
			t.Fatal("the program still accepts connections")
		}
	}
	if _, err := io.WriteString(conn, form); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("the request in flight was not answered: %v", err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Errorf("the request in flight was answered %d, want 303", response.StatusCode)
	}
	p.Ended(t)
}
