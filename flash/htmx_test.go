package flash_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

func TestHTMX_TheHeaderCarriesAnyTextAndNothingElse(t *testing.T) {
	for _, text := range append([]string{"a\r\nSet-Cookie: a=b", "a\nb", "\x00\x1f\x7f", "ñ € 🥕", "\u2028", `"}]}`}, hostile...) {
		h := session.New(trial.Memory(t), options()).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			flash.Info(r.Context(), text)
			trigger(w, r)
		}))
		server := httptest.NewServer(h)
		response, err := http.Get(server.URL)
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		header := response.Header.Get("HX-Trigger")
		if strings.ContainsFunc(header, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%q makes a header of more than printable ASCII: %q", text, header)
		}
		var event struct{ Flash []flash.Message }
		if err := json.Unmarshal([]byte(header), &event); err != nil || len(event.Flash) != 1 || event.Flash[0].Text != text {
			t.Errorf("%q arrives as %v (%v)", text, event, err)
		}
		if len(response.Cookies()) > 1 {
			t.Errorf("%q sets cookies: %v", text, response.Cookies())
		}
	}
}

func TestHTMX_ARedirectLeavesTheMessagesForWhereItLeads(t *testing.T) {
	b := browse(trial.Memory(t), pages{"/add": add, "/part": func(w http.ResponseWriter, r *http.Request) {
		trigger(w, r)
		http.Redirect(w, r, "/other", http.StatusSeeOther)
	}, "/other": func(w http.ResponseWriter, r *http.Request) { trigger(w, r) }})
	b.Get(t, "/add?a")
	b.Get(t, "/part")
	for _, want := range []string{`{"flash":[{"level":"info","text":"a"}]}`, ""} {
		if got := b.Get(t, "/other").Header().Get("HX-Trigger"); got != want {
			t.Errorf("the header is %q, want %q", got, want)
		}
	}
}
