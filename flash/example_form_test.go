package flash_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

var signUpPage = template.Must(template.New("").Parse(
	`<input name="email" value="{{.Value "email"}}">{{with .Error "email"}} <em>{{.}}</em>{{end}}
<input type="checkbox" name="news" value="on"{{if .Checked "news" "on"}} checked{{end}}>
`))

// A form that failed comes back with what was typed and what is wrong with it,
// once, and without the password.
func ExampleForm() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /signup", func(w http.ResponseWriter, r *http.Request) {
		if err := signUpPage.Execute(w, flash.TakeForm(r.Context(), "/signup")); err != nil {
			fmt.Println(err)
		}
	})
	mux.HandleFunc("POST /signup", func(w http.ResponseWriter, r *http.Request) {
		form := flash.NewForm(r, "email", "news")
		if !strings.Contains(form.Value("email"), "@") {
			form.Fail("email", "has no @")
		}
		if !form.OK() {
			form.Redirect(w, r, "/signup")
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})

	sessions := session.New(memstore.New(), session.Options{Insecure: true})
	app := sessions.Handler(mux)
	post := httptest.NewRequest("POST", "/signup", strings.NewReader("email=alice&news=on&password=secret"))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	failed := httptest.NewRecorder()
	app.ServeHTTP(failed, post)

	get := httptest.NewRequest("GET", failed.Header().Get("Location"), nil)
	get.AddCookie(failed.Result().Cookies()[0])
	page := httptest.NewRecorder()
	app.ServeHTTP(page, get)
	fmt.Println(page.Body)
	// Output:
	// <input name="email" value="alice"> <em>has no @</em>
	// <input type="checkbox" name="news" value="on" checked>
}
