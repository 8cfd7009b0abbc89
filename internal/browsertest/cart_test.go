package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gosatchel/satchel/internal/redistest"
)

// What the page of the shop has.
const (
	addCarrot    = `form[action="/cart"]:has([value=carrot]) button`
	setCarrot    = `form[action="/cart/qty"]:has([value=carrot]) button`
	removeCarrot = `form[action="/cart/remove"]:has([value=carrot]) button`
	signIn       = `form[action="/login"] button`
	signOut      = `form[action="/logout"] button`
)

// see checks that the page has each of these in it.
func see(t *testing.T, b *browser, parts ...string) {
	t.Helper()
	html := b.html()
	for _, part := range parts {
		if !strings.Contains(html, part) {
			t.Errorf("the page lacks %q:\n%s", part, html)
		}
	}
}

func TestCart_AVisit(t *testing.T) {
	b := newBrowser(t)
	url, _ := start(t, build(t, "cart"), "127.0.0.1:0")
	visit(t, b, url, b.swap)
}

func TestCart_AVisitWithoutJavaScript(t *testing.T) {
	b := newBrowser(t)
	b.withoutScripts()
	url, _ := start(t, build(t, "cart"), "127.0.0.1:0")
	b.open(url)
	see(t, b, `id="fifty" hidden`, "takes JavaScript")
	visit(t, b, url, b.press)
}

// swap clicks what changes the cart, and checks that the page stays while the
// cart is another one.
func (b *browser) swap(button chromedp.CSS) {
	b.t.Helper()
	b.mark()
	b.click(button)
	b.swapped()
}

// mark marks the page and the cart, for swapped to see which of them is new.
func (b *browser) mark() {
	b.t.Helper()
	evaluate[bool](b, `document.querySelector("#cart").dataset.old = window.stays = true`)
}

func (b *browser) swapped() {
	b.t.Helper()
	b.wait(`!document.querySelector("#cart").dataset.old`)
	if !evaluate[bool](b, `window.stays === true`) {
		b.t.Error("the page was loaded again")
	}
}

// visit is what a visitor of the shop can do. change clicks what changes the cart.
func visit(t *testing.T, b *browser, url string, change func(button chromedp.CSS)) {
	b.open(url)
	see(t, b, "Nothing in it yet.")
	b.fill("#add-carrot", "4")
	change(addCarrot)
	see(t, b, `role="status">Added to your cart: 4 × carrot.`, `data-count="4"`)
	b.fill("#qty-carrot", "2")
	change(setCarrot)
	see(t, b, "In your cart now: 2 × carrot.", `data-count="2"`)

	b.fill("#user", "alice")
	b.fill("#password", "builder")
	b.press(signIn)
	see(t, b, `role="alert">Unknown user name, or wrong password.`, `data-count="2"`)
	b.fill("#user", "alice")
	b.fill("#password", "wonderland")
	b.press(signIn)
	see(t, b, "Hello alice", `data-count="2"`, "goes with it")

	change(removeCarrot)
	see(t, b, "No carrot in your cart any more.", "Nothing in it yet.")
	b.press(signOut)
	see(t, b, "You are signed out", `action="/login"`)
}

func TestCart_50AtOnceAllArrive(t *testing.T) {
	b := newBrowser(t)
	url, _ := start(t, build(t, "cart"), "127.0.0.1:0")
	b.open(url) // and nothing more: the browser has no session yet
	for range 2 {
		b.click("#fifty")
		b.wait(`!document.querySelector("#fifty").disabled`)
		if got := evaluate[string](b, `document.querySelector("#arrived").textContent`); got != "50 of 50 arrived" {
			t.Errorf("the page says %q", got)
		}
	}
	see(t, b, `data-count="100"`)
	b.open(url)
	see(t, b, `data-count="100"`)
}

func TestCart_IsThereAfterARestart(t *testing.T) {
	b := newBrowser(t)
	redis := redistest.Start(t)
	binary := build(t, "cart")
	url, stop := start(t, binary, "127.0.0.1:0", "-redis", redis.URL())
	b.open(url)
	see(t, b, "kept in Redis")
	b.swap(addCarrot)
	b.fill("#user", "bob")
	b.fill("#password", "builder")
	b.press(signIn)
	stop()
	start(t, binary, strings.TrimPrefix(url, "http://"), "-redis", redis.URL())
	b.open(url)
	see(t, b, "Signed in as bob", `data-count="1"`)
}

func TestCart_FitsAPhone(t *testing.T) {
	b := newBrowser(t)
	url, _ := start(t, build(t, "cart"), "127.0.0.1:0")
	b.resize(360, 700)
	b.open(url)
	b.swap(addCarrot)
	if width := evaluate[int](b, `document.documentElement.scrollWidth`); width > 360 {
		t.Errorf("the page is %d pixels wide on a screen of 360", width)
	}
}
