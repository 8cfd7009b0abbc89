package flash_test

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

// signUp is an app with a form at /signup, which always fails.
var signUp = pages{
	"/signup": func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			showForm(w, flash.TakeForm(r.Context(), "/signup"))
			return
		}
		form := flash.NewForm(r, "email", "name", "news", "pets")
		form.Fail("email", "is taken")
		form.Fail("email", "is also odd")
		form.Fail("password", "is too short")
		form.Redirect(w, r, "/signup")
	},
	"/other": func(w http.ResponseWriter, r *http.Request) { showForm(w, flash.TakeForm(r.Context(), "/other")) },
}

var formPage = template.Must(template.New("").Parse(
	`{{.Value "email"}}|{{.Value "name" "nobody"}}|{{.Checked "news" "on" true}}|{{range .Values "pets"}}{{.}},{{end}}` +
		`|{{.Selected "pets" "dog"}} {{.Selected "pets" "eel"}}|{{.Error "email"}}|{{.Error "password"}}|{{.Value "password"}}|{{.OK}}`))

// What formPage shows of a form that nobody has tried.
const untried = "|nobody|true||false false||||true"

func showForm(w io.Writer, form *flash.Form) {
	if err := formPage.Execute(w, form); err != nil {
		fmt.Fprint(w, err)
	}
}

func TestForm_IsFilledAgainAfterARedirect_Once(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, signUp)
		w := b.Post(t, "/signup", "email=a@b&name=&pets=cat&pets=dog&password=secret&card=4111")
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/signup" {
			t.Fatalf("got %d to %q", w.Code, w.Header().Get("Location"))
		}
		if got := b.Get(t, "/other").Body.String(); got != untried {
			t.Errorf("the page of another form shows %s", got)
		}
		for range 2 {
			if got := b.Do(t, httptest.NewRequest(http.MethodHead, "/signup", nil)).Body.String(); !strings.HasPrefix(got, "a@b|") {
				t.Errorf("HEAD shows %s", got)
			}
		}
		const want = "a@b||false|cat,dog,|true false|is taken|is too short||false"
		if got := b.Get(t, "/signup").Body.String(); got != want {
			t.Errorf("the page shows\n%s, want\n%s", got, want)
		}
		if got := b.Get(t, "/signup").Body.String(); got != untried {
			t.Errorf("then it shows %s", got)
		}
	})
}

// Only what was named gets into the store, whatever the client sends.
func TestForm_StoresTheNamedFieldsAndNothingElse(t *testing.T) {
	var stored []byte
	watched := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		stored = append(stored, op.Next.Data...)
		return call()
	})
	b := browse(watched, signUp)
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, value := range map[string]string{"email": "a@b", "password": "secret-1", "Email": "secret-2", "email[]": "secret-3"} {
		parts.WriteField(name, value)
	}
	file, _ := parts.CreateFormFile("name", "secret-4.txt")
	io.WriteString(file, "secret-5")
	parts.Close()
	r := httptest.NewRequest(http.MethodPost, "/signup?name=secret-6&pets=secret-7", &body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	if w := b.Do(t, r); w.Code != http.StatusSeeOther {
		t.Fatalf("got %d", w.Code)
	}
	if !bytes.Contains(stored, []byte("a@b")) || bytes.Contains(stored, []byte("secret")) {
		t.Errorf("stored: %s", stored)
	}
	if got := b.Get(t, "/signup").Body.String(); !strings.HasPrefix(got, "a@b||") {
		t.Errorf("a multipart form comes back as %s", got)
	}
}

func TestForm_IsHandedToOneOf64PageLoads(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, signUp)
		b.Post(t, "/signup", "email=a@b")
		filled := make([]int, 64)
		together(64, func(i int) {
			if got := b.Get(t, "/signup").Body.String(); got != untried {
				filled[i] = 1
			}
		})
		if n := len(filled) - len(slices.DeleteFunc(filled, func(n int) bool { return n == 1 })); n != 1 {
			t.Errorf("%d of 64 page loads got the form, want 1", n)
		}
	})
}

func TestForm_ExpiresAfterTenMinutes(t *testing.T) {
	for wait, there := range map[time.Duration]bool{10*time.Minute - time.Second: true, 10 * time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			b := browse(trial.Memory(t), signUp)
			b.Post(t, "/signup", "email=a@b")
			time.Sleep(wait) // the bubble's clock
			if got := b.Get(t, "/signup").Body.String(); (got != untried) != there {
				t.Errorf("after %v: %s", wait, got)
			}
		})
	}
}

// anyPage stores a form for the path in the query, and shows it.
var anyPage = pages{"/store": func(w http.ResponseWriter, r *http.Request) {
	flash.NewForm(r, "a", "b", "c").Redirect(w, r, r.URL.Query().Get("to"))
}, "/show": func(w http.ResponseWriter, r *http.Request) {
	form := flash.TakeForm(r.Context(), r.URL.Query().Get("to"))
	fmt.Fprintf(w, "%d %d %d", len(form.Value("a")), len(form.Value("b")), len(form.Value("c")))
}}

