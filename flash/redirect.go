package flash

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// waitingForm is a form as it is stored.
type waitingForm struct {
	Path   string              `json:"p"`
	Values map[string][]string `json:"v,omitempty"`
	Errors map[string]string   `json:"e,omitempty"`
}

// What a client can make us keep of one form, in bytes: of its fields, as they are
// stored, and of the path, which may come from the client as well.
const (
	maxForm = 32 << 10
	maxPath = 2 << 10
)

// Redirect sends the browser to the page at path with a 303 (See Other), where
// [TakeForm] finds the form, within ten minutes. It costs no round trip of its own.
//
// path is a path of this site, such as "/signup", with a query and a fragment if
// you like. Two forms of one page have fragments of their own: with
// "/account#email" and "/account#password" the browser scrolls to the right one,
// and TakeForm tells them apart. Anything that could lead elsewhere, such as
// "//example.com", is refused: the answer is a 400, nothing is kept, and the log
// says why. Which page of the site it is, is for the app to say; a path that comes
// from the client leads where the client wants.
//
// Of one path the newest form waits, of different ones the newest four. A form
// keeps 32 KiB as JSON, first of errors, then of fields in the order in which
// NewForm was given them; a field that does not fit is left out as a whole, so
// that nobody saves half of what they wrote.
func (f *Form) Redirect(w http.ResponseWriter, r *http.Request, path string) {
	ctx := r.Context()
	if err := onThisSite(path); err != nil {
		forms.exchange(ctx).Report("a form leads nowhere", err)
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	f.Store(ctx, path)
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// Store is Redirect without the redirect, for answers of another kind that lead to
// path: an HX-Location, or JSON for a client that goes there by itself. It does not
// look at where path leads.
func (f *Form) Store(ctx context.Context, path string) {
	forms.replace(ctx, f.waiting(path), func(other waitingForm) bool { return other.Path == path })
}

// onThisSite returns an error if path could lead a browser to another host.
// Browsers read a backslash as a slash, and skip tabs and line breaks, which
// url.Parse refuses.
func onThisSite(path string) error {
	u, err := url.Parse(path)
	switch {
	case len(path) > maxPath:
		return errors.New("flash: Form.Redirect: the path is longer than 2 KiB")
	case err != nil:
		return errors.New("flash: Form.Redirect: the path can't be parsed")
	case u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//"):
		return errors.New("flash: Form.Redirect needs a path of this site, which begins with one slash")
	case strings.Contains(path, `\`):
		return errors.New("flash: Form.Redirect: the path has a backslash")
	}
	return nil
}

// waiting returns what of the form is kept for path.
func (f *Form) waiting(path string) waitingForm {
	kept := waitingForm{Path: path, Values: map[string][]string{}, Errors: map[string]string{}}
	left := maxForm
	fits := func(name string, v any) bool {
		size := encoded(name) + encoded(v)
		if size > left {
			return false
		}
		left -= size
		return true
	}
	for _, name := range slices.Sorted(maps.Keys(f.errors)) {
		if text := f.errors[name]; fits(name, text) {
			kept.Errors[name] = text
		}
	}
	for _, name := range f.names {
		if values := f.values[name]; fits(name, values) {
			kept.Values[name] = values
		}
	}
	return kept
}

// encoded returns how long v is as JSON. What is in a Form always is some.
func encoded(v any) int {
	raw, _ := json.Marshal(v)
	return len(raw)
}
