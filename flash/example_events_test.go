package flash_test

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
)

// events is a stream of server-sent events: each message that any request adds,
// once. It looks at every tick, of a time.Ticker or of whoever knows of a change. Of
// several streams of one visitor, one gets it.
func events[Tick any](ticks <-chan Tick) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		for !session.Deadline(ctx).IsZero() { // a session that begins later has a cookie that only the next stream brings
			for _, m := range flash.Take(ctx) {
				event, err := json.Marshal(m) // has no line breaks
				if err != nil {
					return
				}
				if _, err := fmt.Fprintf(w, "event: flash\ndata: %s\n\n", event); err != nil {
					return
				}
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-ticks:
			}
			if err := session.Reload(ctx); err != nil {
				return // signed out, or the store is away: the browser connects again
			}
		}
	}
}

// In a stream that stays open, Reload fetches what other requests have stored
// since, and Take hands it out. In the page:
//
//	new EventSource("/events").addEventListener("flash", (e) => show(JSON.parse(e.data)))
func Example_serverSentEvents() {
	var everySecond <-chan struct{} // as of a time.Ticker
	http.HandleFunc("GET /events", events(everySecond))
}
