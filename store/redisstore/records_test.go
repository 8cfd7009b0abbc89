package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

var noOptions redisstore.Options

// foreign is what others may have left under a record's key.
var foreign = []struct {
	name    string
	command string
	args    []any
}{
	{"empty string", "SET", []any{""}},
	{"short string", "SET", []any{"fifteen bytes.."}},
	{"zero version", "SET", []any{strings.Repeat("\x00", 16) + "data"}},
	{"list", "RPUSH", []any{"a", "b"}},
	{"hash", "HSET", []any{"a", "b"}},
}

func TestForeignValue_IsAnErrorAndNoPanic(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	for _, f := range foreign {
		t.Run(f.name, func(t *testing.T) {
			key := prefix + "session:" + f.name
			server.Do(t, f.command, append([]any{key}, f.args...)...)
			if _, err := s.Find(t.Context(), f.name); !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "something else") {
				t.Errorf("Find: %v, want ErrDamaged with what is wrong", err)
			}
			for _, prev := range []store.Version{{}, newRecord("").Version} {
				if err := s.Swap(t.Context(), f.name, prev, newRecord("x")); !errors.Is(err, store.ErrNotApplied) {
					t.Errorf("Swap: %v, want ErrNotApplied", err)
				}
			}
			if kind := server.Do(t, "TYPE", key); f.command == "SET" && kind != "string" {
				t.Errorf("the foreign value was replaced by a %v", kind)
			}
			if err := s.Delete(t.Context(), f.name); err != nil {
				t.Errorf("Delete: %v", err)
			}
			create(t, s, f.name, "x")
		})
	}
}

func TestRecordWithoutExpiry_IsReadAndGetsOneAgain(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	r := create(t, s, "id", "data")
	server.Do(t, "PERSIST", prefix+"session:id")
	if got := find(t, s, "id"); got.TTL < 24*time.Hour || time.Now().Add(got.TTL).Before(time.Now()) {
		t.Errorf("a record that never expires has %v left", got.TTL)
	}
	if err := s.Touch(t.Context(), "id", r.Version, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := find(t, s, "id"); got.TTL > time.Minute {
		t.Errorf("after a Touch to a minute it has %v left", got.TTL)
	}
}

func TestTTL_IsRoundedUpToAMillisecond(t *testing.T) {
	s := openShared(t)
	r := newRecord("data")
	r.TTL = 1
	if err := s.Swap(t.Context(), "id", store.Version{}, r); err != nil {
		t.Errorf("Swap for a nanosecond: %v", err)
	}
	r.TTL = 1<<63 - 1
	if err := s.Swap(t.Context(), "other", store.Version{}, r); err != nil {
		t.Errorf("Swap for ever: %v", err)
	}
	if got := find(t, s, "other"); got.TTL < r.TTL-time.Minute {
		t.Errorf("%v are left, want about %v", got.TTL, r.TTL)
	}
}

func TestKeys_AreUnderThePrefixAndNeverMeet(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), noOptions)
	b := open(t, server.URL()+"/1?prefix=b:", noOptions)
	for _, s := range []*redisstore.Store{a, b} {
		create(t, s, "x", "data")
		if err := s.Index(t.Context(), "x", "ref", "x", time.Hour); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Owned(t.Context(), "x"); err != nil || len(got) != 1 || string(got[0].Record.Data) != "data" {
			t.Errorf("Owned: %v, %v", got, err)
		}
	}
	for _, key := range []string{"satchel:session:x", "satchel:owner:x"} {
		if server.Do(t, "EXISTS", key) != int64(1) {
			t.Errorf("%s is not there", key)
		}
	}
	if n := server.Do(t, "DBSIZE"); n != int64(2) {
		t.Errorf("there are %v keys in database 0, want 2", n)
	}
}
