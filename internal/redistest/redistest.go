// Package redistest runs tests against real Redis servers, started for them on
// the loopback interface, and against a network between that misbehaves on
// command.
//
// [Shared] is one server for all tests of a binary, each with a [Prefix] of its
// own. [Start] is a server of the test's own, to stop, freeze or fill up. [NewProxy]
// counts round trips and loses, holds or cuts what passes.
//
// No server survives its test binary, however that ends.
package redistest

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// shared starts the server that the tests of a binary share. Nobody stops it; it
// ends with the process, by its guard.
var shared = sync.OnceValues(func() (*Server, error) {
	s, err := newServer(nil)
	if err != nil {
		return nil, err
	}
	return s, s.start()
})

// Shared returns a server that all tests of this binary share. Tests leave it
// running and its configuration alone, and begin their keys with a [Prefix].
//
// Where redis-server isn't installed the test is skipped, or fails if the
// environment has CI=true.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	need(t, err)
	return s
}

// Start starts a server for this test alone, with args appended to redis-server's
// command line, and ends it with the test. See [Shared] for where there is none.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s, err := newServer(args)
	need(t, err)
	t.Cleanup(s.close)
	need(t, s.start())
	return s
}

// Prefix returns a key prefix that no other test uses.
func Prefix(testing.TB) string { return "test:" + rand.Text() + ":" }

func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case !errors.Is(err, exec.ErrNotFound):
		t.Fatalf("redistest: %v", err)
	case os.Getenv("CI") == "true":
		t.Fatal("redistest: redis-server is not installed, and CI=true allows no skipping; " + howToInstall)
	default:
		t.Skip("redistest: redis-server is not installed; " + howToInstall)
	}
}

const howToInstall = "install it with: apt-get install redis-server, brew install redis, or apk add redis"
