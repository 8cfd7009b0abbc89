package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience bounds a test, on a busy machine.
const patience = 2 * time.Minute

// browser is a tab of a Chromium with a profile of its own. What fails in it
// fails the test.
type browser struct {
	t   testing.TB
	ctx context.Context
}

// newBrowser starts a browser that ends with the test. Where Chromium isn't
// installed the test is skipped, or fails if the environment has CI=true.
func newBrowser(t testing.TB) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox, // containers rarely permit one
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t, ctx}
	b.resize(1200, 900)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("the browser did not end: %v", err)
		}
	})
	return b
}

func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const howTo = "install it with: apt-get install chromium, brew install --cask chromium, or apk add chromium"
	if os.Getenv("CI") == "true" {
		t.Fatal("browsertest: chromium is not installed, and CI=true allows no skipping; " + howTo)
	}
	t.Skip("browsertest: chromium is not installed; " + howTo)
	return ""
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// open goes to a URL.
func (b *browser) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// back goes to the page before, as the Back button does.
func (b *browser) back() {
	b.t.Helper()
	b.do(chromedp.NavigateBack())
}

// fill types text into the input, instead of what is there.
func (b *browser) fill(input chromedp.CSS, text string) {
	b.t.Helper()
	b.do(chromedp.Focus(input))
	// The keys go to what has the focus. Chromedp's SendKeys, which is given an
	// element, reads of it without a lock what a script of the page may change.
	evaluate[bool](b, `document.activeElement.select() === undefined`)
	b.do(chromedp.KeyEvent(text))
}

// resize makes the page that wide and high.
func (b *browser) resize(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// click clicks what stays on the page.
func (b *browser) click(element chromedp.CSS) {
	b.t.Helper()
	b.do(chromedp.Click(element))
}

// press clicks what leads to another page, and waits for it.
func (b *browser) press(element chromedp.CSS) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(element)); err != nil {
		b.t.Fatalf("browser: clicking %s: %v", element, err)
	}
}

// html returns the page's body as it is now.
func (b *browser) html() string {
	b.t.Helper()
	return evaluate[string](b, `document.body.outerHTML`) // at once, where a node could be replaced meanwhile
}

// wait waits until a condition in JavaScript is true.
func (b *browser) wait(condition string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](condition)); err != nil {
		b.t.Fatalf("browser: waiting for %s: %v", condition, err)
	}
}

// evaluate returns what a JavaScript expression gives.
func evaluate[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", expression, err)
	}
	return v
}

// withoutScripts turns JavaScript off for the pages that come.
func (b *browser) withoutScripts() {
	b.t.Helper()
	params := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, params); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// callItself sends another User-Agent with the pages that come.
func (b *browser) callItself(userAgent string) {
	b.t.Helper()
	params := emulation.SetUserAgentOverrideParams{UserAgent: userAgent}
	if _, err := chromedp.Call(b.ctx, emulation.SetUserAgentOverride, params); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}
