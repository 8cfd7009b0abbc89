package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

func TestP6_AnOutageOfTheOldLibrary(t *testing.T) {
	for _, policy := range []session.OutagePolicy{session.Refuse, session.ReadOnly} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			l := midCart()
			o := l.to(plainHTTP())
			o.Outage = policy
			b := arrives(trial.Memory(t), o, "ann")
			l.around = func(context.Context, func() (*session.Imported, error)) (*session.Imported, error) {
				return nil, errors.New("no route to host")
			}
			if policy == session.Refuse {
				wantRefused(t, visit(t, b, put("mint")))
			} else {
				w := visitOK(t, b, func(ctx context.Context) {
					wantSame(t, "user", session.UserID(ctx), "")
					wantStoreError(t, "Err", session.Err(ctx), false)
				})
				wantNoCookie(t, w)
				wantRefused(t, visit(t, b, put("mint")))
			}
			l.around = nil
			wantCart(t, b, "lime")
		})
	}
}

func TestP7_ADamagedOldSessionIsAnEmptyOne(t *testing.T) {
	var log logged
	l := midCart()
	l.around = func(context.Context, func() (*session.Imported, error)) (*session.Imported, error) {
		return nil, fmt.Errorf("its type is not registered: %w", store.ErrDamaged)
	}
	b := arrives(trial.Memory(t), log.to(l.to(plainHTTP())), "ann")
	visitOK(t, b, func(ctx context.Context) { color.Set(ctx, "blue") })
	wantSame(t, "color", seen(t, b, color), "blue")
	if !strings.Contains(log.String(), "ERROR") || !strings.Contains(log.String(), "its type is not registered") {
		t.Errorf("the log says %s", log.String())
	}
}

// TestP6_AnOldLibraryThatHangs, and knows no contexts, holds nobody, and no more
// goroutines than are allowed.
func TestP6_AnOldLibraryThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const visitors = 100
		l := midCart()
		gate := make(chan struct{})
		var mu sync.Mutex
		running, most := 0, 0
		l.around = func(_ context.Context, call func() (*session.Imported, error)) (*session.Imported, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-gate
			mu.Lock()
			running--
			mu.Unlock()
			return call()
		}
		o := l.to(plainHTTP())
		b := arrives(trial.Memory(t), o, "ann")
		began := time.Now()
		var all sync.WaitGroup
		for range visitors {
			all.Go(func() { wantRefused(t, visit(t, b, put("mint"))) })
		}
		all.Wait()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the requests took %v, with a deadline of 2s", took)
		}
		mu.Lock()
		wantSame(t, "calls at once", most, 64)
		mu.Unlock()
		wantRefused(t, visit(t, b, put("mint"))) // since there is still no slot
		close(gate)
		synctest.Wait()
		wantCart(t, b, "lime")
	})
}

func TestImport_APanicReachesTheRequest(t *testing.T) {
	l := midCart()
	l.around = func(context.Context, func() (*session.Imported, error)) (*session.Imported, error) {
		panic("out of cheese")
	}
	b := arrives(trial.Memory(t), l.to(plainHTTP()), "ann")
	message := mustPanic(t, func() { visit(t, b, put("mint")) })
	for _, want := range []string{"out of cheese", "import_outage_test.go"} {
		if !strings.Contains(message, want) {
			t.Errorf("the panic says %q, without %q", message, want)
		}
	}
	l.around = func(context.Context, func() (*session.Imported, error)) (*session.Imported, error) {
		runtime.Goexit()
		return nil, nil
	}
	wantRefused(t, visit(t, b, put("mint")))
	l.around = nil
	wantCart(t, b, "lime")
}

// TestImport_TheRequestItGets is its own, so that one that hangs does no harm.
func TestImport_TheRequestItGets(t *testing.T) {
	l := midCart()
	o := plainHTTP()
	o.Import = &session.Importer{Cookie: oldCookie, Session: func(ctx context.Context, r *http.Request) (*session.Imported, error) {
		if _, ok := ctx.Deadline(); !ok || r.Context() != ctx {
			t.Error("the context has no deadline, or is not the request's")
		}
		if n, _ := r.Body.Read(make([]byte, 1)); n != 0 {
			t.Error("it can take the body away from the handler")
		}
		if c, err := r.Cookie("other"); err != nil || c.Value != "kept" {
			t.Errorf("another cookie is %v, %v", c, err)
		}
		r.Header.Set("X-Mine", "1")
		c, _ := r.Cookie(oldCookie)
		return l.sessions[c.Value], nil
	}}
	b := browse(trial.Memory(t), o, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Mine") != "" || r.FormValue("item") != "mint" {
			t.Error("the handler's request is not what was sent")
		}
		fmt.Fprint(w, session.UserID(r.Context()))
	}))
	several := func(r *http.Request) { r.Header.Set("Cookie", "other=kept; old=unknown; old=ann") }
	wantSame(t, "user, with two old cookies", body(t, b.Post(t, "/", "item=mint", several)), "7")
}

// TestP7_ADamagedReceipt leads to no session, and is not replaced.
func TestP7_ADamagedReceipt(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		l, f := midCart(), newFaulty(s)
		b := arrives(f, l.to(plainHTTP()), "ann")
		visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		receipt := f.trace()[0].ID
		r, err := s.Find(t.Context(), receipt)
		wantError(t, "Find", err, nil)
		for _, data := range [][]byte{nil, []byte("?"), r.Data[:len(r.Data)-40], append([]byte{1}, make([]byte, 11)...)} {
			next := r
			next.Data, next.Version[0] = data, next.Version[0]+1
			wantError(t, "Swap", s.Swap(t.Context(), receipt, r.Version, next), nil)
			r.Version = next.Version
			w := visitOK(t, arrives(s, l.to(plainHTTP()), "ann"), func(ctx context.Context) {
				wantSame(t, "user", session.UserID(ctx), "")
			})
			wantNoCookie(t, w)
		}
	})
}

// TestP7_AReceiptThatIsNoRecord: something else is under its key.
func TestP7_AReceiptThatIsNoRecord(t *testing.T) {
	server := redistest.Shared(t)
	for name, id := range map[string]string{"by cookie": "", "by ID": "a name that is hard to guess"} {
		t.Run(name, func(t *testing.T) {
			l, prefix := midCart(), redistest.Prefix(t)
			l.sessions["ann"].ID = id
			f := newFaulty(trial.OpenRedis(t, server.URL(), prefix))
			arrive := func() *trial.Browser { return arrives(f, l.to(plainHTTP()), "ann") }
			visitOK(t, arrive(), func(context.Context) {})
			for _, op := range f.trace() {
				if op.Name == "swap" { // the first is the receipt's
					server.Do(t, "DEL", prefix+"session:"+op.ID)
					server.Do(t, "RPUSH", prefix+"session:"+op.ID, "what is this")
					break
				}
			}
			b := arrive()
			wantNoCookie(t, visitOK(t, b, func(ctx context.Context) { wantSame(t, "user", session.UserID(ctx), "") }))
			visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		})
	}
}

// TestP9_AnImporterCostsOthersNothing: who has no old cookie, or a session, pays nothing.
func TestP9_AnImporterCostsOthersNothing(t *testing.T) {
	app := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	cost := func(o session.Options) float64 {
		h := session.New(trial.Memory(t), o).Handler(app)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		return testing.AllocsPerRun(100, func() { h.ServeHTTP(httptest.NewRecorder(), r) })
	}
	if with, without := cost(midCart().to(plainHTTP())), cost(plainHTTP()); with > without {
		t.Errorf("%v allocations with an importer, %v without", with, without)
	}
}
