package session

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"strings"
)

// retryAfter is what clients are told to wait after a store failure, in seconds.
const retryAfter = "2"

// Error answers a request whose session could not be loaded or committed, and is
// the default of Options.OnError: 503 with Retry-After for a *[StoreError], 409
// for [ErrEnded], 500 for anything else. A 503 for [ErrUnknown] has no Retry-After:
// programs would repeat what may have been done. The body is a sentence for the visitor,
// in JSON as {"error":"..."} where the request accepts that rather than HTML,
// otherwise as text. It says nothing of err; the log does.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	status, sentence := http.StatusInternalServerError, "Something went wrong, and nothing was saved."
	switch {
	case errors.Is(err, ErrUnknown):
		status, sentence = http.StatusServiceUnavailable, "The service is not available right now. Please check whether your change was saved before you repeat it."
	case isStoreError(err):
		status, sentence = http.StatusServiceUnavailable, "The service is not available right now. Please try again in a moment."
	case errors.Is(err, ErrAmbiguous):
		sentence = "Your browser sent two different sessions, and nothing was saved. Please delete this site's cookies."
	case errors.Is(err, ErrEnded):
		status, sentence = http.StatusConflict, "Your session has changed meanwhile, and nothing was saved. Please reload the page."
	}
	h := w.Header()
	if status == http.StatusServiceUnavailable && !errors.Is(err, ErrUnknown) {
		h.Set("Retry-After", retryAfter)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	for _, ofThePage := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(ofThePage)
	}
	if prefersJSON(r) {
		writeJSONError(w, status, sentence)
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, sentence+"\n")
}

func writeJSONError(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": sentence})
}

// An errorPage is the writer that Options.OnError gets. It makes sure that there
// is an error response, and that it stays as it was written, whatever the handler
// that does not know of the failure does to the header afterwards.
type errorPage struct {
	http.ResponseWriter
	session *transaction
	written bool
	header  http.Header // once OnError has returned
}

func (p *errorPage) WriteHeader(status int) {
	if status >= 200 {
		p.begin()
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *errorPage) Write(b []byte) (int, error) {
	p.begin()
	return p.ResponseWriter.Write(b)
}

// begin keeps a cookie of ours out of shared caches here too.
func (p *errorPage) begin() {
	if p.written {
		return
	}
	p.written = true
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	if p.session.cookie() != "" {
		keepPrivate(p.Header())
	}
}

// finish completes the page: after OnError, and again when the handler has
// returned. Without a page the client would get an empty 200.
func (p *errorPage) finish(r *http.Request, err error) {
	if !p.written {
		Error(p, r, err)
	}
	if p.header == nil {
		p.header = p.Header().Clone()
		return
	}
	h := p.Header()
	clear(h)
	maps.Copy(h, p.header)
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
