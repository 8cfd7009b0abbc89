package session_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

type crate struct {
	Items []string
	Count map[string]int
}

var (
	crateKey  = session.NewKey[crate]("test-crate")
	numberKey = session.NewKey[float64]("test-number")
	timeKey   = session.NewKey[time.Time]("test-time")
)

func TestP11_ValuesComeBackAsTheyWere(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
		b := browse(s, plainHTTP(), routes{
			"/write": func(ctx context.Context) string {
				crateKey.Set(ctx, crate{Items: []string{"lime", "<taser>"}, Count: map[string]int{"lime": 3}})
				timeKey.Set(ctx, at)
				return ""
			},
			"/read": func(ctx context.Context) string {
				return fmt.Sprint(crateKey.Get(ctx), timeKey.Get(ctx).Equal(at))
			},
		})
		b.Get(t, "/write")
		if got, want := body(t, b.Get(t, "/read")), "{[lime <taser>] map[lime:3]} true"; got != want {
			t.Errorf("read %s, want %s", got, want)
		}
	})
}

func TestP11_ValuesAreCopies(t *testing.T) {
	b := browse(trial.Memory(t), plainHTTP(), routes{
		"/write": func(ctx context.Context) string {
			v := crate{Items: []string{"lime"}}
			crateKey.Set(ctx, v)
			v.Items[0] = "changed after Set"
			got := crateKey.Get(ctx)
			got.Items[0] = "changed after Get"
			return crateKey.Get(ctx).Items[0]
		},
		"/read": func(ctx context.Context) string { return crateKey.Get(ctx).Items[0] },
	})
	for _, path := range []string{"/write", "/read"} {
		if got := body(t, b.Get(t, path)); got != "lime" {
			t.Errorf("%s reads %q; a value is what was set, whatever becomes of the variable", path, got)
		}
	}
}

func TestP11_ARequestSeesItsOwnChanges(t *testing.T) {
	b := browse(trial.Memory(t), plainHTTP(), routes{
		"/": func(ctx context.Context) string {
			var seen []string
			look := func() {
				v, ok := note.Lookup(ctx)
				seen = append(seen, fmt.Sprintf("%s:%v", v, ok))
			}
			look()
			note.Set(ctx, "a")
			look()
			note.Update(ctx, func(s *string) { *s += "b" })
			look()
			note.Delete(ctx)
			look()
			note.Set(ctx, "c")
			session.Clear(ctx)
			look()
			session.Login(ctx, "42")
			return fmt.Sprint(seen, session.UserID(ctx))
		},
	})
	if got, want := body(t, b.Get(t, "/")), "[:false a:true ab:true :false :false]42"; got != want {
		t.Errorf("the request saw %s, want %s", got, want)
	}
}

type hidden struct{ a, b int }
type partly struct {
	A hidden
	B func() `json:"-"`
}
type tree struct {
	Left, Right *tree
	N           int
}
type onlyLeftOut struct {
	cache int `json:"-"`
}

func TestP11_KeysThatCantWorkPanicAtStart(t *testing.T) {
	_ = onlyLeftOut{}.cache
	_ = hidden{}.a + hidden{}.b
	for name, c := range map[string]struct {
		make func()
		want []string
	}{
		"no name":          {func() { session.NewKey[int]("") }, []string{"name"}},
		"another type":     {func() { session.NewKey[int]("test-note") }, []string{`"test-note"`, "int", "string"}},
		"hidden fields":    {func() { session.NewKey[hidden]("k1") }, []string{"hidden", "exports none", `"k1"`}},
		"hidden inside":    {func() { session.NewKey[map[string][]*partly]("k2") }, []string{"partly", ".A", "exports none"}},
		"a channel":        {func() { session.NewKey[chan int]("k3") }, []string{"chan"}},
		"a function":       {func() { session.NewKey[struct{ F func() }]("k4") }, []string{".F", "func"}},
		"a complex number": {func() { session.NewKey[[]complex128]("k5") }, []string{"complex128"}},
		"a map by structs": {func() { session.NewKey[map[tree]int]("k6") }, []string{"map", "tree"}},
	} {
		t.Run(name, func(t *testing.T) {
			message := mustPanic(t, c.make)
			for _, want := range append(c.want, "session: NewKey") {
				if !strings.Contains(message, want) {
					t.Errorf("the panic says %q, without %q", message, want)
				}
			}
		})
	}
}

