package trial

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A Browser sends requests to a handler and keeps the cookies that it sets, by
// name alone. Its requests can run at the same time; each takes the cookies as
// they are when it begins.
type Browser struct {
	handler http.Handler
	mu      sync.Mutex
	cookies map[string]string
}

// NewBrowser returns a browser without cookies, in front of h.
func NewBrowser(h http.Handler) *Browser {
	return &Browser{handler: h, cookies: map[string]string{}}
}

// Fork returns a browser with the same cookies, which learns nothing more of
// this one: a straggler, or a thief.
func (b *Browser) Fork() *Browser {
	f := NewBrowser(b.handler)
	for name, value := range b.Cookies() {
		f.cookies[name] = value
	}
	return f
}

// Cookies returns a copy of the cookies.
func (b *Browser) Cookies() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	cookies := map[string]string{}
	for name, value := range b.cookies {
		cookies[name] = value
	}
	return cookies
}

// SetCookie plants a cookie.
func (b *Browser) SetCookie(name, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cookies[name] = value
}

// Get sends a GET for path. Edits change the request before it goes out.
func (b *Browser) Get(t testing.TB, path string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	return b.Do(t, httptest.NewRequest(http.MethodGet, path, nil), edits...)
}

// Post sends a form, as in "item=lime&qty=2".
func (b *Browser) Post(t testing.TB, path, form string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.Do(t, r, edits...)
}

// Do sends r with the cookies, and keeps those of the response.
func (b *Browser) Do(t testing.TB, r *http.Request, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	for name, value := range b.Cookies() {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

// Header returns an edit that sets a header of the request.
func Header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}
