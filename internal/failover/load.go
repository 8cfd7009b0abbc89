// Package failover holds what Satchel promises against real failovers: visitors
// fill their carts and sign out while masters are killed and slots move, and
// afterwards everything that was acknowledged is looked for.
//
// Its tests cause each fault once. To measure, as often as one likes:
//
//	FAILOVERS=20 go test -v -timeout 60m ./internal/failover
package failover

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

const (
	shoppers = 16 // each with one session
	hands    = 2  // that a shopper adds things with at the same time
	leavers  = 4  // that sign in and out again and again

	patience = time.Second      // StoreTimeout
	slack    = time.Second / 10 // that a request may take longer
)

var cart = session.NewKey[[]int64]("failover-cart")

// AtOnce is how many requests there are at once. A server that dies may have answered so
// many in its last moment, and not yet told its replicas.
const AtOnce = shoppers*hands + leavers

// A Load is visitors who keep an app busy.
type Load struct {
	app      http.Handler
	shoppers []*shopper
	leavers  []*leaver

	things  atomic.Int64 // every thing that is put into a cart is another one
	slowest atomic.Int64 // request, in nanoseconds

	stop    chan struct{}
	running sync.WaitGroup
}

type shopper struct {
	browser *trial.Browser

	mu    sync.Mutex
	added []int64 // acknowledged, in this order
}

type leaver struct {
	user string

	mu   sync.Mutex
	gone []*trial.Browser // with the cookies of sessions that are signed out
}

// NewLoad lets each visitor in, with sessions in s.
func NewLoad(t testing.TB, s store.Store) *Load {
	t.Helper()
	sessions := session.New(s, session.Options{
		Insecure: true, StoreTimeout: patience, Logger: slog.New(slog.DiscardHandler),
	})
	l := &Load{stop: make(chan struct{})}
	l.app = sessions.Handler(http.HandlerFunc(l.serve))
	for range shoppers {
		sh := &shopper{browser: trial.NewBrowser(l.app)}
		if !sh.add(t, l) {
			t.Fatal("failover: no service at the beginning")
		}
		l.shoppers = append(l.shoppers, sh)
	}
	for i := range leavers {
		l.leavers = append(l.leavers, &leaver{user: fmt.Sprint("leaver", i)})
	}
	return l
}

func (l *Load) serve(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	switch r.URL.Path {
	case "/add":
		thing, err := strconv.ParseInt(r.FormValue("thing"), 10, 64)
		if err != nil {
			http.Error(w, "which thing?", http.StatusBadRequest)
			return
		}
		cart.Update(ctx, func(things *[]int64) { *things = append(*things, thing) })
	case "/empty":
		cart.Delete(ctx)
	case "/cart":
		json.NewEncoder(w).Encode(cart.Get(ctx))
		return
	case "/login":
		session.Login(ctx, r.FormValue("user"))
	case "/logout":
		if err := session.Logout(ctx); err != nil {
			session.Error(w, r, err)
			return
		}
	}
	io.WriteString(w, session.UserID(ctx)) // fails where the commit did, and the client gets a 503
}

// Start has the visitors go on until Stop.
func (l *Load) Start(t testing.TB) {
	loop := func(step func() bool) {
		l.running.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				if !step() {
					// As somebody who reads "try again in a moment". The servers need the
					// processor to find a new master.
					<-time.After(20 * time.Millisecond)
				}
			}
		})
	}
	for _, sh := range l.shoppers {
		for range hands {
			loop(func() bool { return sh.add(t, l) })
		}
	}
	for _, lv := range l.leavers {
		loop(func() bool { return lv.comeAndGo(t, l) })
	}
}

// Stop returns when all requests are answered.
func (l *Load) Stop() {
	close(l.stop)
	l.running.Wait()
	l.stop = make(chan struct{})
}

