package benchmarks

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/redisstore"
)

// userAgent is what a browser calls itself, which is kept with a sign-in.
const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// TestMemory measures what sessions take in Redis: what MEMORY USAGE says of a key,
// and by how much the server grows with each session, which is what it has to be
// sized by. Each session has one value of the given size, as JSON.
//
//	go test -run Memory -v
func TestMemory(t *testing.T) {
	value := session.NewKey[string]("memory-value")
	const sessions = 20_000
	for _, size := range []int{100, 1 << 10, 10 << 10} {
		for _, signedIn := range []bool{false, true} {
			server := redistest.Start(t)
			kept, err := redisstore.Open(server.URL(), redisstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			app := session.New(kept, session.Options{Insecure: true}).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				value.Set(r.Context(), strings.Repeat("x", size-len(`""`)))
				if user := r.URL.Query().Get("user"); signedIn {
					session.Login(r.Context(), user)
				}
			}))
			before := usedMemory(t, server)
			numbers := make(chan int)
			var workers sync.WaitGroup
			for range 8 {
				workers.Go(func() {
					for n := range numbers {
						w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, fmt.Sprintf("/?user=user-%08d", n), nil)
						r.Header.Set("User-Agent", userAgent)
						app.ServeHTTP(w, r)
						if w.Code != http.StatusOK {
							t.Errorf("status %d", w.Code)
						}
					}
				})
			}
			for n := range sessions {
				numbers <- n
			}
			close(numbers)
			workers.Wait()
			grown := usedMemory(t, server) - before
			line := fmt.Sprintf("%5d bytes, signed in %-5t: %5d bytes of a record, %5d of the server for each session",
				size, signedIn, largest(t, server, "satchel:session:*"), grown/sessions)
			if signedIn {
				line += fmt.Sprintf(", %d of these for the list of a user's sessions", largest(t, server, "satchel:owner:*"))
			}
			t.Log(line)
			kept.Close()
			server.Stop(t)
		}
	}
}

func usedMemory(t *testing.T, server *redistest.Server) int {
	t.Helper()
	info, err := redis.String(server.Do(t, "INFO", "memory"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var used int
	_, rest, _ := strings.Cut(info, "used_memory_dataset:")
	if _, err := fmt.Sscan(rest, &used); err != nil {
		t.Fatal(err)
	}
	_, rest, _ = strings.Cut(info, "used_memory_overhead:")
	var overhead int
	if _, err := fmt.Sscan(rest, &overhead); err != nil {
		t.Fatal(err)
	}
	return used + overhead
}

// largest returns what MEMORY USAGE says of one key of a pattern; they are all alike.
func largest(t *testing.T, server *redistest.Server, pattern string) int64 {
	t.Helper()
	found, err := redis.Values(server.Do(t, "SCAN", 0, "MATCH", pattern, "COUNT", 1000), nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := redis.Strings(found[1], nil)
	if err != nil || len(keys) == 0 {
		t.Fatalf("no key like %s (%v)", pattern, err)
	}
	usage, err := redis.Int64(server.Do(t, "MEMORY", "USAGE", keys[0], "SAMPLES", 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return usage
}