func TestP11_KeysThatCanWorkDont(t *testing.T) {
	session.NewKey[string]("test-note") // the same name and type again
	session.NewKey[struct{}]("test-empty-struct")
	session.NewKey[tree]("test-tree")
	session.NewKey[*big.Int]("test-big")
	session.NewKey[map[int64]bool]("test-int-map")
	session.NewKey[any]("test-any")
	session.NewKey[onlyLeftOut]("test-left-out")
	session.NewKey[[]byte]("test-bytes")
	if message := mustPanic(t, func() { session.NewKey[url.URL]("test-url") }); !strings.Contains(message, ".User") {
		t.Errorf("the user of a URL would be lost, and the panic says %q", message)
	}
}

func TestKey_WithoutTheMiddleware(t *testing.T) {
	for name, use := range map[string]func(context.Context){
		"Get":    func(ctx context.Context) { note.Get(ctx) },
		"Set":    func(ctx context.Context) { note.Set(ctx, "") },
		"Take":   func(ctx context.Context) { note.Take(ctx) },
		"Login":  func(ctx context.Context) { session.Login(ctx, "42") },
		"UserID": func(ctx context.Context) { session.UserID(ctx) },
		"Commit": func(ctx context.Context) { session.Commit(ctx) },
	} {
		message := mustPanic(t, func() { use(context.Background()) })
		if !strings.Contains(message, "sessions.Handler(mux)") {
			t.Errorf("%s without a session panics with %q, which does not say what to wrap", name, message)
		}
	}
	var zero session.Key[int]
	if message := mustPanic(t, func() { zero.Get(context.Background()) }); !strings.Contains(message, "NewKey") {
		t.Errorf("a zero key panics with %q", message)
	}
}

func TestSet_OfWhatCantBeEncodedFailsTheCommit(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		var log logged
		b := browse(s, log.to(plainHTTP()), routes{
			"/write": notes["/write"],
			"/nan": func(ctx context.Context) string {
				note.Set(ctx, "lost with it")
				numberKey.Set(ctx, math.NaN())
				return "fine"
			},
			"/commit": func(ctx context.Context) string {
				numberKey.Set(ctx, math.NaN())
				err := session.Commit(ctx)
				note.Set(ctx, "after the failure")
				return fmt.Sprint(err)
			},
			"/read": notes["/read"],
		})
		b.Get(t, "/write")
		if w := b.Get(t, "/nan"); w.Code != 500 {
			t.Errorf("status %d, want 500", w.Code)
		}
		if !strings.Contains(log.String(), "test-number") {
			t.Errorf("the log does not name the key: %s", log.String())
		}
		if got := body(t, b.Get(t, "/read")); got != `"written" true` {
			t.Errorf("a commit that failed left %s", got)
		}
		if got := body(t, b.Get(t, "/commit")); !strings.Contains(got, `"test-number"`) {
			t.Errorf("Commit returns %q, which does not name the key", got)
		}
		if got := body(t, b.Get(t, "/read")); got != `"after the failure" true` {
			t.Errorf("an error that was returned stopped what came after: %s", got)
		}
	})
}

func TestMaxBytes(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		o := plainHTTP()
		o.MaxBytes = 1000
		large := strings.Repeat("x", 2000)
		app := routes{
			"/large": func(ctx context.Context) string {
				note.Set(ctx, large)
				return fmt.Sprint(session.Commit(ctx))
			},
			"/grow": func(ctx context.Context) string {
				note.Update(ctx, func(s *string) { *s += strings.Repeat("y", 300) })
				return fmt.Sprint(session.Commit(ctx))
			},
			"/read": func(ctx context.Context) string { return fmt.Sprint(len(note.Get(ctx))) },
		}
		b := browse(s, o, app)
		got := body(t, b.Get(t, "/large"))
		if !strings.Contains(got, "too large") || !strings.Contains(got, `"test-note"`) {
			t.Errorf("a value over the limit: %q; want an error that names the key", got)
		}
		sizes := []string{}
		for range 4 {
			b.Get(t, "/grow")
			sizes = append(sizes, body(t, b.Get(t, "/read")))
		}
		if want := []string{"300", "600", "600", "600"}; !slices.Equal(sizes, want) && !slices.Equal(sizes, []string{"300", "600", "900", "900"}) {
			t.Errorf("the sizes were %v; growing is to stop at the limit and lose nothing", sizes)
		}

		// A limit that was lowered must not lock a visitor out of a smaller cart.
		o.MaxBytes = 100
		shrunk := browse(s, o, routes{"/shrink": func(ctx context.Context) string {
			note.Set(ctx, strings.Repeat("z", 200))
			return fmt.Sprint(session.Commit(ctx))
		}})
		shrunk.SetCookie("session", b.Cookies()["session"])
		if got := body(t, shrunk.Get(t, "/shrink")); got != "<nil>" {
			t.Errorf("shrinking a session that is over the limit: %s", got)
		}
	})
}
