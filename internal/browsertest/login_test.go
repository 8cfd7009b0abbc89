package browsertest

import "testing"

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
