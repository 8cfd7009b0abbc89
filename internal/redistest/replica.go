package redistest

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// StartReplica starts a read-only replica of a server, for this test alone, with
// args appended to redis-server's command line, and ends it with the test. It
// returns when the replica has the server's data. The server must not speak TLS.
func StartReplica(t testing.TB, of *Server, args ...string) *Server {
	t.Helper()
	s, err := newReplica(of, args)
	need(t, err)
	startAll(t, []*Server{s})
	await(t, "connected replica", func() error { return notReplicating(s, of) })
	return s
}

// newReplica returns a replica of a server that was started.
func newReplica(of *Server, args []string) (*Server, error) {
	own := []string{"--replicaof", "127.0.0.1", strconv.Itoa(of.port)}
	if password := of.password(); password != "" {
		own = append(own, "--masterauth", password)
	}
	return newServer(append(own, args...))
}

// AwaitReplicaOf waits until the server is a replica of another one and has what that
// one had.
func (s *Server) AwaitReplicaOf(t testing.TB, of *Server) {
	t.Helper()
	await(t, "replica of a new master", func() error { return notReplicating(s, of) })
}

// notReplicating returns an error unless s is a replica of of and has received what
// of wrote. To be connected is not enough: until the replica reports for the first
// time, after up to a second, its master sends it nothing.
func notReplicating(s, of *Server) error {
	// A message is replicated like a write, and leaves nothing behind.
	if _, err := of.do("PUBLISH", "redistest", ""); err != nil {
		return err
	}
	written, err := replicationOf(of)
	if err != nil {
		return err
	}
	info, err := replicationOf(s)
	if err != nil {
		return err
	}
	master := net.JoinHostPort(info["master_host"], info["master_port"])
	if info["role"] != "slave" || master != of.Addr() || info["master_link_status"] != "up" {
		return fmt.Errorf("%s is not connected to %s", s.Addr(), of.Addr())
	}
	have, want := offset(info["slave_repl_offset"]), offset(written["master_repl_offset"])
	if have < want {
		return fmt.Errorf("%s has %d of the %d bytes that %s replicates", s.Addr(), have, want, of.Addr())
	}
	return nil
}

// offset reads a number of bytes; -1 if there is none.
func offset(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func isMaster(s *Server) (bool, error) {
	info, err := replicationOf(s)
	return info["role"] == "master", err
}

// replicationOf returns the replication section of a server's INFO.
func replicationOf(s *Server) (map[string]string, error) {
	text, err := redis.String(s.do("INFO", "replication"))
	if err != nil {
		return nil, err
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		info[name] = value
	}
	return info, nil
}
