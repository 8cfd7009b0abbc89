package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store/redisstore"
)

// entry returns the index's value for an entry of the given age.
func entry(ref string, age, ttl time.Duration) string {
	created := time.Now().Add(-age)
	return fmt.Sprintf("%d %d %s", created.UnixMilli(), created.Add(ttl).UnixMilli(), ref)
}

func ids(t *testing.T, s *redisstore.Store, owner string) map[string]bool {
	t.Helper()
	entries, err := s.Owned(t.Context(), owner)
	if err != nil {
		t.Fatalf("Owned: %v", err)
	}
	all := map[string]bool{}
	for _, e := range entries {
		all[e.ID] = e.Record.Version != [16]byte{}
	}
	return all
}

func TestOwned_RemovesDeadEntriesAfterAMinute(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	p := redistest.NewProxy(t, server.Addr())
	s := open(t, p.URL(), redisstore.Options{Prefix: prefix})
	key := prefix + "owner:o"
	server.Do(t, "HSET", key,
		"young", entry("r", 55*time.Second, time.Hour),
		"old", entry("r", 65*time.Second, time.Hour),
		"old and live", entry("a ref with spaces", 65*time.Second, time.Hour),
		"expired", entry("r", 2*time.Hour, time.Hour),
		"garbage", "garbage")
	create(t, s, "old and live", "data")

	p.Trips()
	got := ids(t, s, "o")
	if n := p.Trips(); n > 3+2 { // two scripts may have to be loaded
		t.Errorf("%d round trips, want 3 at most", n)
	}
	want := map[string]bool{"young": false, "old and live": true}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Owned returned %v, want %v", got, want)
	}
	// What has expired is left to the next Index.
	if err := s.Index(t.Context(), "o", "r", "new", time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := server.Do(t, "HLEN", key); n != int64(3) {
		t.Errorf("%v entries are left in the index, want 3", n)
	}
	entries, _ := s.Owned(t.Context(), "o")
	for _, e := range entries {
		if e.ID == "old and live" && e.Ref != "a ref with spaces" {
			t.Errorf("ref %q", e.Ref)
		}
	}
}

// To list is to read, also where there is something to clean up.
func TestOwned_OfAServerThatTakesNoWrites(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), noOptions)
	server.Do(t, "HSET", redisstore.DefaultPrefix+"owner:o",
		"old and live", entry("r", 65*time.Second, time.Hour),
		"dead", entry("r", 65*time.Second, time.Hour),
		"expired", entry("r", 2*time.Hour, time.Hour))
	create(t, s, "old and live", "data")
	server.Do(t, "CONFIG", "SET", "min-replicas-to-write", "1")
	if got := ids(t, s, "o"); len(got) != 1 || !got["old and live"] {
		t.Errorf("Owned returned %v, want the one that is live", got)
	}
}

// The entry is indexed again after Owned found it dead and before it removes it.
func TestOwned_KeepsAnEntryThatIsIndexedMeanwhile(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	p := redistest.NewProxy(t, server.Addr())
	s := open(t, p.URL(), redisstore.Options{Prefix: prefix})
	direct := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	server.Do(t, "HSET", prefix+"owner:o", "id", entry("r", 65*time.Second, time.Hour))

	gate := p.Hold()
	done := make(chan error, 1)
	go func() {
		_, err := s.Owned(t.Context(), "o")
		done <- err
	}()
	<-gate.Held // it has the list by now, and will find no record
	if err := direct.Index(t.Context(), "o", "r", "id", time.Hour); err != nil {
		t.Fatal(err)
	}
	gate.Release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := ids(t, direct, "o"); len(got) != 1 {
		t.Error("an entry that was indexed again was removed")
	}
}

func TestOwned_CountsForeignValuesAsNoRecord(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	create(t, s, "good", "data")
	want := map[string]bool{"good": true}
	for _, f := range foreign {
		server.Do(t, f.command, append([]any{prefix + "session:" + f.name}, f.args...)...)
		want[f.name] = false
	}
	for id := range want {
		if err := s.Index(t.Context(), "o", "r", id, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got := ids(t, s, "o"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Owned returned %v, want %v", got, want)
	}
}

func TestIndex_LivesAsLongAsItsLastEntry(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	index := func(id string, ttl, want time.Duration) {
		t.Helper()
		if err := s.Index(t.Context(), "o", "r", id, ttl); err != nil {
			t.Fatal(err)
		}
		left := time.Duration(server.Do(t, "PTTL", prefix+"owner:o").(int64)) * time.Millisecond
		if left > want || left < want-time.Minute {
			t.Errorf("with an entry for %v the index has %v left, want %v", ttl, left, want)
		}
	}
	index("a", time.Hour, time.Hour)
	index("b", 3*time.Hour, 3*time.Hour)
	index("c", time.Hour, 3*time.Hour)
	index("b", 2*time.Hour, 3*time.Hour) // replaced, but never shortened
}

func TestIndex_DropsExpiredEntries(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	server.Do(t, "HSET", prefix+"owner:o", "expired", entry("r", 2*time.Hour, time.Hour), "garbage", "")
	if err := s.Index(t.Context(), "o", "r", "id", time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := server.Do(t, "HLEN", prefix+"owner:o"); n != int64(1) {
		t.Errorf("%v entries are in the index, want 1", n)
	}
}

func TestDamagedIndex_IsEmptyAndBegunAnew(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := open(t, server.URL(), redisstore.Options{Prefix: prefix})
	for _, command := range []string{"SET", "RPUSH"} {
		server.Do(t, "DEL", prefix+"owner:o")
		server.Do(t, command, prefix+"owner:o", "x")
		if got := ids(t, s, "o"); len(got) != 0 {
			t.Errorf("%s: a damaged index lists %v", command, got)
		}
		if err := s.Unindex(t.Context(), "o", "id"); err != nil {
			t.Errorf("%s: Unindex: %v", command, err)
		}
		if err := s.Index(t.Context(), "o", "r", "id", time.Hour); err != nil {
			t.Errorf("%s: Index: %v", command, err)
		}
		if got := ids(t, s, "o"); len(got) != 1 {
			t.Errorf("%s: an index that was begun anew lists %v", command, got)
		}
	}
}
