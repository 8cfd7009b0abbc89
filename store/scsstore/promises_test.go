package scsstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/scsstore"
)

// What one process is promised. How the promises are kept is tested with the session
// package; this is that nothing of it needs more than an scs store gives.

var (
	basket = session.NewKey[[]int]("scsstore/basket")
	color  = session.NewKey[string]("scsstore/color")
)

// shop returns the browser of a visitor who has begun a session, alone with its
// process and its scs store.
func shop(t *testing.T) (*scsstore.Store, *trial.Browser) {
	t.Helper()
	s := scsstore.New(memstore.NewWithCleanupInterval(0), scsstore.Options{})
	b := open(s)
	visitOK(t, b, func(ctx context.Context) { color.Set(ctx, "red") })
	return s, b
}

func TestP1_NoUpdateIsLost(t *testing.T) {
	_, b := shop(t)
	const requests = 50
	atOnce(t, b, requests, func(ctx context.Context, i int) {
		basket.Update(ctx, func(items *[]int) { *items = append(*items, i) })
	})
	visitOK(t, b, func(ctx context.Context) {
		items := basket.Get(ctx)
		slices.Sort(items)
		if len(slices.Compact(items)) != requests {
			t.Errorf("%d of %d items are in the basket: %v", len(items), requests, items)
		}
	})
}

func TestP2_LogoutIsFinal(t *testing.T) {
	_, b := shop(t)
	visitOK(t, b, func(ctx context.Context) { session.Login(ctx, "42") })
	thief := b.Fork()
	loggedOut := make(chan struct{})
	var once sync.Once
	atOnce(t, b, 10, func(ctx context.Context, i int) {
		if i == 0 {
			if err := session.Logout(ctx); err != nil {
				t.Errorf("Logout: %v", err)
			}
			once.Do(func() { close(loggedOut) })
			return
		}
		if i%2 == 0 {
			<-loggedOut // certainly too late; the others may be in time
		}
		color.Set(ctx, "blue")
		if err := session.Commit(ctx); i%2 == 0 && !errors.Is(err, session.ErrEnded) {
			t.Errorf("a commit after the logout: %v, want ErrEnded", err)
		}
	})
	visitOK(t, thief, func(ctx context.Context) {
		if user, c := session.UserID(ctx), color.Get(ctx); user != "" || c != "" {
			t.Errorf("the old cookie still works: user %q, color %q", user, c)
		}
	})
}

func TestP3_RenewalLosesNothing(t *testing.T) {
	_, b := shop(t)
	straggler := b.Fork()
	visitOK(t, b, func(ctx context.Context) {
		session.Renew(ctx)
		// Committed by somebody else, after this request has loaded the session.
		visitOK(t, b.Fork(), func(ctx context.Context) { basket.Set(ctx, []int{1}) })
	})
	visitOK(t, b, func(ctx context.Context) {
		if c, items := color.Get(ctx), basket.Get(ctx); c != "red" || len(items) != 1 {
			t.Errorf("after the renewal: color %q, basket %v", c, items)
		}
	})
	w := visit(t, straggler, func(ctx context.Context) {
		if c := color.Get(ctx); c != "" {
			t.Errorf("the old id reads color %q", c)
		}
		color.Set(ctx, "blue")
	})
	if w.Code != http.StatusConflict {
		t.Errorf("a change with the old id: status %d, want 409", w.Code)
	}
}

func TestP4_FlashIsShownOnce(t *testing.T) {
	_, b := shop(t)
	const messages = 10
	visitOK(t, b, func(ctx context.Context) {
		for i := range messages {
			flash.Info(ctx, fmt.Sprint(i))
		}
	})
	var mu sync.Mutex
	shown := map[string]int{}
	atOnce(t, b, 10, func(ctx context.Context, _ int) {
		for _, m := range flash.Take(ctx) {
			mu.Lock()
			shown[m.Text]++
			mu.Unlock()
		}
	})
	for i := range messages {
		if n := shown[fmt.Sprint(i)]; n != 1 {
			t.Errorf("message %d was shown %d times", i, n)
		}
	}
}
