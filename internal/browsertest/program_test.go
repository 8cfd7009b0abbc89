package browsertest

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// build builds the example called name.
func build(t testing.TB, name string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", binary, "./examples/"+name)
	build.Dir = filepath.Join("..", "..")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return binary
}

// start starts binary and returns where it listens. stop ends it, and the test
// does too.
func start(t testing.TB, binary, addr string, args ...string) (url string, stop func()) {
	t.Helper()
	program := exec.Command(binary, append([]string{"-addr", addr}, args...)...)
	program.Stderr = t.Output()
	output, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		program.Process.Signal(syscall.SIGTERM) // fails if it has ended, which Wait tells
		if err := program.Wait(); err != nil {
			t.Errorf("%s: %v", binary, err)
		}
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not start: %v", binary, err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "listening on "), stop
}
