package fromgorilla_test

import (
	"encoding/gob"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gorilla/sessions"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/fromgorilla"
	"github.com/gosatchel/satchel/store/memstore"
)

// A Basket is registered as the old app did it, in its package main.
type Basket struct{ Items []string }

var basket = session.NewKey[Basket]("basket")

// A visitor of an app that used gorilla/sessions finds the cart, and is signed in, in
// one that uses Satchel.
func Example() {
	gob.RegisterName("main.Basket", Basket{})
	old := sessions.NewCookieStore([]byte("the key that the old app has had")) // or any other store

	shop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(session.UserID(r.Context()), basket.Get(r.Context()).Items)
	})
	manager := session.New(memstore.New(), session.Options{
		Insecure: true, // plain HTTP on localhost
		Import: fromgorilla.New(old, "shop-session", func(values map[any]any) string {
			user, _ := values["user"].(string)
			return user
		}),
	})

	// A visitor, mid-cart at the old app:
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	before, err := old.Get(r, "shop-session")
	if err != nil {
		log.Fatal(err)
	}
	before.Values["user"] = "ann"
	before.Values["basket"] = Basket{[]string{"lime", "mint"}}
	if err := before.Save(r, w); err != nil {
		log.Fatal(err)
	}

	// comes back to the new one.
	r = httptest.NewRequest("GET", "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	manager.Handler(shop).ServeHTTP(httptest.NewRecorder(), r)
	// Output: ann [lime mint]
}
