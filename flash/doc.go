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
// [Bag], which does the same for any type, and for what was typed into a form
// that failed there is [Form].
//
// # Once
//
// Each message is handed out at most once, also to parallel requests, on every
// store, in any number of processes. It waits any number of requests for a page
// that takes it, until it expires: a message after an hour, a form after ten
// minutes. Of a bag's values the newest 50 wait, of forms the newest 4.
//
// A page that took it and was not shown gives it back: a redirect, a 5xx, a panic
// before the first byte. A HEAD request or a prefetch looks without taking. With
// [Keep] a page shows it and leaves it for the next one, and with [Now] it is for
// this page alone.
//
// If the store fails, the page has no messages, and they wait; a flash never
// breaks a page. What was taken and can't go back is lost, and never shown twice.
//
// Where nothing waits, reading costs no write, no cookie and no round trip.
//
// # In pages
//
// Messages and forms are text. html/template and templ escape them; a message
// that is HTML is one that the app says is, with a Bag of template.HTML.
//
//	{{range .Messages}}<p role="{{.Role}}" class="{{.Level}}">{{.Text}}</p>{{end}}
//
// The examples show messages in a header for htmx, in a JSON body, and in a stream
// of server-sent events.
package flash
