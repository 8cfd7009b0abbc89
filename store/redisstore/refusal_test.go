package redisstore_test

import (
	"context"
	"errors"
	"io"
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

// Which replies mean that nothing was written, and which ones that another server may
// have the data by now.
func TestRefusals_WhatTheyMean(t *testing.T) {
	for reply, want := range map[string]struct{ certain, moved bool }{
		"BUSY Redis is busy running a script.":                          {true, false},
		"CLUSTERDOWN The cluster is down":                               {true, true},
		"CROSSSLOT Keys in request don't hash to the same slot":         {true, false},
		"DENIED Redis is running in protected mode":                     {true, false},
		"LOADING Redis is loading the dataset in memory":                {true, true},
		"MASTERDOWN Link with MASTER is down":                           {true, true},
		"MISCONF Redis is configured to save RDB snapshots":             {true, false},
		"MOVED 1 127.0.0.1:1":                                           {true, false},
		"NOAUTH Authentication required.":                               {true, false},
		"NOPERM User u has no permissions to run the 'evalsha' command": {true, false},
		"NOREPLICAS Not enough good replicas to write.":                 {true, true},
		"OOM command not allowed when used memory > 'maxmemory'.":       {true, false},
		"READONLY You can't write against a read only replica.":         {true, true},
		"WRONGPASS invalid username-password pair":                      {true, false},
		"WRONGTYPE Operation against a key holding the wrong kind":      {true, false},
		"NOSCRIPT No matching script.":                                  {false, false},
		"ERR something else":                                            {false, false},
		"UNKNOWN of a later version":                                    {false, false},
		// The script may have written before.
		"ERR ACL failure in script: User u has no permissions":                      {false, false},
		"NOPERM ACL failure in script: User u has no permissions":                   {false, false},
		"NOPERM The user executing the script can't run this command or subcommand": {false, false},
	} {
		if got := redisstore.Refused(redis.Error(reply)); got != want.certain {
			t.Errorf("%s: certain is %t", reply, got)
		}
		if got := redisstore.MayHaveMoved(redis.Error(reply)); got != want.moved {
			t.Errorf("%s: may have moved is %t", reply, got)
		}
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{context.Canceled, false},
		{context.DeadlineExceeded, true},
		{io.EOF, true},
		{store.ErrUnconfirmed, true}, // by replicas, one of which may be the master by now
	} {
		if got := redisstore.MayHaveMoved(c.err); got != c.want {
			t.Errorf("%v: may have moved is %t", c.err, got)
		}
	}
}
