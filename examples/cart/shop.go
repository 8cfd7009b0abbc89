package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

// newShop returns the whole shop, with its sessions kept in s.
func newShop(s store.Store) http.Handler {
	_, inMemory := s.(*memstore.Store)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show(inMemory))
	mux.HandleFunc("POST /cart", add)
	mux.HandleFunc("POST /cart/qty", setQty)
	mux.HandleFunc("POST /cart/remove", remove)
	mux.HandleFunc("POST /login", signIn)
	mux.HandleFunc("POST /logout", signOut)
	mux.HandleFunc("GET "+staticPath+"{file}", serveStatic)

	sessions := session.New(s, session.Options{
		Cookie: session.Cookie{Name: "cart"},

		// Plain HTTP, for a tour on localhost. A site on HTTPS leaves this out, and
		// its cookie is Secure and has the __Host- prefix.
		Insecure: true,

		Skip: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, staticPath) },
	})
	return http.NewCrossOriginProtection().Handler(bounded(sessions.Handler(mux)))
}

func show(inMemory bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		render(w, r, page{
			User:      session.UserID(ctx),
			Cart:      append(Cart{}, cart.Get(ctx)...), // an empty cart is [] in JSON, not null
			Messages:  flash.Take(ctx),
			Catalogue: catalogue,
			InMemory:  inMemory,
		})
	}
}

func add(w http.ResponseWriter, r *http.Request) {
	item, qty, ok := lineOf(w, r, 1)
	if !ok {
		return
	}
	// Not Get and then Set: of two tabs that add at the same time, Update keeps both.
	cart.Update(r.Context(), func(c *Cart) { c.Add(item, qty) })
	flash.Success(r.Context(), fmt.Sprintf("Added to your cart: %d × %s.", qty, item))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func setQty(w http.ResponseWriter, r *http.Request) {
	item, qty, ok := lineOf(w, r, 0)
	if !ok {
		return
	}
	cart.Update(r.Context(), func(c *Cart) { c.Set(item, qty) })
	flash.Info(r.Context(), fmt.Sprintf("In your cart now: %d × %s.", qty, item))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func remove(w http.ResponseWriter, r *http.Request) {
	item, ok := itemOf(w, r)
	if !ok {
		return
	}
	cart.Update(r.Context(), func(c *Cart) { c.Set(item, 0) })
	flash.Info(r.Context(), fmt.Sprintf("No %s in your cart any more.", item))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// maxQty bounds what one form adds or sets. A cart may hold more.
const maxQty = 99

// lineOf returns the item that r's form names, and a quantity of at least least.
// A form without one means one. What can't be used it refuses, and returns false.
func lineOf(w http.ResponseWriter, r *http.Request, least int) (item string, qty int, ok bool) {
	if item, ok = itemOf(w, r); !ok {
		return "", 0, false
	}
	if !r.PostForm.Has("qty") {
		return item, 1, true
	}
	qty, err := strconv.Atoi(r.PostForm.Get("qty"))
	if err != nil || qty < least || qty > maxQty {
		refuse(w, r, http.StatusBadRequest, fmt.Sprintf("A quantity is a whole number from %d to %d.", least, maxQty))
		return "", 0, false
	}
	return item, qty, true
}

func itemOf(w http.ResponseWriter, r *http.Request) (item string, ok bool) {
	if !parseForm(w, r) {
		return "", false
	}
	item = r.PostForm.Get("item")
	if _, sold := find(item); !sold {
		refuse(w, r, http.StatusBadRequest, "We don't sell that.")
		return "", false
	}
	return item, true
}
