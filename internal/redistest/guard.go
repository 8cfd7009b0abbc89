package redistest

import (
	"io"
	"os/exec"
	"strconv"
)

// guard ends a server when this process ends, also by a panic, os.Exit or
// SIGKILL. It is a process of its own that waits for the end of a pipe, which
// the kernel closes in all these cases.
type guard struct {
	process *exec.Cmd
	pipe    io.Closer
}

// newGuard guards the process pid and the directory dir.
func newGuard(pid int, dir string) (*guard, error) {
	process := exec.Command("/bin/sh", "-c", `read -r _; kill -9 "$1"; rm -rf "$2"`, "guard", strconv.Itoa(pid), dir)
	pipe, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &guard{process, pipe}, process.Start()
}

// dismiss must come before the server's end, after which its pid may be another
// process's.
func (g *guard) dismiss() {
	g.process.Process.Kill() // fails if it was dismissed before
	g.process.Wait()
	g.pipe.Close()
}
