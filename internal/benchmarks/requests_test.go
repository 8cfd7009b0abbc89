// Package benchmarks measures Satchel beside plain scs: the same handler, the
// same data, the same kind of store, one run.
//
//	go test -bench . -benchmem -count 10 | tee new.txt
//
// Figures are ratios of one run; compare them with benchstat -col /library.
package benchmarks

import (
	"context"
	"encoding/gob"
	"net/http"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	scsmemory "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

// The data of a session: five keys, together about 300 bytes in either encoding.
type (
	Item struct {
		Name            string
		Quantity, Cents int
	}
)

const (
	name       = "Maria Sibylla Merian"
	locale     = "de-DE"
	lastViewed = "lime lemon carrot taser"
)

var (
	cart = []Item{{"lime", 3, 45}, {"lemon", 1, 55}, {"carrot", 12, 20}, {"taser", 1, 12900}}
)

// A library is what is measured: the same app on each.
type library struct {
	name  string
	wrap  func(http.Handler) http.Handler
	fill  func(ctx context.Context)
	user  func(ctx context.Context) string
	visit func(ctx context.Context)
}

func satchel() library {
	var (
		nameKey   = session.NewKey[string]("name")
		localeKey = session.NewKey[string]("locale")
		viewedKey = session.NewKey[[]string]("last-viewed")
		cartKey   = session.NewKey[[]Item]("cart")
		visitsKey = session.NewKey[int]("visits")
	)
	return library{
		name: "satchel",
		wrap: session.New(memstore.New(), session.Options{Insecure: true}).Handler,
		fill: func(ctx context.Context) {
			nameKey.Set(ctx, name)
			localeKey.Set(ctx, locale)
			viewedKey.Set(ctx, strings.Fields(lastViewed))
			cartKey.Set(ctx, cart)
			visitsKey.Set(ctx, 1)
		},
		user:  func(ctx context.Context) string { return nameKey.Get(ctx) },
		visit: func(ctx context.Context) { visitsKey.Update(ctx, func(n *int) { *n++ }) },
	}
}

func plainSCS() library {
	gob.Register([]string{})
	gob.Register([]Item{})
	m := scs.New()
	m.Store = scsmemory.NewWithCleanupInterval(0)
	return library{
		name: "scs",
		wrap: m.LoadAndSave,
		fill: func(ctx context.Context) {
			m.Put(ctx, "name", name)
			m.Put(ctx, "locale", locale)
			m.Put(ctx, "last-viewed", strings.Fields(lastViewed))
			m.Put(ctx, "cart", cart)
			m.Put(ctx, "visits", 1)
		},
		user:  func(ctx context.Context) string { return m.GetString(ctx, "name") },
		visit: func(ctx context.Context) { m.Put(ctx, "visits", m.GetInt(ctx, "visits")+1) },
	}
}

// app is the handler: it fills a session, reads one value, or changes one.
func app(l library) http.Handler {
	return l.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		switch r.URL.Path {
		case "/fill":
			l.fill(ctx)
		case "/read":
			if l.user(ctx) != name {
				panic("the session is empty")
			}
		case "/change":
			l.visit(ctx)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
}

// nowhere is a ResponseWriter that costs as little as one can.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

func BenchmarkRequest(b *testing.B) {
	for _, kind := range []struct{ name, path string }{
		{"without-cookie", "/nothing"}, {"read", "/read"}, {"change", "/change"},
	} {
		for _, l := range []library{satchel(), plainSCS()} {
			b.Run("kind="+kind.name+"/library="+l.name, func(b *testing.B) {
				h := app(l)
				r, err := http.NewRequest(http.MethodGet, kind.path, nil)
				if err != nil {
					b.Fatal(err)
				}
				if kind.name != "without-cookie" {
					r.Header.Set("Cookie", filled(h))
				}
				w := &nowhere{http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					clear(w.header)
					h.ServeHTTP(w, r)
				}
			})
		}
	}
}

// filled returns the cookie of a session with all values.
func filled(h http.Handler) string {
	r, _ := http.NewRequest(http.MethodGet, "/fill", nil)
	w := &nowhere{http.Header{}}
	h.ServeHTTP(w, r)
	cookie, _, _ := strings.Cut(w.header.Get("Set-Cookie"), ";")
	return cookie
}
