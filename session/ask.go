package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// maxAsking bounds how many calls of Importer.Session there are at once, those
// included that nobody waits for any more: the old library may know no deadline.
const maxAsking = 64

// ask calls Importer.Session about one cookie of r, and returns when it does or
// ctx is done. It runs in a goroutine of its own, with a request of its own.
func (m *Manager) ask(ctx context.Context, r *http.Request, cookie string) (*Imported, error) {
	select {
	case m.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%d other requests ask the old library: %w", maxAsking, ctx.Err())
	}
	importer := m.options.Import
	mine := r.Clone(ctx)
	mine.Body = http.NoBody
	line := http.Cookie{Name: importer.Cookie, Value: cookie}
	mine.Header["Cookie"] = append([]string{line.String()}, mine.Header["Cookie"]...)

	done := make(chan answer, 1)
	go func() {
		var got answer
		defer func() {
			if !got.returned {
				got.panicked, got.stack = recover(), debug.Stack()
			}
			<-m.asking
			done <- got
		}()
		got.session, got.err = importer.Session(ctx, mine)
		got.returned = true
	}()
	select {
	case got := <-done:
		return got.result()
	case <-ctx.Done():
		return nil, fmt.Errorf("the old library: %w", ctx.Err())
	}
}

// An answer is how a call of Importer.Session ended.
type answer struct {
	session  *Imported
	err      error
	returned bool
	panicked any
	stack    []byte
}

// result panics in the request's goroutine, where net/http is prepared for it, if
// Session has panicked in its own.
func (a answer) result() (*Imported, error) {
	if a.panicked != nil {
		panic(fmt.Sprintf("session: Options.Import.Session panicked: %v\n\n%s", a.panicked, a.stack))
	}
	if !a.returned { // runtime.Goexit
		return nil, errors.New("Options.Import.Session ended its goroutine")
	}
	return a.session, a.err
}
