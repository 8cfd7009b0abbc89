// Package flash tells visitors something on the next page, once.
//
//	func add(w http.ResponseWriter, r *http.Request) {
//		...
//		flash.Success(r.Context(), "The lime is in your cart.")
//		http.Redirect(w, r, "/", http.StatusSeeOther)
//	}
//
//	func show(w http.ResponseWriter, r *http.Request) {
//		page.Execute(w, flash.Take(r.Context()))
//	}
//
// Messages live in the visitor's session (package session), so the handler has
// to be behind a session.Manager. For anything else than messages there is
// [Bag], which does the same for any type.
//
// Each message is handed out at most once, also to parallel requests, on every
// store. It waits any number of requests for a page that takes it, until it
// expires. A page that took it and was not shown gives it back: a redirect, a
// 5xx, a panic before the first byte. A HEAD request or a prefetch looks without
// taking.
package flash
