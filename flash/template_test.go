package flash_test

import (
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
)

// hostile are texts that would be something else than text in one context or
// another of a page.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</script><script>alert(1)</script>`,
	`\u003cscript\u003e`,
	`";alert(1);//`,
	`javascript:alert(1)`,
	"`${alert(1)}`",
	`<!--`, `]]>`, `{{.}}`, `&lt;b&gt;`,
	"line\u2028break", "a\x00b", "\u202egnp.exe",
}

var hostilePage = template.Must(template.New("").Parse(`{{define "text"}}{{range .Messages}}<p role="{{.Role}}" class="{{.Level}}">{{.Text}}</p>
{{end}}{{end}}{{define "attribute"}}{{range .Messages}}<i title="{{.Text}}"></i><i title='{{.Text}}'></i><i data-x={{.Text}}></i>{{end}}
<input name="q" value="{{.Form.Value "q"}}"><p>{{.Form.Error "q"}}</p>{{end}}{{define "script"}}{{range .Messages}}<script>var s = {{.Text}}; var m = {{.}};</script>
<button onclick="show({{.Text}})"></button>{{end}}{{end}}{{define "url"}}{{range .Messages}}<a href="{{.Text}}"></a><a href="/?q={{.Text}}"></a>{{end}}{{end}}`))

// inPage returns what a context of the page shows of a text that went through a
// message and a form.
func inPage(t *testing.T, context, text string) string {
	b := browse(trial.Memory(t), pages{"/q": func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			flash.Error(r.Context(), r.PostFormValue("q"))
			form := flash.NewForm(r, "q")
			form.Fail("q", r.PostFormValue("q"))
			form.Redirect(w, r, "/q")
			return
		}
		page := struct {
			Messages []flash.Message
			Form     *flash.Form
		}{flash.Take(r.Context()), flash.TakeForm(r.Context(), "/q")}
		if err := hostilePage.ExecuteTemplate(w, context, page); err != nil {
			t.Error(err)
		}
	}})
	b.Post(t, "/q", "q="+url.QueryEscape(text))
	return b.Get(t, "/q").Body.String()
}

func TestTemplates_TextIsTextInEveryContext(t *testing.T) {
	for _, text := range hostile {
		got := inPage(t, "text", text)
		if want := `<p role="alert" class="error">` + template.HTMLEscapeString(text) + "</p>\n"; got != strings.ReplaceAll(want, "\x00", "\uFFFD") {
			t.Errorf("as text %q is\n%s, want\n%s", text, got, want)
		}
		for context, marks := range map[string]string{"text": `<>"'`, "attribute": `<>"'`, "url": `<>"'`, "script": `<>`} {
			got := inPage(t, context, text)
			if shape(got, marks) != shape(inPage(t, context, "x"), marks) {
				t.Errorf("in the context %s %q changes the page:\n%s", context, text, got)
			}
			if context == "attribute" && !unquoted.MatchString(got) {
				t.Errorf("%q ends an attribute without quotes:\n%s", text, got)
			}
		}
	}
}

// unquoted matches an attribute without quotes that ends where the tag does.
var unquoted = regexp.MustCompile(`data-x=[^\s"'=<>` + "`" + `]+></i>`)

// shape returns the characters of a page that make up its tags.
func shape(page, marks string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(marks, c) {
			return c
		}
		return -1
	}, page)
}

// What ends a string in a script, a line or the script itself is escaped.
func TestTemplates_AScriptGetsAString(t *testing.T) {
	for text, want := range map[string]string{
		`</script>"`:      `var s = "\u003c/script\u003e\"";`,
		"line\u2028break": `var s = "line\u2028break";`,
		"`${alert(1)}`":   "var s = \"`${alert(1)}`\";",
	} {
		if got := inPage(t, "script", text); !strings.Contains(got, want) {
			t.Errorf("%q is\n%s, want\n%s", text, got, want)
		}
	}
}

func TestTemplates_ALinkGetsNoScript(t *testing.T) {
	got := inPage(t, "url", "javascript:alert(1)")
	if !strings.Contains(got, `<a href="#ZgotmplZ"></a>`) || !strings.Contains(got, `<a href="/?q=javascript%3aalert%281%29"></a>`) {
		t.Errorf("the links are %s", got)
	}
}

func TestTemplates_TheRoleOfEachLevel(t *testing.T) {
	for level, role := range map[flash.Level]string{
		flash.LevelInfo: "status", flash.LevelSuccess: "status", flash.LevelWarning: "status", flash.LevelError: "alert",
		"": "status", "gossip": "status",
	} {
		var page strings.Builder
		err := hostilePage.ExecuteTemplate(&page, "text", struct{ Messages []flash.Message }{[]flash.Message{{Level: level, Text: "x"}}})
		if want := `<p role="` + role + `" class="` + string(level) + `">x</p>` + "\n"; err != nil || page.String() != want {
			t.Errorf("%q is %s (%v), want %s", level, &page, err, want)
		}
	}
}
