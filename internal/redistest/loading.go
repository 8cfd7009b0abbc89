package redistest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	ballastKeys = 6000
	ballastSize = 1100                  // bytes a key, more than loadingStep
	ballastFile = "dump.rdb"            // in the server's directory
	loadDelay   = 10 * time.Millisecond // a key
	loadingStep = 1024                  // bytes between two looks at clients, the least there is
)

// RestartLoading kills a server that works and starts it again on the same port,
// with the data that it had and much to load. It returns when the server answers
// with LOADING, which it then does for a minute, or until [Server.FinishLoading].
// It needs Redis 7.0, and a server that isn't a replica.
//
// A node of a cluster refuses commands with keys as CLUSTERDOWN meanwhile, since
// it doesn't look at its cluster, and only others with LOADING.
func (s *Server) RestartLoading(t testing.TB) {
	t.Helper()
	s.addBallast(t)
	s.Do(t, "CONFIG", "SET", "rdbcompression", "no")
	s.Do(t, "SAVE")
	s.Kill(t)
	need(t, s.startUntil("Loading RDB",
		"--key-load-delay", strconv.FormatInt(loadDelay.Microseconds(), 10),
		"--loading-process-events-interval-bytes", strconv.Itoa(loadingStep),
	))
	await(t, "LOADING", func() error {
		_, err := s.do("PING")
		switch {
		case isLoading(err):
			return nil
		case err == nil:
			err = errors.New("the server answers")
		}
		return err
	})
	// The server has it open. Another start is to find nothing.
	if err := os.Remove(filepath.Join(s.dir, ballastFile)); err != nil {
		t.Fatalf("redistest: %v", err)
	}
}

// FinishLoading lets a server load the rest at full speed and waits until it
// serves, with the data that it had before [Server.RestartLoading]. A node of a
// cluster that lost its slots meanwhile has the data of its new master instead,
// when it has followed it.
func (s *Server) FinishLoading(t testing.TB) {
	t.Helper()
	s.Do(t, "CONFIG", "SET", "key-load-delay", 0)
	await(t, "end of loading", func() error {
		const empty = `for i = 1, ARGV[1] do redis.call('UNLINK', KEYS[1] .. i) end`
		_, err := s.do("EVAL", empty, 1, s.ballast, ballastKeys)
		if refersElsewhere(err) {
			return nil
		}
		return err
	})
}

// addBallast fills a server with keys that begin with s.ballast, which it
// chooses to be the server's to keep, if that is a node of a cluster.
func (s *Server) addBallast(t testing.TB) {
	t.Helper()
	const fill = `for i = 1, ARGV[1] do redis.call('SET', KEYS[1] .. i, string.rep('x', ARGV[2])) end`
	for i := range slotCount {
		s.ballast = fmt.Sprintf("{ballast %d}", i)
		_, err := s.do("EVAL", fill, 1, s.ballast, ballastKeys, ballastSize)
		if err == nil {
			return
		}
		if !refersElsewhere(err) {
			t.Fatalf("redistest: %v", err)
		}
	}
	t.Fatal("redistest: the server has no slots")
}

func isLoading(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "LOADING ") }

// refersElsewhere reports whether a key is another node's.
func refersElsewhere(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "MOVED ") }
