// Package redistest runs tests against real Redis servers, started for them on
// the loopback interface, and against a network between that misbehaves on
// command.
//
// [Shared] is one server for all tests of a binary, each with a [Prefix] of its
// own. [Start] is a server of the test's own, to stop, freeze or fill up; so are
// [StartTLS] and [StartReplica]. [StartCluster] and [StartSentinel] are several
// that fail over. [NewProxy] counts round trips and loses, holds or cuts what
// passes.
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
	startAll(t, []*Server{s})
	return s
}

// Prefix returns a key prefix that no other test uses.
func Prefix(testing.TB) string { return "test:" + rand.Text() + ":" }

// need ends a test that can't have its servers.
func need(t testing.TB, err error) {
	t.Helper()
	var missing *exec.Error
	if err == nil {
		return
	}
	if !errors.Is(err, exec.ErrNotFound) || !errors.As(err, &missing) {
		t.Fatalf("redistest: %v", err)
	}
	// Debian's packages are named like their programs.
	howToInstall := "install it with: apt-get install " + missing.Name + ", brew install redis, or apk add redis"
	if os.Getenv("CI") == "true" {
		t.Fatalf("redistest: %s is not installed, and CI=true allows no skipping; %s", missing.Name, howToInstall)
	}
	t.Skipf("redistest: %s is not installed; %s", missing.Name, howToInstall)
}
