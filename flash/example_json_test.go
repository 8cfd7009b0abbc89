package flash_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

// For a client that speaks JSON, the messages are a list in the body, which is
// empty and never null. A 5xx gives them back.
func Example_json() {
	order := func(w http.ResponseWriter, r *http.Request) {
		flash.Success(r.Context(), "Ordered.")
		body, err := json.Marshal(map[string]any{"order": 7, "messages": flash.Take(r.Context())})
		if err != nil {
			http.Error(w, "no order", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}
	sessions := session.New(memstore.New(), session.Options{Insecure: true})
	rec := httptest.NewRecorder()
	sessions.Handler(http.HandlerFunc(order)).ServeHTTP(rec, httptest.NewRequest("POST", "/order", nil))
	fmt.Println(rec.Body)
	// Output:
	// {"messages":[{"level":"success","text":"Ordered."}],"order":7}
}
