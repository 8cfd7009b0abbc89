package flash_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// A stream is a client's connection to events.
type stream struct{ *bufio.Scanner }

// next returns the data of the next event.
func (s stream) next() string {
	for s.Scan() {
		if data, ok := strings.CutPrefix(s.Text(), "data: "); ok {
			return data
		}
	}
	return ""
}

// watched is a server with two streams that look when the test says so.
type watched struct {
	*httptest.Server
	client *http.Client
	ticks  [2]chan struct{}
}

func newWatched(t *testing.T, s store.Store) *watched {
	w := &watched{ticks: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
	w.Server = httptest.NewServer(session.New(s, options()).Handler(pages{
		"/add": add, "/events0": events(w.ticks[0]), "/events1": events(w.ticks[1]),
		"/logout": func(_ http.ResponseWriter, r *http.Request) { session.Logout(r.Context()) },
	}))
	t.Cleanup(w.Close)
	t.Cleanup(w.CloseClientConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.client = &http.Client{Jar: jar}
	return w
}

func (w *watched) get(t *testing.T, path string) *http.Response {
	t.Helper()
	response, err := w.client.Get(w.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// open opens a stream.
func (w *watched) open(t *testing.T, i int) stream {
	t.Helper()
	return stream{bufio.NewScanner(w.get(t, fmt.Sprint("/events", i)).Body)}
}

func message(text string) string { return `{"level":"info","text":"` + text + `"}` }

func TestEvents_WhatAnotherRequestAddsArrivesOnce(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		w := newWatched(t, s)
		w.get(t, "/add?before")
		events := w.open(t, 0)
		if got := events.next(); got != message("before") {
			t.Errorf("the stream begins with %s", got)
		}
		for _, text := range []string{"first", "second"} {
			w.get(t, "/add?"+text)
			w.ticks[0] <- struct{}{}
			if got := events.next(); got != message(text) {
				t.Errorf("the stream has %s, want %s", got, text)
			}
			w.ticks[0] <- struct{}{} // and has nothing more: what comes next is the next
		}
		w.get(t, "/logout")
		close(w.ticks[0]) // ticks until the stream ends
		if got := events.next(); got != "" {
			t.Errorf("after the sign-out the stream has %s", got)
		}
	})
}

// Both streams have seen the message before one takes it.
func TestEvents_OfTwoStreamsOneGetsIt(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		var both sync.WaitGroup
		var hold atomic.Bool
		w := newWatched(t, trial.Intercept(s, func(op trial.Op, call func() error) error {
			err := call()
			if hold.Load() && op.Name == "find" {
				both.Done()
				both.Wait()
			}
			return err
		}))
		w.get(t, "/add?before")
		streams := []stream{w.open(t, 0), w.open(t, 1)}
		w.get(t, "/add?a")

		both.Add(2)
		hold.Store(true)
		together(2, func(i int) { w.ticks[i] <- struct{}{} })
		both.Wait()
		hold.Store(false)

		together(2, func(i int) { w.ticks[i] <- struct{}{} }) // both have done with it
		w.get(t, "/logout")
		close(w.ticks[0])
		close(w.ticks[1])
		var got [2][]string
		together(2, func(i int) {
			for data := streams[i].next(); data != ""; data = streams[i].next() {
				got[i] = append(got[i], data)
			}
		})
		all := append(got[0], got[1]...)
		slices.Sort(all)
		if !slices.Equal(all, []string{message("a"), message("before")}) {
			t.Errorf("the streams have %v", got)
		}
	})
}
