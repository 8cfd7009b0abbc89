package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func TestRefusals_AreCertain(t *testing.T) {
	for _, c := range []struct {
		name, says string
		args       []string
		prepare    func(t *testing.T, s *redistest.Server)
	}{
		{"out of memory", "OOM", []string{"--maxmemory", "1", "--maxmemory-policy", "noeviction"}, nil},
		{"replica", "READONLY", nil, func(t *testing.T, s *redistest.Server) {
			master := redistest.Start(t)
			host, port, _ := strings.Cut(master.Addr(), ":")
			s.Do(t, "REPLICAOF", host, port)
		}},
		{"password missing", "NOAUTH", []string{"--requirepass", secretPassword}, nil},
		{"no permission", "NOPERM", []string{"--user", "default", "on", "nopass", "~*", "+@all", "-@scripting", "-eval", "-evalsha"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := redistest.Start(t, c.args...)
			if c.prepare != nil {
				c.prepare(t, server)
			}
			s := open(t, server.URL(), noOptions)
			for name, err := range map[string]error{
				"Swap":  s.Swap(t.Context(), secretID, store.Version{}, newRecord(secretData)),
				"Index": s.Index(t.Context(), secretOwner, secretRef, secretID, time.Hour),
			} {
				if !errors.Is(err, store.ErrNotApplied) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v, want %s and ErrNotApplied", name, err, c.says)
				}
				discreet(t, err)
			}
		})
	}
}

func TestUnreachable_IsCertain(t *testing.T) {
	server := redistest.Start(t)
	server.Stop(t)
	s := open(t, server.URL(), noOptions)
	for _, m := range methods {
		err := m.call(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), server.Addr()) || !strings.Contains(err.Error(), strings.ToLower(m.name)) {
			t.Errorf("%s: %v, want an error that names the method and the address", m.name, err)
		}
		if errors.Is(err, store.ErrNotApplied) != m.writes {
			t.Errorf("%s: %v: ErrNotApplied is for what writes", m.name, err)
		}
	}
}

// Redis quotes the arguments of commands it doesn't know.
func TestUnknownCommand_IsNotQuoted(t *testing.T) {
	server := redistest.Start(t,
		"--rename-command", "EVALSHA", "", "--rename-command", "EVAL", "", "--rename-command", "DEL", "", "--rename-command", "HDEL", "")
	s := open(t, server.URL(), redisstore.Options{Prefix: secretPrefix})
	for _, m := range methods {
		err := m.call(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), "unknown command") {
			t.Errorf("%s: %v, want unknown command", m.name, err)
		}
		discreet(t, err)
	}
}

// As Redis 6.0.16 words them. Later servers say no more than what is behind the last
// colon.
func TestRefusals_OfOldServersAreRecognised(t *testing.T) {
	const within = "ERR Error running script (call to f_bd6f3018b28bbdb36260f19d3c44afed740db987): @user_script:1: "
	for reply, want := range map[string]string{
		within + "@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.":           "OOM",
		within + "@user_script: 12: -READONLY You can't write against a read only replica.":            "READONLY",
		within + "WRONGTYPE Operation against a key holding the wrong kind of value":                   "WRONGTYPE",
		within + "@user_script: 1: The user executing the script can't run this command or subcommand": "ERR",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":             "MASTERDOWN",
		"ERR unknown command":  "ERR",
		"Error running script": "",
	} {
		if got := redisstore.ReplyCode(redis.Error(reply)); got != want {
			t.Errorf("%s: code %q, want %q", reply, got, want)
		}
	}
}
