package session

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"time"
)

// A response commits the session before anything of it goes out, and goes out
// only if that worked. It has no Unwrap on purpose: who got hold of the writer
// below could start the response without a commit. What an
// http.ResponseController asks for it does itself.
type response struct {
	http.ResponseWriter
	request *http.Request
	session *transaction
	before  http.Header // as it was before the handler

	started bool       // the commit was tried
	failed  error      // the commit failed, and the client gets an error response:
	page    *errorPage // this one
}

func (w *response) begin(below http.ResponseWriter, r *http.Request, t *transaction) {
	w.ResponseWriter, w.request, w.session = below, r, t
	if h := below.Header(); len(h) > 0 {
		w.before = h.Clone()
	}
}

// start commits the session for a response with this status, once. After that
// the header can be written, unless there is an error.
func (w *response) start(status int) error {
	if w.started {
		return w.failed
	}
	w.started = true
	committed := false
	defer func() {
		if !committed && w.failed == nil { // an Update has panicked: whoever recovers begins anew
			w.started = false
			w.session.drop()
		}
	}()
	ctx := w.request.Context()
	t := w.session
	var undone []undo
	if status >= 500 {
		t.giveUp()
	}
	if status >= 500 || 300 <= status && status < 400 {
		undone = t.unseen(ctx)
	}
	if err := t.commit(ctx, nil); err != nil {
		t.stillUnseen(undone)
		w.fail(err)
		return err
	}
	committed = true
	t.touch(ctx)
	t.announce(w.Header(), w.request)
	return nil
}

// fail sends the one response that a client gets whose session could not be
// loaded or committed. Of the handler's response nothing stays, but a session
// that was committed before keeps its cookie, also one of a manager inside this one.
func (w *response) fail(err error) {
	w.started, w.failed = true, err
	t := w.session
	level := slog.LevelError
	switch {
	case errors.Is(err, ErrEnded):
		level = slog.LevelInfo // a straggler, which is nobody's fault
	case w.request.Context().Err() != nil:
		level = slog.LevelDebug // nobody waits for the answer any more
	}
	t.log(level, "session: the request failed", "error", err, "method", w.request.Method)
	t.giveBack(w.request.Context(), isStoreError(err))
	for x := t.enclosing; x != nil; x = x.enclosing {
		x.drop() // or a client that is told to try again would do it twice
	}

	h := w.Header()
	clear(h)
	maps.Copy(h, w.before)
	for x := t; x != nil; x = x.inside() {
		x.announce(h, w.request)
	}
	t.refuseAll(err)
	w.page = &errorPage{ResponseWriter: w.ResponseWriter, session: t}
	t.manager.options.OnError(w.page, w.request, err)
	w.page.finish(w.request, err)
}

// finish ends a response whose handler has returned.
func (w *response) finish() {
	t := w.session
	if !w.started {
		w.start(http.StatusOK)
	}
	dirty := t.seal()
	if w.failed != nil {
		w.page.finish(w.request, w.failed)
		return
	}
	if !dirty {
		return
	}
	if err := t.commit(w.request.Context(), nil); err != nil {
		t.log(slog.LevelError, "session: changes made after the response had begun are lost", "error", err)
	}
}

// abandon ends a response whose handler has panicked: its changes are dropped,
// and what it took is put back if nothing was shown. A handler further out may
// still write a response, so the cookie of what had been committed is left for it.
func (w *response) abandon() {
	t := w.session
	if w.started {
		t.drop()
	} else {
		w.started = true
		t.giveBack(w.request.Context(), false)
		t.announce(w.Header(), w.request)
	}
	t.seal()
}

func (w *response) WriteHeader(status int) {
	informational := status < 200 && status != http.StatusSwitchingProtocols
	if informational || status > 999 { // not the start of a response, or none that the server accepts
		if w.failed == nil {
			w.ResponseWriter.WriteHeader(status)
		}
		return
	}
	if w.start(status) == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *response) Write(b []byte) (int, error) {
	if err := w.start(http.StatusOK); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(b)
}

func (w *response) WriteString(s string) (int, error) {
	if err := w.start(http.StatusOK); err != nil {
		return 0, err
	}
	return io.WriteString(w.ResponseWriter, s)
}

func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if err := w.start(http.StatusOK); err != nil {
		return 0, err
	}
	return io.Copy(w.ResponseWriter, src)
}

func (w *response) Flush() { w.FlushError() }

func (w *response) FlushError() error {
	if err := w.start(http.StatusOK); err != nil {
		return err
	}
	return w.controller().Flush()
}

// Hijack commits first. It refuses where a cookie is to be sent, because the
// header of a hijacked response is not ours any more; who upgrades a connection
// writes the 101 with WriteHeader before, and the cookie goes with it.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !hijackable(w.ResponseWriter) {
		return nil, nil, http.ErrNotSupported // with nothing done
	}
	if !w.started && w.session.needsCookie() {
		return nil, nil, fmt.Errorf("%w by Hijack: call WriteHeader(http.StatusSwitchingProtocols) first, or make the change in an earlier request", ErrHeadersSent)
	}
	if err := w.start(http.StatusSwitchingProtocols); err != nil {
		return nil, nil, err
	}
	return w.controller().Hijack()
}

// hijackable reports whether an http.ResponseController could hijack w.
func hijackable(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case *response:
			w = t.ResponseWriter
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

func (w *response) SetReadDeadline(t time.Time) error  { return w.controller().SetReadDeadline(t) }
func (w *response) SetWriteDeadline(t time.Time) error { return w.controller().SetWriteDeadline(t) }
func (w *response) EnableFullDuplex() error            { return w.controller().EnableFullDuplex() }

// Push is HTTP/2 server push. It does not start the response.
func (w *response) Push(target string, opts *http.PushOptions) error {
	if p, ok := w.ResponseWriter.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}

func (w *response) controller() *http.ResponseController {
	return http.NewResponseController(w.ResponseWriter)
}

var (
	_ io.ReaderFrom   = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
	_ http.Flusher    = (*response)(nil)
	_ http.Hijacker   = (*response)(nil)
	_ http.Pusher     = (*response)(nil)
)
