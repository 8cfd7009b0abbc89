package session

import (
	"log/slog"
	"net/http"

	"github.com/gosatchel/satchel/internal/exchange"
)

// A visit is what one request allocates, in one piece.
type visit struct {
	session  transaction
	response response
}

// Handler returns a handler that gives each request its session and then calls
// next. Wrap the handler that all requests go through, once.
//
// A request without a cookie of ours, or whose cookie is not the form of one,
// costs no round trip to the store. Any other costs one, before next is called.
// What next changes is committed in one more before the first byte of the
// response; if that fails, the client gets what Options.OnError writes and nothing
// of next's response. What Options.Import adds, Importer says. If next panics, its
// changes are dropped and the panic goes on.
//
// The http.ResponseWriter that next gets supports everything that an
// http.ResponseController can ask for, as far as the server's own does.
//
// The request that next gets must not be used for changes after next has
// returned; see ErrDone.
func (m *Manager) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := new(visit)
		t, rw := &v.session, &v.response
		t.begin(m, r.Context())
		t.request = r
		t.nest()
		ctx := exchange.With(r.Context(), t)
		r = r.WithContext(ctx)
		rw.begin(w, r, t)

		var few [maxTokens]string
		if m.options.Skip != nil && m.options.Skip(r) {
			t.readonly = errSkipped
		} else if err := t.find(ctx, r, m.tokens(few[:0], r)); err != nil {
			t.readonly, t.failure = err, err
			if m.options.Outage == Refuse {
				rw.fail(err)
				return
			}
			level := slog.LevelError
			if r.Context().Err() != nil {
				level = slog.LevelDebug // nobody waits for the answer any more
			}
			t.log(level, "session: not available; the request goes on without", "error", err)
		}

		returned := false
		defer func() {
			if !returned {
				rw.abandon()
			}
		}()
		next.ServeHTTP(rw, r)
		rw.finish()
		returned = true
	})
}
