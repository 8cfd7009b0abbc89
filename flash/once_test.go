package flash_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// pages is an app: what to do with a request, by path.
type pages map[string]http.HandlerFunc

func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p[r.URL.Path](w, r) }

// add is the page that leaves a message, as in /add?text.
func add(w http.ResponseWriter, r *http.Request) {
	flash.Info(r.Context(), r.URL.RawQuery)
	w.WriteHeader(http.StatusNoContent)
}

// take is the page that shows the messages.
func take(w http.ResponseWriter, r *http.Request) { show(w, flash.Take(r.Context())) }

func peek(w http.ResponseWriter, r *http.Request) { show(w, flash.Peek(r.Context())) }

func show(w io.Writer, messages []flash.Message) {
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.Text)
	}
	io.WriteString(w, strings.Join(texts, " "))
}

func options() session.Options {
	return session.Options{Insecure: true, Logger: slog.New(slog.DiscardHandler)}
}

func browse(s store.Store, p pages) *trial.Browser {
	return trial.NewBrowser(session.New(s, options()).Handler(p))
}

// shown returns the texts that a page showed.
func shown(w *httptest.ResponseRecorder) []string { return strings.Fields(w.Body.String()) }

// together runs n functions that all begin at the same time, and waits for them.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			f(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
}

func TestP4_EachMessageIsHandedToOneOf64Readers(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		const readers, messages = 64, 10
		// Every reader has loaded the session, with all messages, before one takes.
		var loaded sync.WaitGroup
		loaded.Add(readers)
		b := browse(s, pages{"/add": add, "/take": func(w http.ResponseWriter, r *http.Request) {
			if len(flash.Peek(r.Context())) != messages {
				t.Error("a reader did not see all the messages")
			}
			loaded.Done()
			loaded.Wait()
			take(w, r)
		}})
		for i := range messages {
			b.Get(t, fmt.Sprint("/add?", i))
		}
		var mu sync.Mutex
		var got []string
		together(readers, func(int) {
			w := b.Get(t, "/take")
			mu.Lock()
			defer mu.Unlock()
			got = append(got, shown(w)...)
		})
		slices.Sort(got)
		if want := strings.Fields("0 1 2 3 4 5 6 7 8 9"); !slices.Equal(got, want) {
			t.Errorf("%d readers were shown %v, want each message once", readers, got)
		}
	})
}

func TestP4_DeliveredAndPendingAreWhatWasAdded(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		const adders, takers = 40, 40
		b := browse(s, pages{"/add": add, "/take": take})
		b.Get(t, "/add?first")
		var mu sync.Mutex
		var got []string
		together(adders+takers, func(i int) {
			if i%2 == 0 {
				b.Get(t, fmt.Sprint("/add?", i))
				return
			}
			w := b.Get(t, "/take")
			mu.Lock()
			defer mu.Unlock()
			got = append(got, shown(w)...)
		})
		got = append(got, shown(b.Get(t, "/take"))...)
		slices.Sort(got)
		want := []string{"first"}
		for i := 0; i < adders+takers; i += 2 {
			want = append(want, fmt.Sprint(i))
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("delivered, or pending at the end: %v\nadded: %v", got, want)
		}
	})
}

func TestP4_UnreadMessagesSurviveOtherRequests(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, pages{"/add": add, "/take": take, "/peek": peek, "/other": func(w http.ResponseWriter, r *http.Request) {
			session.Login(r.Context(), "42")
		}})
		b.Get(t, "/add?a")
		for range 3 {
			b.Get(t, "/other")
			b.Get(t, "/peek")
		}
		b.Get(t, "/add?b")
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("shown %v, want the messages in their order", got)
		}
		if got := shown(b.Get(t, "/take")); len(got) != 0 {
			t.Errorf("shown again: %v", got)
		}
	})
}

// endings are the ways in which a page can end that took a and b and left c, and
// what the next page shows.
var endings = map[string]struct {
	end  http.HandlerFunc
	next string
}{
	"200":                    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") }, "c"},
	"200 without a body":     {func(w http.ResponseWriter, _ *http.Request) {}, "c"},
	"404":                    {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "c"},
	"422":                    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(422) }, "c"},
	"303":                    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }, "a b c"},
	"304":                    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "a b c"},
	"500":                    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }, "a b c"},
	"103, then 200":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(200) }, "c"},
	"103, then 500":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(500) }, "a b c"},
	"a panic":                {func(http.ResponseWriter, *http.Request) { panic("oops") }, "a b"},
	"a panic after the page": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page"); panic("oops") }, "c"},
	"a change that can't be made": {func(_ http.ResponseWriter, r *http.Request) {
		session.SetDeadline(r.Context(), session.Deadline(r.Context()).AddDate(-1, 0, 0))
	}, "a b"},
}

