package sessiontest_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/session/sessiontest"
)

var cart = session.NewKey[[]string]("cart")

// add is a handler as an app has it.
func add(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if session.UserID(ctx) == "" {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	cart.Update(ctx, func(c *[]string) { *c = append(*c, r.FormValue("item")) })
	flash.Success(ctx, "added")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func post(form string) *http.Request {
	r := httptest.NewRequest("POST", "/cart", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestServe_SeesWhatTheTestSet_AndLeavesWhatTheHandlerDid(t *testing.T) {
	s := sessiontest.New(t).Login("42")
	cart.Set(s.Context(), []string{"lime"})
	rec := s.Serve(http.HandlerFunc(add), post("item=carrot"))

	if rec.Code != http.StatusSeeOther {
		t.Errorf("status %d, want 303", rec.Code)
	}
	if got := cart.Get(s.Context()); !slices.Equal(got, []string{"lime", "carrot"}) {
		t.Errorf("the cart holds %q", got)
	}
	if got := s.Flashes(); !slices.Equal(got, []flash.Message{{Level: flash.LevelSuccess, Text: "added"}}) {
		t.Errorf("the messages are %v", got)
	}
	if got := s.Flashes(); len(got) != 1 {
		t.Errorf("looking at the messages took them: %v", got)
	}
	if got := session.UserID(s.Context()); got != "42" {
		t.Errorf("the user is %q", got)
	}
}

func TestServe_WithoutASession(t *testing.T) {
	s := sessiontest.New(t)
	if rec := s.Serve(http.HandlerFunc(add), post("item=carrot")); rec.Code != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", rec.Code)
	}
	if _, ok := cart.Lookup(s.Context()); ok {
		t.Error("a cart was stored")
	}
}

func TestServe_FollowsLoginAndLogout(t *testing.T) {
	s := sessiontest.New(t)
	cart.Set(s.Context(), []string{"lime"})
	s.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session.Login(r.Context(), "7")
	}), post(""))
	if user, items := session.UserID(s.Context()), cart.Get(s.Context()); user != "7" || len(items) != 1 {
		t.Errorf("after the sign-in: user %q, cart %q", user, items)
	}
	s.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := session.Logout(r.Context()); err != nil {
			t.Error(err)
		}
	}), post(""))
	if user, items := session.UserID(s.Context()), cart.Get(s.Context()); user != "" || len(items) != 0 {
		t.Errorf("after the sign-out: user %q, cart %q", user, items)
	}
}

// failures records what would have failed a test.
type failures struct {
	testing.TB
	errors int
}

func (f *failures) Errorf(string, ...any) { f.errors++ }

func TestCommit_FailsTheTestForWhatCantBeStored(t *testing.T) {
	f := &failures{TB: t}
	s := sessiontest.NewWith(f, session.Options{MaxBytes: 200})
	cart.Set(s.Context(), []string{strings.Repeat("x", 500)})
	s.Serve(http.NotFoundHandler(), post(""))
	if f.errors != 1 {
		t.Errorf("the test got %d errors for a cart that is too large, want 1", f.errors)
	}
}

func Example() {
	var t *testing.T // of the test function that this is the body of

	s := sessiontest.New(t).Login("42")
	cart.Set(s.Context(), []string{"lime"})
	rec := s.Serve(http.HandlerFunc(add), post("item=carrot"))

	if rec.Code != http.StatusSeeOther || len(cart.Get(s.Context())) != 2 {
		t.Error("the carrot is not in the cart")
	}
	s.WantFlash(flash.LevelSuccess, "added")
}
