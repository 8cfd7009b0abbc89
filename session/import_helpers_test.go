package session_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// oldCookie is the cookie of the library that these tests move from.
const oldCookie = "old"

// An oldLibrary has sessions by the value of its cookie.
type oldLibrary struct {
	mu       sync.Mutex
	sessions map[string]*session.Imported
	asked    int
	around   func(ctx context.Context, call func() (*session.Imported, error)) (*session.Imported, error)
}

// midCart is an old library with one visitor, signed in as 7 and mid-cart, whose
// cookie is "ann".
func midCart() *oldLibrary {
	return &oldLibrary{sessions: map[string]*session.Imported{"ann": {
		User:     "7",
		Values:   map[string]any{"commit/basket": []string{"lime"}, "commit/color": "green"},
		Deadline: time.Now().Add(time.Hour),
	}}}
}

// importer returns the Importer of l.
func (l *oldLibrary) importer() *session.Importer {
	return &session.Importer{Cookie: oldCookie, Session: func(ctx context.Context, r *http.Request) (*session.Imported, error) {
		c, err := r.Cookie(oldCookie)
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		l.asked++
		around := l.around
		l.mu.Unlock()
		call := func() (*session.Imported, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.sessions[c.Value], nil
		}
		if around != nil {
			return around(ctx, call)
		}
		return call()
	}}
}

// to returns o with sessions taken over from l.
func (l *oldLibrary) to(o session.Options) session.Options {
	o.Import = l.importer()
	return o
}

// wantAsked checks how often l was asked since this was asked last.
func (l *oldLibrary) wantAsked(t testing.TB, want int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked != want {
		t.Errorf("the old library was asked %d times, want %d", l.asked, want)
	}
	l.asked = 0
}

// arrives returns a browser with the old library's cookie, in front of an obliging
// app over s.
func arrives(s store.Store, o session.Options, cookie string) *trial.Browser {
	b := browse(s, o, obliging)
	b.SetCookie(oldCookie, cookie)
	return b
}

// wantCart checks what b's visitor has in the cart, and that they are signed in as 7.
func wantCart(t testing.TB, b *trial.Browser, items ...string) {
	t.Helper()
	visitOK(t, b.Fork(), func(ctx context.Context) { wantCartIn(t, ctx, items...) })
}

func wantCartIn(t testing.TB, ctx context.Context, items ...string) {
	t.Helper()
	got := basket.Get(ctx)
	have := map[string]int{}
	for _, item := range got {
		have[item]++
	}
	for _, item := range items {
		have[item]--
	}
	for item, n := range have {
		if n != 0 {
			t.Errorf("the cart is %v, want %v: %+d of %s", got, items, n, item)
		}
	}
	wantSame(t, "who is signed in", session.UserID(ctx), "7")
}

// put returns what a request does that puts item into the cart.
func put(item string) deed { return func(ctx context.Context) { addItem(ctx, item) } }

// onTwoInstances runs test with what two instances of an app have for a store.
func onTwoInstances(t *testing.T, test func(t *testing.T, one, two store.Store)) {
	t.Run("memory", func(t *testing.T) { s := trial.Memory(t); test(t, s, s) })
	t.Run("redis", func(t *testing.T) {
		url, prefix := redistest.Shared(t).URL(), redistest.Prefix(t)
		test(t, trial.OpenRedis(t, url, prefix), trial.OpenRedis(t, url, prefix))
	})
}
