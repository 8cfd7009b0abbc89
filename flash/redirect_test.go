package flash_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

func TestRedirect_StaysOnThisSite(t *testing.T) {
	for _, path := range []string{"/", "/signup", "/a/b?c=d&e=/f", "/account#email", "/caf%C3%A9", "/a//b"} {
		b := browse(trial.Memory(t), anyPage)
		w := b.Post(t, "/store?to="+url.QueryEscape(path), "a=1")
		if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/") {
			t.Errorf("%q got %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	for _, path := range []string{
		"", "signup", "?a", "#a", "https://example.com/", "//example.com", "///example.com", "/\\example.com", "\\\\example.com", "\\/example.com",
		"/\t/example.com", "/\n/example.com", "\t//example.com", " //example.com", "/\x00/example.com", "/\x7f", "javascript:alert(1)", "JavaScript:alert(1)",
		"http:example.com", "data:text/html,x", "/%zz", "/a\r\nSet-Cookie: a=b", "/" + strings.Repeat("x", 2<<10),
	} {
		b := browse(trial.Memory(t), anyPage)
		w := b.Post(t, "/store?to="+url.QueryEscape(path), "a=1")
		if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%q got %d to %q, cookie %q; want 400, and nothing kept", path, w.Code, w.Header().Get("Location"), w.Header().Get("Set-Cookie"))
		}
	}
}

func TestRedirect_SaysInTheLogAndInErrWhatIsWrong(t *testing.T) {
	b := browse(trial.Memory(t), pages{"/": func(w http.ResponseWriter, r *http.Request) {
		flash.NewForm(r).Redirect(w, r, "//example.com")
		if err := session.Err(r.Context()); err == nil || !strings.Contains(err.Error(), "path of this site") {
			t.Errorf("session.Err says %v", err)
		}
	}})
	b.Post(t, "/", "")
}

func TestStore_LeadsToTheSamePageWithoutARedirect(t *testing.T) {
	var operations []string
	watched := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		operations = append(operations, op.Name)
		return call()
	})
	b := browse(watched, pages{"/signup": signUp["/signup"], "/api": func(w http.ResponseWriter, r *http.Request) {
		flash.NewForm(r, "email").Store(r.Context(), "/signup")
		w.Header().Set("HX-Location", "/signup")
	}})
	b.Post(t, "/api", "email=a@b")
	if !slices.Equal(operations, []string{"swap"}) {
		t.Errorf("storing a form costs %v, want what a change costs", operations)
	}
	if got := b.Get(t, "/signup").Body.String(); !strings.HasPrefix(got, "a@b|") {
		t.Errorf("the page shows %s", got)
	}
	operations = nil
	b.Get(t, "/signup")
	if !slices.Equal(operations, []string{"find"}) {
		t.Errorf("a page without a form costs %v", operations)
	}
}
