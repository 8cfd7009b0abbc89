package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/gosatchel/satchel/flash"
)

// page is the shop as the visitor sees it, in HTML or JSON.
type page struct {
	User     string          `json:"user"`
	Cart     Cart            `json:"cart"`
	Messages []flash.Message `json:"messages"`

	Catalogue []Product `json:"-"`
	InMemory  bool      `json:"-"`
}

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"static": staticURL}).Parse(pageSource))

// policy lets the page load what the shop itself serves, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render sends the page. It is complete before the first byte goes out: if it
// can't be made, the answer is a 500, and the messages wait for the next page.
func render(w http.ResponseWriter, r *http.Request, p page) {
	if wantsJSON(r) {
		sendJSON(w, http.StatusOK, p)
		return
	}
	var html bytes.Buffer
	if err := pageTemplate.Execute(&html, p); err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	send(w, http.StatusOK, "text/html; charset=utf-8", html.Bytes())
}
