package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// openShop starts the cart example and opens it.
func openShop(t *testing.T) (b *browser, url string, stop func()) {
	b = newBrowser(t)
	url, stop = start(t, build(t, "cart"), "127.0.0.1:0")
	b.open(url)
	return b, url, stop
}

func (b *browser) wantFocus(id string) {
	b.t.Helper()
	if got := evaluate[string](b, `document.activeElement.id || document.activeElement.textContent`); got != id {
		b.t.Errorf("the focus is on %q, want %q", got, id)
	}
}

func TestCart_MessagesAreAnnouncedInTheRegionThatWasThere(t *testing.T) {
	b, url, _ := openShop(t)
	if !evaluate[bool](b, `(window.region = document.querySelector("[aria-live=polite]")).matches(":empty")`) {
		t.Error("the live region is not empty at first")
	}
	b.swap(addCarrot)
	b.swap(addCarrot)
	if got := evaluate[string](b, `window.region.isConnected ? window.region.innerHTML.trim() : "gone"`); got != `<p class="message success" role="status">Added to your cart: 1 × carrot.</p>` {
		t.Errorf("the live region has %s", got)
	}
	b.open(url)
	see(t, b, `data-count="2"`)
	if strings.Contains(b.html(), "Added to your cart") {
		t.Error("a message is shown again")
	}
}

func TestCart_TheFocusStays(t *testing.T) {
	b, _, _ := openShop(t)
	for _, id := range []string{"add-carrot", "qty-carrot"} {
		b.do(chromedp.Focus(chromedp.CSS("#" + id)))
		b.mark()
		b.do(chromedp.KeyEvent("\r"))
		b.swapped()
		b.wantFocus(id)
	}
	see(t, b, "In your cart now: 1 × carrot.")
	b.swap("#set-carrot")
	b.wantFocus("set-carrot")
	b.swap("#remove-carrot") // which is not there any more
	b.wantFocus("cart")
	see(t, b, "Nothing in it yet.")
}

func TestCart_ManyClicksAllArriveInOrder(t *testing.T) {
	b, _, _ := openShop(t)
	evaluate[bool](b, `document.querySelectorAll(".product button").forEach((add) => { add.click(); add.click() }), true`)
	b.wait(`document.querySelector("#cart").dataset.count === "8"`)
	if got := evaluate[string](b, `[...document.querySelectorAll("#cart .item")].map((e) => e.textContent).join()`); got != "lime,lemon,carrot,taser" {
		t.Errorf("the cart has %s", got)
	}
	see(t, b, "Added to your cart: 1 × taser.")
}

func TestCart_SaysWhatIsWrong(t *testing.T) {
	b, _, stop := openShop(t)
	evaluate[bool](b, `document.querySelector("#add-carrot").form.noValidate = true`)
	b.fill("#add-carrot", "100")
	b.swap(addCarrot)
	see(t, b, `role="alert">A quantity is a whole number from 1 to 99.`, `data-count="0"`)
	evaluate[string](b, `document.querySelector("#add-carrot").value = "1"`)
	b.swap(addCarrot)
	stop()
	b.click(addCarrot)
	b.wait(`document.querySelector("#messages").textContent.includes("can't be reached")`)
	see(t, b, `role="alert">The shop can't be reached.`, `data-count="1"`)
	if !evaluate[bool](b, `document.addEventListener("submit", (e) => { window.prevented = e.defaultPrevented; e.preventDefault() }), true`) {
		t.Fatal("could not listen")
	}
	b.click(addCarrot)
	if evaluate[bool](b, `window.prevented`) {
		t.Error("after a failure the form does not go its ordinary way")
	}
}
