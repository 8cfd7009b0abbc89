package flash

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Form is what a visitor has typed into a form and what is wrong with it. It
// takes both over the redirect after a failed POST, so that the page can show the
// form again as it was:
//
//	func signUp(w http.ResponseWriter, r *http.Request) {
//		form := flash.NewForm(r, "email", "name") // and not the password
//		if taken(form.Value("email")) {
//			form.Fail("email", "is taken")
//		}
//		if !form.OK() {
//			form.Redirect(w, r, "/signup")
//			return
//		}
//		...
//	}
//
//	func showSignUp(w http.ResponseWriter, r *http.Request) {
//		page.Execute(w, flash.TakeForm(r.Context(), "/signup"))
//	}
//
// The methods that read work on a nil Form too, which is a form that nobody has
// tried yet, so that a template needs no condition:
//
//	<input name="email" value="{{.Value "email"}}">
//	{{with .Error "email"}}<p role="alert">{{.}}</p>{{end}}
//
// What is in a Form is text that somebody sent: html/template escapes it. A Form
// is for the goroutine of one request.
type Form struct {
	names  []string
	values map[string][]string // has every field of names, also those that were not sent
	errors map[string]string
	broken error
}

// formMemory is what of a multipart body is held in memory; the rest of its files
// waits on disk.
const formMemory = 1 << 20

// NewForm returns the form in the body of r: of all its fields the named ones, and
// no others, so that a password or a card number gets in only if you name it.
// Fields of the URL and uploaded files are never in it.
//
// It parses the body, if nobody has: urlencoded or multipart. How large it may be
// is for http.MaxBytesHandler to say. What is no UTF-8 becomes U+FFFD.
func NewForm(r *http.Request, fields ...string) *Form {
	f := &Form{names: fields, values: make(map[string][]string, len(fields))}
	// First by itself: ParseMultipartForm keeps its error quiet.
	f.broken = r.ParseForm()
	if err := r.ParseMultipartForm(formMemory); f.broken == nil && !errors.Is(err, http.ErrNotMultipart) {
		f.broken = err
	}
	for _, name := range fields {
		f.values[name] = nil
		for _, v := range r.PostForm[name] {
			f.values[name] = append(f.values[name], strings.ToValidUTF8(v, "\uFFFD"))
		}
	}
	return f
}

// Err returns why the body could not be parsed, or nil: with errors.As it is an
// *http.MaxBytesError where the body was too large. Then the form has what was
// understood, and is not OK. If somebody has parsed the body before, as
// PostFormValue does, what went wrong there is not known here; look at the form
// first.
func (f *Form) Err() error {
	if f == nil {
		return nil
	}
	return f.broken
}

// Fail says what is wrong with a field, which need not be one that NewForm was
// given: a password can be too short without being kept. The field "" stands for
// the form as a whole. Of several errors of one field, the first stays.
func (f *Form) Fail(field, text string) {
	if f.errors == nil {
		f.errors = map[string]string{}
	}
	if _, failed := f.errors[field]; !failed {
		f.errors[field] = strings.ToValidUTF8(text, "\uFFFD")
	}
}

// OK reports whether nothing is wrong with the form.
func (f *Form) OK() bool { return f == nil || len(f.errors) == 0 && f.broken == nil }

// Value returns what was typed into a field, and the first value of several. If
// there is no such field, or nobody has tried the form yet, it returns fallback,
// if there is one: Value("email", user.Email) fills a form to edit what there is.
func (f *Form) Value(field string, fallback ...string) string {
	values, tried := f.lookup(field)
	switch {
	case len(values) > 0:
		return values[0]
	case !tried && len(fallback) > 0:
		return fallback[0]
	}
	return ""
}

// Values returns all values of a field, in a slice of the caller's own.
func (f *Form) Values(field string) []string {
	values, _ := f.lookup(field)
	return slices.Clone(values)
}

// Checked reports whether the box of a field with this value was checked, or the
// radio button was chosen. Nobody sends a box that is not checked, so once the
// form was tried that means no, and only before it means fallback, if there is one.
//
//	<input type="checkbox" name="news" value="on"{{if .Checked "news" "on"}} checked{{end}}>
func (f *Form) Checked(field, value string, fallback ...bool) bool {
	values, tried := f.lookup(field)
	if !tried {
		return len(fallback) > 0 && fallback[0]
	}
	return slices.Contains(values, value)
}

// Selected is Checked for an option of a select, with multiple or without.
//
//	<option value="se"{{if .Selected "country" "se"}} selected{{end}}>Sweden</option>
func (f *Form) Selected(field, value string, fallback ...bool) bool {
	return f.Checked(field, value, fallback...)
}

// Error returns what is wrong with a field, or "".
func (f *Form) Error(field string) string {
	if f == nil {
		return ""
	}
	return f.errors[field]
}

// lookup returns the values of a field, and whether it is one of a form that was tried.
func (f *Form) lookup(field string) (values []string, tried bool) {
	if f == nil {
		return nil, false
	}
	values, tried = f.values[field]
	return values, tried
}

// forms are those on their way to their pages.
var forms = NewBag[waitingForm]("forms", Expiry(10*time.Minute), Most(4))

// TakeForm returns the form that was sent to path with Redirect, and removes it,
// or nil if there is none: then nobody has tried it, or another page load has it,
// or ten minutes have passed. Forms of other paths stay where they are. What is said of
// [Bag.Take] holds for it too: of parallel page loads one gets the form, it goes
// back if the page is not shown, it stays for a HEAD request or a prefetch, and if
// the store fails there is none.
//
// path is what Redirect was given, to the letter. It costs one round trip, and
// none if there is no form.
func TakeForm(ctx context.Context, path string) *Form {
	found := forms.take(ctx, func(f waitingForm) bool { return f.Path == path })
	if len(found) == 0 {
		return nil
	}
	newest := found[len(found)-1].Value // an older one is there if a page that failed gave it back
	names := slices.Sorted(maps.Keys(newest.Values))
	return &Form{names: names, values: newest.Values, errors: newest.Errors}
}
