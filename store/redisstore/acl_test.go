package redisstore_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

// documented returns the words of the command in docs/redis.md that begins so.
func documented(t *testing.T, begin string) []any {
	t.Helper()
	text, err := os.ReadFile("../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, begin) {
			var words []any
			for _, word := range strings.Fields(line) {
				words = append(words, word)
			}
			return words
		}
	}
	t.Fatalf("docs/redis.md has no line that begins with %q", begin)
	return nil
}

// everything calls each method in each way that runs other commands, and returns the
// first error that is about a permission.
func everything(s *redisstore.Store) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r := newRecord("data")
	var ended []error
	note := func(err error) { ended = append(ended, err) }
	for _, id := range []string{"one", "two"} {
		note(s.Swap(ctx, id, store.Version{}, r))
		note(s.Index(ctx, "owner", "ref", id, time.Hour))
		note(s.Index(ctx, "owner", "ref", id, time.Hour))
	}
	note(s.Swap(ctx, "one", newRecord("").Version, r))
	note(s.Swap(ctx, "one", r.Version, newRecord("next")))
	note(s.Touch(ctx, "two", r.Version, time.Hour))
	_, err := s.Owned(ctx, "owner")
	note(err)
	note(s.Unindex(ctx, "owner", "one"))
	note(s.Delete(ctx, "one"))
	note(s.Delete(ctx, "two"))
	note(s.Index(ctx, "owner", "ref", "brief", time.Millisecond))
	for { // until that entry is over, which Index and Owned then remove
		entries, err := s.Owned(ctx, "owner")
		note(err)
		if err != nil || !slices.ContainsFunc(entries, func(e store.Entry) bool { return e.ID == "brief" }) {
			break
		}
	}
	note(s.Ping(ctx))
	for _, err := range ended {
		if err != nil && strings.Contains(err.Error(), "lacks a permission") {
			return err
		}
	}
	return nil
}

// The permissions in the documentation are enough, and none is too many.
func TestACL_IsWhatTheDocumentationSays(t *testing.T) {
	rule := documented(t, "ACL SETUSER satchel ")
	server := redistest.Start(t)
	url := strings.Replace(server.URL(), "redis://", "redis://satchel:"+secretPassword+"@", 1)
	try := func(rule []any) error {
		server.Do(t, "FLUSHALL")
		server.Do(t, "ACL", "DELUSER", "satchel")
		server.Do(t, rule[0].(string), rule[1:]...)
		server.Do(t, "ACL", "SETUSER", "satchel", ">"+secretPassword)
		return everything(open(t, url, noOptions))
	}
	if err := try(rule); err != nil {
		t.Fatal(err)
	}
	for i, word := range rule {
		if command := word.(string); strings.HasPrefix(command, "+") {
			if err := try(slices.Delete(slices.Clone(rule), i, i+1)); err == nil {
				t.Errorf("%s is not needed", command)
			} else {
				discreet(t, err)
			}
		}
	}
}

// Sentinel, clusters and WaitReplicas need some more.
func TestACL_OfReplicationIsWhatTheDocumentationSays(t *testing.T) {
	const password = "password"
	// The servers use the default user among themselves.
	users := []string{"--requirepass", password, "--user", "satchel", "on", ">" + password}
	rule := append(documented(t, "ACL SETUSER satchel ")[3:], documented(t, "ACL SETUSER satchel +role")[3:]...)
	for _, word := range rule {
		users = append(users, word.(string))
	}
	for name, url := range map[string]string{
		"sentinel": redistest.StartSentinel(t, 1, 1, users...).URL(),
		"cluster":  redistest.StartCluster(t, 3, 1, users...).URL(),
	} {
		s := open(t, strings.Replace(url, "://", "://satchel:"+password+"@", 1)+"?wait_replicas=1", noOptions)
		again(t, func(ctx context.Context) error {
			err := write(ctx, s, name, "data")
			if err != nil && !errors.Is(err, store.ErrUnconfirmed) {
				t.Errorf("%s: %v", name, err)
				return nil
			}
			return err
		})
	}
}
