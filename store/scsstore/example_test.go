package scsstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/scsstore"
)

func Example() {
	// Any scs store: mysqlstore.New(db), boltstore.New(db), firestore.New(client).
	sessions := session.New(scsstore.New(memstore.New(), scsstore.Options{}), session.Options{Insecure: true})
	visits := session.NewKey[int]("visits")

	app := sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Update(r.Context(), func(n *int) { *n++ })
		fmt.Println("visit", visits.Get(r.Context()))
	}))

	first := httptest.NewRecorder()
	app.ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/", nil))

	again := httptest.NewRequest(http.MethodGet, "/", nil)
	again.AddCookie(first.Result().Cookies()[0])
	app.ServeHTTP(httptest.NewRecorder(), again)
	// Output:
	// visit 1
	// visit 2
}

// An scs store can't list a user's sessions, and the manager says so.
func Example_noIndex() {
	sessions := session.New(scsstore.New(memstore.New(), scsstore.Options{}), session.Options{})
	_, err := sessions.Sessions(context.Background(), "42")
	fmt.Println(err)
	// Output: session: the store does not list a user's sessions; use one that is a store.Indexer, as memstore, redisstore and sqlstore are
}
