package session

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// retryAfter is what clients are told to wait after a store failure, in seconds.
const retryAfter = "2"

// Error answers a request whose session could not be loaded or committed, and is
// the default of Options.OnError: 503 with Retry-After for a *[StoreError], 409
// for [ErrEnded], 500 for anything else. The body is a sentence for the visitor,
// in JSON as {"error":"..."} where the request accepts that rather than HTML,
// otherwise as text. It says nothing of err; the log does.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	status, sentence := http.StatusInternalServerError, "Something went wrong, and nothing was saved."
	switch {
	case errors.Is(err, ErrUnknown):
		status, sentence = http.StatusServiceUnavailable, "The service is not available right now. Please check whether your change was saved before you repeat it."
	case isStoreError(err):
		status, sentence = http.StatusServiceUnavailable, "The service is not available right now. Please try again in a moment."
	case errors.Is(err, ErrEnded):
		status, sentence = http.StatusConflict, "Your session has changed meanwhile, and nothing was saved. Please reload the page."
	}
	h := w.Header()
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	if prefersJSON(r) {
		h.Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"error": sentence})
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, sentence+"\n")
}

// prefersJSON reports whether r accepts JSON, and names it before HTML if both.
func prefersJSON(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "application/json":
			return true
		case "text/html":
			return false
		}
	}
	return false
}