func TestForm_OneWaitsForEachPath_AndFourInAll(t *testing.T) {
	b := browse(trial.Memory(t), anyPage)
	for i, path := range []string{"/1", "/2", "/3", "/4#email", "/4#name", "/5?id=7", "/5?id=7"} {
		b.Post(t, "/store?to="+url.QueryEscape(path), "a="+strings.Repeat("x", i))
	}
	for path, want := range map[string]string{
		"/1": "0 0 0", "/2": "0 0 0", "/3": "2 0 0", "/4": "0 0 0", "/4#email": "3 0 0", "/4#name": "4 0 0", "/5": "0 0 0", "/5?id=7": "6 0 0",
	} {
		if got := b.Get(t, "/show?to="+url.QueryEscape(path)).Body.String(); got != want {
			t.Errorf("%s shows %s, want %s", path, got, want)
		}
	}
}

func TestForm_KeepsNoMoreThan32KiB(t *testing.T) {
	const most = 32 << 10
	for name, c := range map[string]struct{ body, want string }{
		"just what fits":                {"a=" + strings.Repeat("x", most-32), fmt.Sprint(most-32, " 0 0")},
		"what does not fit is left out": {"a=1&b=" + strings.Repeat("x", most) + "&c=3", "1 0 1"},
		"in as many values as you like": {"a=1" + strings.Repeat("&b=12", most/4) + "&c=3", "1 0 1"},
		"or as JSON escapes it":         {"a=1&b=" + strings.Repeat("%01", most/4) + "&c=3", "1 0 1"},
	} {
		b := browse(trial.Memory(t), anyPage)
		if w := b.Post(t, "/store?to=/x", c.body); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: got %d", name, w.Code)
		}
		if got := b.Get(t, "/show?to=/x").Body.String(); got != c.want {
			t.Errorf("%s: the lengths are %s, want %s", name, got, c.want)
		}
	}
}

func TestForm_InvalidUTF8IsReplaced(t *testing.T) {
	b := browse(trial.Memory(t), signUp)
	b.Post(t, "/signup", "email=a%ff%fe&name=%c3")
	if got := b.Get(t, "/signup").Body.String(); !strings.HasPrefix(got, "a\uFFFD|\uFFFD|") {
		t.Errorf("the page shows %q", got)
	}
}

func TestForm_ABodyThatCantBeParsedIsNotOK(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body string }{
		"an escape": {"application/x-www-form-urlencoded", "email=a%40b&name=%zz"},
		"too much":  {"application/x-www-form-urlencoded", "email=" + strings.Repeat("x", 2000)},
		"cut short": {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 1000)
		form := flash.NewForm(r, "email", "name")
		if form.OK() || form.Err() == nil {
			t.Errorf("%s: OK is %t, Err is %v", name, form.OK(), form.Err())
		}
	}
}

// A handler that answers a failed POST with the page itself, as a 422, has the
// same template.
func TestForm_ReadsTheSameBeforeTheRedirect(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("email=a@b&news=on&password=secret"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form := flash.NewForm(r, "email", "name", "news")
	if !form.OK() || form.Err() != nil {
		t.Error("a form with no errors is not OK")
	}
	form.Fail("", "The shop is closed.")
	var got strings.Builder
	showForm(&got, form)
	if want := "a@b||true||false false||||false"; got.String() != want {
		t.Errorf("shows %s, want %s", &got, want)
	}
	if form.Error("") != "The shop is closed." {
		t.Errorf("of the whole form it says %q", form.Error(""))
	}
}

func TestForm_NilAndZeroReadAsUntried(t *testing.T) {
	for name, form := range map[string]*flash.Form{"nil": nil, "zero": new(flash.Form)} {
		var got strings.Builder
		showForm(&got, form)
		if got.String() != untried || form.Err() != nil {
			t.Errorf("%s shows %s", name, &got)
		}
		got.Reset()
		page := template.Must(template.New("").Parse(`{{.Form.Value "a" "b"}}{{with .Form}} tried{{end}}`))
		if err := page.Execute(&got, struct{ Form *flash.Form }{form}); err != nil {
			t.Error(err)
		}
		if want := map[bool]string{true: "b", false: "b tried"}[form == nil]; got.String() != want {
			t.Errorf("%s in a page shows %s", name, &got)
		}
	}
}

// TestForm_OfTwoTriesTheNewerIsShown, also where a page that failed gave the older
// one back after the newer one had come.
func TestForm_OfTwoTriesTheNewerIsShown(t *testing.T) {
	var b *trial.Browser
	fail := true
	b = browse(trial.Memory(t), pages{
		"/try": func(w http.ResponseWriter, r *http.Request) {
			form := flash.NewForm(r, "email")
			form.Fail("email", "is taken")
			form.Redirect(w, r, "/signup")
		},
		"/signup": func(w http.ResponseWriter, r *http.Request) {
			form := flash.TakeForm(r.Context(), "/signup")
			if fail {
				fail = false
				b.Fork().Post(t, "/try", "email=newer")
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, form.Value("email"))
		},
	})
	b.Post(t, "/try", "email=older")
	b.Get(t, "/signup")
	for _, want := range []string{"newer", ""} {
		if got := b.Get(t, "/signup").Body.String(); got != want {
			t.Errorf("the form shows %q, want %q", got, want)
		}
	}
}
