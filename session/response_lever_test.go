package session_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// A lever holds or breaks what Satchel does to a store.
type lever struct {
	mu      sync.Mutex
	broken  map[string]error
	holds   map[string]*hold
	all     []*hold
	tried   int // swaps
	applied int // swaps that worked
}

// A hold stops the next operation of a kind until it is opened.
type hold struct {
	entered chan struct{} // closed when the operation is there
	opened  chan struct{}
	once    sync.Once
}

func (h *hold) open() { h.once.Do(func() { close(h.opened) }) }

// errRefused is that of a store which certainly wrote nothing.
var errRefused = fmt.Errorf("disk full: %w", store.ErrNotApplied)

// breaks makes all operations of a kind fail from now on, or work again if err is nil.
func (l *lever) breaks(op string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = map[string]error{}
	}
	l.broken[op] = err
}

// hold stops the next operation of a kind.
func (l *lever) hold(op string) *hold {
	h := &hold{entered: make(chan struct{}), opened: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds == nil {
		l.holds = map[string]*hold{}
	}
	l.holds[op] = h
	l.all = append(l.all, h)
	return h
}

// release opens all holds.
func (l *lever) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.holds)
	for _, h := range l.all {
		h.open()
	}
}

// swaps returns how many swaps there were, and how many of them worked.
func (l *lever) swaps() (tried, applied int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tried, l.applied
}

func (l *lever) around(op trial.Op, call func() error) error {
	l.mu.Lock()
	h := l.holds[op.Name]
	delete(l.holds, op.Name)
	if op.Name == "swap" {
		l.tried++
	}
	l.mu.Unlock()
	if h != nil {
		close(h.entered)
		<-h.opened
	}

	l.mu.Lock()
	err := l.broken[op.Name]
	l.mu.Unlock()
	if err == nil {
		err = call()
	}
	if err == nil && op.Name == "swap" {
		l.mu.Lock()
		l.applied++
		l.mu.Unlock()
	}
	return err
}

// An edge is middleware outside of Satchel. It sets a header before, and notes
// what comes out, since bytes that a client has not got yet may be under way.
type edge struct {
	lever    *lever
	returned chan struct{} // closed when Satchel's handler has returned for the first time

	mu     sync.Mutex
	events []string // all but the 1xx before the response
	before int      // the swaps that had worked by the first event
}

func (e *edge) around(next http.Handler) http.Handler {
	returned := sync.OnceFunc(func() { close(e.returned) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "DENY")
		defer returned()
		defer e.note("return")
		next.ServeHTTP(&edgeWriter{w, e}, r)
	})
}

func (e *edge) note(event string) {
	_, applied := e.lever.swaps()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.events) == 0 {
		e.before = applied
	}
	e.events = append(e.events, event)
}

// seen returns what has come out so far, and how many swaps had worked before.
func (e *edge) seen() (events []string, before int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.events), e.before
}

type edgeWriter struct {
	http.ResponseWriter
	edge *edge
}

func (w *edgeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *edgeWriter) WriteHeader(status int) {
	begun, _ := w.edge.seen()
	if status >= 200 || status == http.StatusSwitchingProtocols || len(begun) > 0 {
		w.edge.note(fmt.Sprint("WriteHeader ", status))
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *edgeWriter) Write(b []byte) (int, error) {
	w.edge.note("Write")
	return w.ResponseWriter.Write(b)
}

func (w *edgeWriter) ReadFrom(src io.Reader) (int64, error) {
	w.edge.note("ReadFrom")
	return io.Copy(w.ResponseWriter, src)
}

func (w *edgeWriter) FlushError() error {
	w.edge.note("Flush")
	return http.NewResponseController(w.ResponseWriter).Flush()
}
