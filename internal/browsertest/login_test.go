package browsertest

import (
	"strings"
	"testing"
)

func TestLogin_AVisit(t *testing.T) {
	b := newBrowser(t)
	b.withoutScripts() // the pages have none
	url, _ := start(t, build(t, "login"), "127.0.0.1:0")
	b.open(url)
	see(t, b, "Nobody is signed in", "kept in memory")
	b.press(`a[href="/login"]`)
	b.fill("#user", "alice")
	b.fill("#password", "looking-glass")
	b.press(signIn)
	see(t, b, `role="alert">Unknown user name, or wrong password.`, `name="user" value="alice"`)
	b.fill("#password", "wonderland")
	b.click("[name=remember]")
	b.press(signIn)
	see(t, b, `role="status">Hello alice`, "Signed in as alice")
	b.open(url)
	see(t, b, "Signed in as alice")
	b.press(signOut)
	see(t, b, "You are signed out.", "Nobody is signed in")
}

// signInAs signs a user of the demo in.
func signInAs(b *browser, url, user, password string) {
	b.t.Helper()
	b.open(url + "/login")
	b.fill("#user", user)
	b.fill("#password", password)
	b.press(signIn)
}

func TestLogin_EndsASessionOnAnotherDevice(t *testing.T) {
	url, _ := start(t, build(t, "login"), "127.0.0.1:0")
	laptop, phone, tablet := newBrowser(t), newBrowser(t), newBrowser(t)
	laptop.withoutScripts()
	laptop.callItself("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
	phone.callItself("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0")
	tablet.callItself("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")
	for _, b := range []*browser{phone, tablet} {
		signInAs(b, url, "alice", "wonderland")
		see(t, b, "Signed in as alice")
	}

	// The visitor goes to the account, by way of the sign-in.
	laptop.open(url + "/account")
	see(t, laptop, "Please sign in first.")
	laptop.fill("#user", "alice")
	laptop.fill("#password", "wonderland")
	laptop.press(signIn)
	see(t, laptop, `Firefox on Linux <span class="badge">this device</span>`, "Edge on Android", "Safari on iPad")

	laptop.press(`button[aria-label="Sign out Edge on Android"]`)
	see(t, laptop, `role="status">Edge on Android is signed out.`, "Firefox on Linux", "Safari on iPad")
	if strings.Contains(laptop.html(), "<h2>Edge on Android") {
		t.Error("the page still lists the phone")
	}
	phone.open(url + "/account")
	see(t, phone, "Your session has ended. Please sign in again.", `action="/login"`)
	tablet.open(url)
	see(t, tablet, "Signed in as alice")

	laptop.press(`form[action="/account/revoke-others"] button`)
	see(t, laptop, "All other devices are signed out.", "No other device is signed in.")
	tablet.open(url)
	see(t, tablet, "Nobody is signed in")
	laptop.press(`a[href="/account/codes"]`)
	see(t, laptop, "rabbit-4071")
}

func TestLogin_BackShowsNothingAfterSigningOut(t *testing.T) {
	url, _ := start(t, build(t, "login"), "127.0.0.1:0")
	b := newBrowser(t)
	signInAs(b, url, "alice", "wonderland")
	b.open(url + "/account/codes")
	see(t, b, "rabbit-4071")
	b.press(signOut)
	see(t, b, "You are signed out.")
	b.back()
	b.wait(`location.pathname === "/login" && document.readyState === "complete"`)
	see(t, b, "Please sign in first.")
	if strings.Contains(b.html(), "rabbit-4071") {
		t.Error("the Back button shows the codes")
	}
}

func TestLogin_FitsAPhone(t *testing.T) {
	url, _ := start(t, build(t, "login"), "127.0.0.1:0")
	b, other := newBrowser(t), newBrowser(t)
	b.resize(360, 700)
	signInAs(b, url, "alice", "wonderland")
	signInAs(other, url, "alice", "wonderland")
	for _, path := range []string{"/", "/login", "/account", "/account/codes"} {
		b.open(url + path)
		if width := evaluate[int](b, `document.documentElement.scrollWidth`); width > 360 {
			t.Errorf("%s is %d pixels wide on a screen of 360", path, width)
		}
	}
}
