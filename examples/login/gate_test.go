package main

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/store"
)

var gated = []string{"GET /account", "GET /account/codes", "POST /account/revoke", "POST /account/revoke-others"}

func TestGate_IsForUsers(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		h := newApp(s)
		for _, request := range gated {
			b := trial.NewBrowser(h)
			wantUnauthorized(t, b, request)
			if len(b.Cookies()) > 0 {
				t.Errorf("%s as JSON got a cookie", request)
			}
			wantSentAway(t, b, request, "Please sign in first.")
		}
	})
}

func TestGate_SignInLeadsWhereTheVisitorWantedToGo(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := trial.NewBrowser(newApp(s))
		b.Get(t, "/account/codes?sorted=no")
		post(t, b, "/login", "user=alice&password=builder", "/login") // a slip does not make it forget
		post(t, b, "/login", credentials["alice"], "/account/codes?sorted=no")
		post(t, b, "/logout", "", "/")
		post(t, b, "/login", credentials["alice"], "/")
	})
}

func TestGate_SaysThatTheSessionHasEnded(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		h := newApp(s)
		a, lost := visitor(t, h, "alice", firefox), visitor(t, h, "alice", safari)
		post(t, a, "/account/revoke-others", "", "/account")
		for _, request := range gated {
			wantSentAway(t, lost, request, "Your session has ended. Please sign in again.")
		}
		post(t, lost, "/login", credentials["alice"], "/")
		wantSignedIn(t, "alice", lost)
	})
}

func TestGate_AsksForThePasswordAgain(t *testing.T) {
	const why = "You signed in a while ago. Please enter your password again to go on."
	synctest.Test(t, func(t *testing.T) {
		h := newApp(trial.Memory(t))
		a, other := visitor(t, h, "alice", firefox, "&remember=on"), visitor(t, h, "alice", safari)
		time.Sleep(recently)
		if page := a.Get(t, "/account/codes").Body.String(); !strings.Contains(page, recoveryCodes["alice"][0]) {
			t.Errorf("a recent sign-in does not show the codes:\n%s", page)
		}
		time.Sleep(time.Millisecond)
		for _, request := range gated[1:] {
			wantUnauthorized(t, a, request)
			wantSentAway(t, a, request, why)
		}
		wantSignedIn(t, "alice", a, other)
		if page := a.Get(t, "/account").Body.String(); !strings.Contains(page, "Safari on iPhone") {
			t.Errorf("the account page asks for more than a user:\n%s", page)
		}

		a.Get(t, "/account/codes")
		page := a.Get(t, "/login").Body.String()
		for _, want := range []string{why, "<h1>Is it still you?</h1>", `name="user" value="alice"`, `value="on" checked`} {
			if !strings.Contains(page, want) {
				t.Errorf("the login page lacks %s:\n%s", want, page)
			}
		}
		stolen := a.Fork()
		post(t, a, "/login", "user=alice&password=builder", "/login")
		if w := a.Get(t, "/account/codes"); w.Code != http.StatusSeeOther {
			t.Errorf("a wrong password shows the codes: %d", w.Code)
		}
		if cookie := post(t, a, "/login", credentials["alice"]+"&remember=on", "/account/codes"); !strings.Contains(cookie, "Max-Age=259200") {
			t.Errorf("the cookie is %q, want one for 30 days", cookie)
		}
		if page := shown(t, a, "/account/codes"); !strings.Contains(page, `"codes":["rabbit-4071",`) {
			t.Errorf("then GET /account/codes: %s", page)
		}
		wantSignedIn(t, "", stolen)
		if n := len(devices(t, a)); n != 2 {
			t.Errorf("%d sessions are listed, want 2: signing in again is no new one", n)
		}
	})
}

func TestGate_AnotherUserGoesNowhereInParticular(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := visitor(t, newApp(trial.Memory(t)), "alice", firefox)
		time.Sleep(recently + time.Millisecond)
		a.Get(t, "/account/codes")
		post(t, a, "/login", credentials["bob"], "/")
		wantSignedIn(t, "bob", a)
	})
}

func TestGate_SigningInAgainUnaskedLeadsToTheAccount(t *testing.T) {
	a := visitor(t, newApp(trial.Memory(t)), "alice", firefox)
	post(t, a, "/login", credentials["alice"], "/account")
}

func TestGate_SessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newApp(trial.Memory(t))
		idle, kept := visitor(t, h, "alice", safari), visitor(t, h, "alice", safari, "&remember=on")
		busy := visitor(t, h, "alice", firefox)
		signedIn := time.Now().Truncate(time.Second)

		for range 3 {
			time.Sleep(10 * time.Minute)
			shown(t, busy, "/")
		}
		time.Sleep(10 * time.Minute)
		for _, d := range devices(t, busy) {
			want := signedIn
			if d.Current {
				want = signedIn.Add(30 * time.Minute) // the request that asks does not count
			}
			if !d.LastSeen.Equal(want) {
				t.Errorf("%+v: last seen %v, want %v", d, d.LastSeen, want)
			}
		}
		if page := busy.Get(t, "/account").Body.String(); !strings.Contains(page, "40 minutes ago</time>") {
			t.Errorf("the page does not say when:\n%s", page)
		}
		time.Sleep(20 * time.Minute)
		wantSignedIn(t, "", idle)
		wantSignedIn(t, "alice", busy, kept)
		if n := len(devices(t, busy)); n != 2 {
			t.Errorf("%d sessions are listed after an hour, want 2", n)
		}
		for range 46 {
			time.Sleep(30 * time.Minute)
			shown(t, busy, "/")
		}
		wantSignedIn(t, "", busy) // the day is over
		wantSignedIn(t, "alice", kept)
		time.Sleep(29 * 24 * time.Hour)
		wantSignedIn(t, "", kept)
	})
}

func TestGate_BackShowsNothing(t *testing.T) {
	a := visitor(t, newApp(trial.Memory(t)), "alice", firefox)
	for _, path := range []string{"/", "/account", "/account/codes", "/login"} {
		for _, edit := range []func(*http.Request){trial.Header("Accept", "text/html"), trial.Header("Accept", "application/json")} {
			if w := a.Get(t, path, edit); w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("GET %s: got %d, Cache-Control %q", path, w.Code, w.Header().Get("Cache-Control"))
			}
		}
	}
}
