package flash_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// ends are the ways in which the pages of readers end, by turns. Those with a
// status below 300, or of 4xx, are shown.
var ends = []string{"200", "303", "200", "500", "404", "panic", "200", "304"}

// takeAndEnd is the page that takes the messages, shows them, and ends as the
// query says. It shows them in any case, as a page does that fails at its end.
func takeAndEnd(w http.ResponseWriter, r *http.Request) { endWith(w, r, flash.Take(r.Context())) }

func endWith(w http.ResponseWriter, r *http.Request, messages []flash.Message) {
	end := r.URL.Query().Get("end")
	if end == "panic" {
		panic("oops")
	}
	var status int
	fmt.Sscan(end, &status)
	w.WriteHeader(status)
	show(w, messages)
}

// isShown reports whether a page with this status is shown.
func isShown(status int) bool { return status/100 == 2 || status/100 == 4 }

// gate holds requests that have loaded their session until all that are expected
// have: then they run at the same time, and nobody sees what the others do.
func gate(expected int, next http.Handler) http.Handler {
	var loaded sync.WaitGroup
	loaded.Add(expected)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("gate") {
			loaded.Done()
			loaded.Wait()
		}
		next.ServeHTTP(w, r)
	})
}

// addGated adds the text in the query.
func addGated(w http.ResponseWriter, r *http.Request) {
	flash.Info(r.Context(), r.URL.Query().Get("text"))
	w.WriteHeader(http.StatusNoContent)
}

// What goes on at the same time in each of these tests, and what waited before.
const (
	waiting = 10
	readers = 64
	adders  = 32
)

// crowd sends all readers and adders through the gate. get sends a request and
// returns its status, 0 for none, and body.
func crowd(get func(i int, path string) (status int, body string)) (added, delivered, doubtful []string) {
	var mu sync.Mutex
	together(readers+adders, func(i int) {
		if i >= readers {
			text := fmt.Sprint("new", i)
			status, _ := get(i, "/add?gate&text="+text)
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusNoContent {
				added = append(added, text)
			} else {
				doubtful = append(doubtful, text)
			}
			return
		}
		status, body := get(i, "/take?gate&end="+ends[i%len(ends)])
		mu.Lock()
		defer mu.Unlock()
		if isShown(status) {
			delivered = append(delivered, strings.Fields(body)...)
		}
	})
	return added, delivered, doubtful
}

// patientOptions leave a crowd the time that a busy machine takes.
func patientOptions() session.Options {
	o := options()
	o.StoreTimeout = 30 * time.Second
	return o
}

// newCrowd returns a browser of an app with a gate, in whose session messages wait.
func newCrowd(t *testing.T, s store.Store, take http.HandlerFunc) (b *trial.Browser, waits []string) {
	app := pages{"/add": addGated, "/take": take}
	b = trial.NewBrowser(session.New(s, patientOptions()).Handler(gate(readers+adders, app)))
	for i := range waiting {
		text := fmt.Sprint("old", i)
		b.Get(t, "/add?text="+text)
		waits = append(waits, text)
	}
	return b, waits
}

// visitBy sends requests through b; a panic is status 0.
func visitBy(t *testing.T, b *trial.Browser) func(int, string) (int, string) {
	return func(_ int, path string) (status int, body string) {
		defer func() { recover() }()
		w := b.Get(t, path)
		return w.Code, w.Body.String()
	}
}

func TestP4_64ReadersAndPagesThatAreNotShown_NothingIsLostOrDoubled(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b, want := newCrowd(t, s, takeAndEnd)
		added, got, doubtful := crowd(visitBy(t, b))
		if len(doubtful) > 0 {
			t.Errorf("could not add %v", doubtful)
		}
		got = append(got, shown(b.Get(t, "/take?end=200"))...)
		wantSameTexts(t, got, append(want, added...))
	})
}

func wantSameTexts(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("delivered, or pending at the end, %d: %v\nadded, %d: %v", len(got), got, len(want), want)
	}
}

// With a store that fails, a message may be lost, but only if a page took it that
// was not shown; and none is delivered twice.
func TestP4_AStoreThatFails_LosesOnlyWhatWasTakenAndNotShown(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		var swaps, faults atomic.Int64
		var broken atomic.Bool
		failing := trial.Intercept(s, func(op trial.Op, call func() error) error {
			if op.Name != "swap" || !broken.Load() {
				return call()
			}
			n := swaps.Add(1)
			if n%5 == 0 || n%7 == 0 || n%11 == 0 {
				faults.Add(1)
			}
			switch {
			case n%5 == 0:
				return fmt.Errorf("full: %w", store.ErrNotApplied)
			case n%7 == 0:
				return errors.New("connection reset before the request arrived")
			case n%11 == 0:
				call()
				return errors.New("connection reset before the answer arrived")
			}
			return call()
		})
		var mu sync.Mutex
		taken := map[string]bool{} // by any page
		b, want := newCrowd(t, failing, func(w http.ResponseWriter, r *http.Request) {
			messages := flash.Take(r.Context())
			mu.Lock()
			for _, m := range messages {
				taken[m.Text] = true
			}
			mu.Unlock()
			endWith(w, r, messages)
		})
		broken.Store(true)
		added, delivered, doubtful := crowd(visitBy(t, b))
		broken.Store(false)
		if faults.Load() == 0 {
			t.Fatal("the store did not fail")
		}
		want = append(want, added...)
		got := append(slices.Clone(delivered), shown(b.Get(t, "/take?end=200"))...)
		slices.Sort(got)
		if unique := slices.Compact(slices.Clone(got)); len(unique) != len(got) {
			t.Errorf("delivered twice, or delivered and still pending: %v", got)
		}
		for _, text := range got {
			if !slices.Contains(want, text) && !slices.Contains(doubtful, text) {
				t.Errorf("%s came from nowhere", text)
			}
		}
		lost := slices.DeleteFunc(want, func(text string) bool { return slices.Contains(got, text) })
		for _, text := range lost {
			if !taken[text] {
				t.Errorf("%s is lost, and no page had taken it", text)
			}
		}
		t.Logf("%d failures; %d delivered or pending, %d lost", faults.Load(), len(got), len(lost))
	})
}