func TestP4_MessagesGoBackIfNothingWasShown(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for name, ending := range endings {
			t.Run(name, func(t *testing.T) {
				b := browse(s, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
					if got := flash.Take(r.Context()); len(got) != 2 {
						t.Errorf("took %v", got)
					}
					flash.Info(r.Context(), "c")
					ending.end(w, r)
				}})
				b.Get(t, "/add?a")
				b.Get(t, "/add?b")
				func() {
					defer func() { recover() }()
					b.Get(t, "/page")
				}()
				if got := strings.Join(shown(b.Get(t, "/take")), " "); got != ending.next {
					t.Errorf("the next page shows %q, want %q", got, ending.next)
				}
				if got := shown(b.Get(t, "/take")); len(got) != 0 {
					t.Errorf("shown again: %v", got)
				}
			})
		}
	})
}

func TestP4_WhatCantGoBackIsLostAndNotDoubled(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		refuse := false
		watched := trial.Intercept(s, func(op trial.Op, call func() error) error {
			if refuse && op.Name == "swap" {
				return fmt.Errorf("full: %w", store.ErrNotApplied)
			}
			return call()
		})
		b := browse(watched, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
			flash.Take(r.Context())
			refuse = true
			panic("oops")
		}})
		b.Get(t, "/add?a")
		func() {
			defer func() { recover() }()
			b.Get(t, "/page")
		}()
		refuse = false
		if got := shown(b.Get(t, "/take")); len(got) != 0 {
			t.Errorf("shown %v, although they had been taken and not put back", got)
		}
	})
}

func TestP4_HeadAndPrefetchLookWithoutTaking(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"HEAD":                            func(r *http.Request) { r.Method = http.MethodHead },
		"Sec-Purpose: prefetch":           trial.Header("Sec-Purpose", "prefetch"),
		"Sec-Purpose: prefetch;prerender": trial.Header("Sec-Purpose", "prefetch;prerender"),
		"Purpose: prefetch":               trial.Header("Purpose", "prefetch"),
		"X-Sec-Purpose: prefetch":         trial.Header("X-Sec-Purpose", "Prefetch"),
	} {
		t.Run(name, func(t *testing.T) {
			b := browse(trial.Memory(t), pages{"/add": add, "/take": take})
			b.Get(t, "/add?a")
			for range 2 {
				if got := shown(b.Get(t, "/take", edit)); !slices.Equal(got, []string{"a"}) {
					t.Errorf("the look shows %v", got)
				}
			}
			if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
				t.Errorf("after the look the page shows %v", got)
			}
		})
	}
}

func TestP4_AFlashThatCantBeReadBreaksNoPage(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		down := false
		failing := trial.Intercept(s, func(op trial.Op, call func() error) error {
			if down && op.Name == "swap" {
				return errors.New("connection reset")
			}
			return call()
		})
		b := browse(failing, pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
			got := flash.Take(r.Context())
			fmt.Fprint(w, len(got), session.Err(r.Context()) != nil)
		}})
		b.Get(t, "/add?a")
		down = true
		if w := b.Get(t, "/page"); w.Code != 200 || w.Body.String() != "0 true" {
			t.Errorf("status %d, %s; want a page without messages, and session.Err to say why", w.Code, w.Body)
		}
		down = false
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
			t.Errorf("when the store is back the page shows %v", got)
		}
	})
}

func TestTake_InsideATransactThatFails(t *testing.T) {
	b := browse(trial.Memory(t), pages{"/add": add, "/take": take, "/page": func(w http.ResponseWriter, r *http.Request) {
		session.Transact(r.Context(), func(ctx context.Context) error {
			flash.Take(ctx)
			return errors.New("no")
		})
		w.WriteHeader(http.StatusInternalServerError)
	}})
	b.Get(t, "/add?a")
	b.Get(t, "/page")
	if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("shown %v, want what the Transact left where it was, once", got)
	}
}

func TestTake_WhatWasAddedInTheSameRequest(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, pages{"/both": func(w http.ResponseWriter, r *http.Request) {
			flash.Info(r.Context(), "a")
			show(w, flash.Take(r.Context()))
		}, "/redirect": func(w http.ResponseWriter, r *http.Request) {
			flash.Info(r.Context(), "b")
			flash.Take(r.Context())
			http.Redirect(w, r, "/", http.StatusSeeOther)
		}, "/take": take})
		if got := shown(b.Get(t, "/both")); !slices.Equal(got, []string{"a"}) {
			t.Errorf("shown %v", got)
		}
		if got := shown(b.Get(t, "/take")); len(got) != 0 {
			t.Errorf("shown again: %v", got)
		}
		b.Get(t, "/redirect")
		if got := shown(b.Get(t, "/take")); !slices.Equal(got, []string{"b"}) {
			t.Errorf("after the redirect: %v", got)
		}
	})
}
