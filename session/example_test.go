package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

type Cart struct {
	Items map[string]int
}

func (c *Cart) Add(item string, n int) {
	if c.Items == nil {
		c.Items = map[string]int{}
	}
	c.Items[item] += n
}

var cartKey = session.NewKey[Cart]("example-cart")

// A cart: every visitor has one, and requests that add to it at the same time
// lose nothing.
func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		item := r.FormValue("item")
		cartKey.Update(r.Context(), func(c *Cart) { c.Add(item, 1) })
		flash.Success(r.Context(), item+" is in your cart")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, cartKey.Get(r.Context()).Items, flash.Take(r.Context()))
	})
	sessions := session.New(memstore.New(), session.Options{})
	log.Fatal(http.ListenAndServe("localhost:8080", sessions.Handler(mux)))
}

// Signing in gives the session a new id and keeps the cart.
func ExampleLogin() {
	signIn := func(w http.ResponseWriter, r *http.Request) {
		user, err := check(r.FormValue("user"), r.FormValue("password"))
		if err != nil {
			flash.Error(r.Context(), "User name or password are wrong.")
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		session.Login(r.Context(), user)
		if r.FormValue("remember") != "" {
			session.Remember(r.Context(), 30*24*time.Hour)
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
	http.HandleFunc("POST /login", signIn)
}

func check(name, password string) (id string, err error) { return "", errors.New("nobody is known") }

// Signing out ends the session now; what is changed afterwards begins a new one.
func ExampleLogout() {
	signOut := func(w http.ResponseWriter, r *http.Request) {
		if err := session.Logout(r.Context()); err != nil {
			session.Error(w, r, err)
			return
		}
		flash.Info(r.Context(), "You are signed out.")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
	http.HandleFunc("POST /logout", signOut)
}

// Do is for clients that keep the token themselves. Here it is the whole life
// of a session, without HTTP.
func ExampleManager_Do() {
	var visits = session.NewKey[int]("example-visits")
	sessions := session.New(memstore.New(), session.Options{})
	token := ""
	for range 3 {
		var err error
		token, err = sessions.Do(context.Background(), token, func(ctx context.Context) error {
			visits.Update(ctx, func(n *int) { *n++ })
			fmt.Println("visit", visits.Get(ctx))
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// visit 1
	// visit 2
	// visit 3
}

// Transact checks and changes several keys as one.
func ExampleTransact() {
	var (
		balance = session.NewKey[int]("example-balance")
		bought  = session.NewKey[[]string]("example-bought")
	)
	errTooExpensive := errors.New("too expensive")
	buy := func(ctx context.Context, item string, price int) error {
		return session.Transact(ctx, func(ctx context.Context) error {
			if balance.Get(ctx) < price {
				return errTooExpensive
			}
			balance.Update(ctx, func(b *int) { *b -= price })
			bought.Update(ctx, func(items *[]string) { *items = append(*items, item) })
			return nil
		})
	}

	sessions := session.New(memstore.New(), session.Options{})
	_, err := sessions.Do(context.Background(), "", func(ctx context.Context) error {
		balance.Set(ctx, 100)
		fmt.Println(buy(ctx, "lime", 45), buy(ctx, "lemon", 55), buy(ctx, "carrot", 20))
		fmt.Println(balance.Get(ctx), bought.Get(ctx))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// <nil> <nil> too expensive
	// 0 [lime lemon]
}

// A value that is to be used once, such as the state of a sign-in elsewhere.
func ExampleKey_Take() {
	var state = session.NewKey[string]("example-state")
	callback := func(w http.ResponseWriter, r *http.Request) {
		expected, ok, err := state.Take(r.Context())
		switch {
		case err != nil:
			session.Error(w, r, err)
		case !ok || expected != r.FormValue("state"):
			http.Error(w, "this sign-in was not begun here, or is over", http.StatusBadRequest)
		default:
			fmt.Fprintln(w, "welcome")
		}
	}
	http.HandleFunc("GET /callback", callback)
}
