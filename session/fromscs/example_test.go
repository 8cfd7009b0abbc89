package fromscs_test

import (
	"encoding/gob"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/alexedwards/scs/v2"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/fromscs"
	"github.com/gosatchel/satchel/store/memstore"
)

// A Basket is registered as the old app did it, in its package main.
type Basket struct{ Items []string }

var basket = session.NewKey[Basket]("basket")

// A visitor of an app that used scs finds the cart, and is signed in, in one that uses
// Satchel.
func Example() {
	gob.RegisterName("main.Basket", Basket{})
	old := scs.New() // with the Store, Cookie and HashTokenInStore that the app has

	shop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(session.UserID(r.Context()), basket.Get(r.Context()).Items)
	})
	sessions := session.New(memstore.New(), session.Options{
		Insecure: true, // plain HTTP on localhost
		Import: fromscs.New(old, func(values map[string]any) string {
			user, _ := values["userID"].(string)
			return user
		}),
	})

	// A visitor, mid-cart at the old app:
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	old.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		old.Put(r.Context(), "userID", "ann")
		old.Put(r.Context(), "basket", Basket{[]string{"lime", "mint"}})
	})).ServeHTTP(w, r)

	// comes back to the new one.
	r.AddCookie(w.Result().Cookies()[0])
	sessions.Handler(shop).ServeHTTP(httptest.NewRecorder(), r)
	// Output: ann [lime mint]
}
