package check

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
)

// JSON makes a request one of a client that wants JSON.
var JSON = trial.Header("Accept", "application/json")

// BodyLimit checks that a POST of form to path is accepted with up to 64 KiB, and
// refused as too large beyond, whether its length is announced or not.
func BodyLimit(t *testing.T, h http.Handler, path, form string) {
	server := httptest.NewServer(h)
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	for _, size := range []struct{ bytes, status int }{
		{64 << 10, http.StatusSeeOther},
		{64<<10 + 1, http.StatusRequestEntityTooLarge},
		{4 << 20, http.StatusRequestEntityTooLarge},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, chunked %t", size.bytes, chunked), func(t *testing.T) {
				var body io.Reader = strings.NewReader(form + "&padding=" + strings.Repeat("x", size.bytes-len(form)-len("&padding=")))
				if chunked {
					body = io.MultiReader(body) // hides the length
				}
				response, err := client.Post(server.URL+path, "application/x-www-form-urlencoded", body)
				if err != nil {
					t.Fatalf("no answer: %v", err)
				}
				response.Body.Close()
				if response.StatusCode != size.status {
					t.Errorf("got %d, want %d", response.StatusCode, size.status)
				}
			})
		}
	}
}

// Statuses checks how requests outside of what the app offers are answered, and
// that none of them gets a session. The key is a method and a path.
func Statuses(t *testing.T, h http.Handler, want map[string]int) {
	for request, status := range want {
		t.Run(request, func(t *testing.T) {
			method, path, _ := strings.Cut(request, " ")
			w := trial.NewBrowser(h).Do(t, httptest.NewRequest(method, path, nil))
			if w.Code != status {
				t.Errorf("got %d, want %d", w.Code, status)
			}
			if c := w.Header().Get("Set-Cookie"); c != "" {
				t.Errorf("got a cookie: %q", c)
			}
		})
	}
}

// CrossOrigin checks that no path takes a POST that another site's page sends.
func CrossOrigin(t *testing.T, h http.Handler, paths ...string) {
	for _, path := range paths {
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
			t.Run(path+" "+header[1], func(t *testing.T) {
				w := trial.NewBrowser(h).Post(t, path, "", trial.Header(header[0], header[1]))
				if w.Code != http.StatusForbidden {
					t.Errorf("got %d, want 403", w.Code)
				}
			})
		}
	}
}

// Static checks that the file at the URL that page links with prefix is there to
// stay in caches, and costs no session.
func Static(t *testing.T, h http.Handler, page, contentType, prefix string) {
	t.Helper()
	_, rest, found := strings.Cut(page, `"`+prefix)
	if !found {
		t.Fatalf("the page does not link %s", prefix)
	}
	version, _, _ := strings.Cut(rest, `"`)
	w := trial.NewBrowser(h).Get(t, prefix+version)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), contentType) {
		t.Errorf("%s: got %d, %s", prefix, w.Code, w.Header().Get("Content-Type"))
	}
	if got := w.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("%s: Cache-Control is %q", prefix, got)
	}
	if w.Header().Get("Vary") != "" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%s has to do with the session: %v", prefix, w.Header())
	}
}
