package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/gosatchel/satchel/flash"
)

// The pages, as visitors see them in HTML or JSON.
type (
	common struct {
		User     string          `json:"user"`
		Messages []flash.Message `json:"messages"`
		InMemory bool            `json:"-"`
	}
	loginPage struct {
		common
		Form struct {
			User string `json:"user"`
		} `json:"form"`
		Kept bool `json:"-"`
	}
	accountPage struct {
		common
		Sessions []listed `json:"sessions"`
	}
	codesPage struct {
		common
		Codes []string `json:"codes"`
	}
)

//go:embed *.html
var pages embed.FS

var (
	homeTemplate    = parse("home.html")
	loginTemplate   = parse("login.html")
	accountTemplate = parse("account.html")
	codesTemplate   = parse("codes.html")
)

// parse returns the layout with the page in file in it.
func parse(file string) *template.Template {
	layout := template.New("layout.html").Funcs(template.FuncMap{"static": staticURL, "ago": ago})
	return template.Must(layout.ParseFS(pages, "layout.html", file))
}

// policy lets a page load what the app itself serves, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render sends a page. It is complete before the first byte goes out: if it
// can't be made, the answer is a 500, and the messages wait for the next page.
func render(w http.ResponseWriter, r *http.Request, t *template.Template, page any) {
	if wantsJSON(r) {
		sendJSON(w, http.StatusOK, page)
		return
	}
	var html bytes.Buffer
	if err := t.Execute(&html, page); err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	send(w, http.StatusOK, "text/html; charset=utf-8", html.Bytes())
}