func (sh *shopper) add(t testing.TB, l *Load) bool {
	thing := l.things.Add(1)
	if !l.ok(t, sh.browser.Post, "/add", fmt.Sprint("thing=", thing)) {
		return false
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.added = append(sh.added, thing)
	return true
}

func (lv *leaver) comeAndGo(t testing.TB, l *Load) bool {
	b := trial.NewBrowser(l.app)
	if !l.ok(t, b.Post, "/login", "user="+lv.user) {
		return false
	}
	signedIn := b.Fork()
	if !l.ok(t, b.Post, "/logout", "") {
		return false
	}
	lv.mu.Lock()
	defer lv.mu.Unlock()
	lv.gone = append(lv.gone, signedIn)
	return true
}

// ok sends a request and reports whether it was acknowledged. It has to be answered
// in time in any case.
func (l *Load) ok(t testing.TB, send func(testing.TB, string, string, ...func(*http.Request)) *httptest.ResponseRecorder, path, form string) bool {
	begun := time.Now()
	w := send(t, path, form)
	took := time.Since(begun)
	for {
		slowest := l.slowest.Load()
		if int64(took) <= slowest || l.slowest.CompareAndSwap(slowest, int64(took)) {
			break
		}
	}
	switch w.Code {
	case http.StatusOK:
		return true
	case http.StatusServiceUnavailable:
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("failover: an outage touches a visitor's cookie")
		}
	default:
		t.Errorf("failover: %s: status %d", path, w.Code)
	}
	return false
}

// AwaitService returns when each shopper has added a thing after it was called.
func (l *Load) AwaitService(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, sh := range l.shoppers {
		before := sh.count()
		for sh.count() == before {
			select {
			case <-ctx.Done():
				t.Fatal("failover: no service a minute after the fault")
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

func (sh *shopper) count() int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(sh.added)
}

// Tally is what became of what was acknowledged since the last one.
type Tally struct {
	Added, Lost, Doubled int // things
	SignedOut, Risen     int // sessions
	Slowest              time.Duration
}

// Count compares what was acknowledged with what is there, and forgets it. It is for
// when the load has stopped and the servers serve.
func (l *Load) Count(t testing.TB) (sum Tally) {
	t.Helper()
	for _, sh := range l.shoppers {
		kept := map[int64]int{}
		for _, thing := range l.contents(t, sh.browser) {
			kept[thing]++
		}
		sum.Added += len(sh.added)
		for _, thing := range sh.added {
			if kept[thing] == 0 {
				sum.Lost++
			}
		}
		for _, times := range kept {
			if times > 1 {
				sum.Doubled++
			}
		}
		sh.added = nil
	}
	for _, lv := range l.leavers {
		sum.SignedOut += len(lv.gone)
		for _, b := range lv.gone {
			if w := b.Get(t, "/"); w.Code != http.StatusOK {
				t.Errorf("failover: a page after the fault: status %d", w.Code)
			} else if w.Body.String() != "" {
				sum.Risen++
			}
		}
		lv.gone = nil
	}
	sum.Slowest = time.Duration(l.slowest.Swap(0))
	return sum
}

// contents returns what is in a shopper's cart, and empties it.
func (l *Load) contents(t testing.TB, b *trial.Browser) (things []int64) {
	t.Helper()
	w := b.Get(t, "/cart")
	if err := json.Unmarshal(w.Body.Bytes(), &things); w.Code != http.StatusOK || err != nil {
		t.Fatalf("failover: the cart after the fault: status %d, %v", w.Code, err)
	}
	if w := b.Post(t, "/empty", ""); w.Code != http.StatusOK {
		t.Fatalf("failover: emptying the cart after the fault: status %d", w.Code)
	}
	return things
}

func (sum Tally) String() string {
	return fmt.Sprintf("%d of %d things lost, %d twice; %d of %d sign-outs undone; slowest request %v",
		sum.Lost, sum.Added, sum.Doubled, sum.Risen, sum.SignedOut, sum.Slowest.Round(time.Millisecond))
}

// Add adds another tally to it.
func (sum *Tally) Add(one Tally) {
	sum.Added += one.Added
	sum.Lost += one.Lost
	sum.Doubled += one.Doubled
	sum.SignedOut += one.SignedOut
	sum.Risen += one.Risen
	sum.Slowest = max(sum.Slowest, one.Slowest)
}
