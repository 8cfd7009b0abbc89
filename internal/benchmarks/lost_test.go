package benchmarks

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/alexedwards/scs/v2"
	scsmemory "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

// TestLostUpdates counts what is left of 50 concurrent requests of one visitor
// that each add one, on both libraries. All have read before one writes, which is
// what handlers that take a few milliseconds do to each other.
//
//	go test -run LostUpdates -v
func TestLostUpdates(t *testing.T) {
	count := session.NewKey[int]("lost-count")
	plain := scs.New()
	plain.Store = scsmemory.NewWithCleanupInterval(0)
	const requests = 50
	for _, l := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		add  func(r *http.Request)
		read func(r *http.Request) int
	}{
		{
			"satchel", session.New(memstore.New(), session.Options{Insecure: true}).Handler,
			func(r *http.Request) { count.Update(r.Context(), func(n *int) { *n++ }) },
			func(r *http.Request) int { return count.Get(r.Context()) },
		},
		{
			"scs", plain.LoadAndSave,
			func(r *http.Request) { plain.Put(r.Context(), "count", plain.GetInt(r.Context(), "count")+1) },
			func(r *http.Request) int { return plain.GetInt(r.Context(), "count") },
		},
	} {
		var ready, done sync.WaitGroup
		var mu sync.Mutex
		kept := 0
		h := l.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			kept = l.read(r)
			mu.Unlock()
			switch r.URL.Path {
			case "/begin":
				l.add(r)
			case "/add":
				l.add(r)
				ready.Done()
				ready.Wait()
			}
		}))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/begin", nil))
		cookie := w.Result().Cookies()[0]
		get := func(path string) {
			r := httptest.NewRequest("GET", path, nil)
			r.AddCookie(cookie)
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		ready.Add(requests)
		for range requests {
			done.Go(func() { get("/add") })
		}
		done.Wait()
		get("/read")
		t.Logf("%s kept %d of %d", l.name, kept-1, requests)
		if l.name == "satchel" && kept-1 != requests {
			t.Errorf("satchel lost updates")
		}
	}
}
