package flash_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"unicode/utf16"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

// trigger sends the messages along with a part of a page: htmx fires an event
// "flash" with them in the browser. It comes before the first byte of the body.
func trigger(w http.ResponseWriter, r *http.Request) {
	if messages := flash.Take(r.Context()); len(messages) > 0 {
		event, err := json.Marshal(map[string]any{"flash": messages})
		if err != nil {
			panic(err) // before the first byte, so the messages go back
		}
		w.Header().Set("HX-Trigger", asciiJSON(event))
	}
}

// asciiJSON escapes what is not ASCII. A header has no encoding: scripts read its
// bytes as Latin-1, and what JSON leaves as it is may be no text there.
func asciiJSON(raw []byte) string {
	var ascii strings.Builder
	for _, c := range string(raw) {
		if c < 0x7f {
			ascii.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	return ascii.String()
}

// With htmx, messages travel in a header of the response to any request, and one
// listener in the page shows them:
//
//	document.body.addEventListener("flash", (e) => e.detail.value.forEach(show))
//
// htmx does not see the headers of a redirect, which the browser follows by itself;
// there Take gives the messages back, and the page that it leads to has them.
func Example_htmx() {
	part := func(w http.ResponseWriter, r *http.Request) {
		flash.Success(r.Context(), "Añadido.")
		trigger(w, r)
		fmt.Fprint(w, "<li>lime</li>")
	}
	sessions := session.New(memstore.New(), session.Options{Insecure: true})
	rec := httptest.NewRecorder()
	sessions.Handler(http.HandlerFunc(part)).ServeHTTP(rec, httptest.NewRequest("POST", "/cart", nil))
	fmt.Println(rec.Header().Get("HX-Trigger"))
	fmt.Println(rec.Body)
	// Output:
	// {"flash":[{"level":"success","text":"A\u00f1adido."}]}
	// <li>lime</li>
}
