package session

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gosatchel/satchel/internal/detached"
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

	done := detached.Call(
		func() (*Imported, error) { return importer.Session(ctx, mine) },
		func() { <-m.asking },
	)
	select {
	case asked := <-done:
		return asked.Result("session: Options.Import.Session")
	case <-ctx.Done():
		return nil, fmt.Errorf("the old library: %w", ctx.Err())
	}
}
