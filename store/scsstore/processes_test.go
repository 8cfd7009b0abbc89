package scsstore_test

import (
	"context"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
)

// What several processes lose. These tests hold the documentation to its word: the
// promises are broken as it says, and by nothing more than one unlucky moment. If
// one of them fails, the adapter has become better than its table.

// twoProcesses returns adapters of two processes over one scs store. Once armed, the
// next write of the first process is preceded by what the second does meanwhile: after
// the first has read and compared.
func twoProcesses() (first, second *scsstore.Store, arm func(meanwhile func())) {
	h := newHooked()
	var pending func()
	arm = func(meanwhile func()) { pending = meanwhile }
	shared := h.Store
	h.around = func(op string, call func() error) error {
		if op == "commit" && pending != nil {
			meanwhile := pending
			pending = nil
			meanwhile()
		}
		return call()
	}
	return scsstore.New(h, scsstore.Options{}), scsstore.New(shared, scsstore.Options{}), arm
}

func TestSeveralProcesses_TwoSwapsOfOneVersionSucceed(t *testing.T) {
	first, second, arm := twoProcesses()
	r := create(t, first, "id", "data")
	ours, theirs := newRecord("ours"), newRecord("theirs")
	arm(func() {
		if err := second.Swap(t.Context(), "id", r.Version, theirs); err != nil {
			t.Errorf("the second process's Swap: %v", err)
		}
	})
	if err := first.Swap(t.Context(), "id", r.Version, ours); err != nil {
		t.Errorf("the first process's Swap: %v, want the success that the table warns of", err)
	}
	holds(t, first, "id", ours)
}

func TestSeveralProcesses_ASwapUndoesADelete(t *testing.T) {
	first, second, arm := twoProcesses()
	r := create(t, first, "id", "data")
	next := newRecord("next")
	arm(func() {
		if err := second.Delete(t.Context(), "id"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	})
	if err := first.Swap(t.Context(), "id", r.Version, next); err != nil {
		t.Errorf("Swap: %v, want the success that the table warns of", err)
	}
	holds(t, second, "id", next)
}

// visitorOfTwo returns a signed-in visitor's browser at each of two processes.
func visitorOfTwo(t *testing.T, first, second store.Store) (here, there *trial.Browser) {
	t.Helper()
	here = open(first)
	visitOK(t, here, func(ctx context.Context) {
		session.Login(ctx, "42")
		color.Set(ctx, "red")
	})
	return here, elsewhere(second, here)
}

func TestSeveralProcesses_BreakP1(t *testing.T) {
	first, second, arm := twoProcesses()
	here, there := visitorOfTwo(t, first, second)
	add := func(item int) deed {
		return func(ctx context.Context) {
			basket.Update(ctx, func(items *[]int) { *items = append(*items, item) })
		}
	}
	arm(func() { visitOK(t, there, add(2)) })
	visitOK(t, here, add(1))
	visitOK(t, here, func(ctx context.Context) {
		if items := basket.Get(ctx); len(items) != 1 || items[0] != 1 {
			t.Errorf("the basket has %v; the table says that only the later write is left, 1", items)
		}
	})
}

func TestSeveralProcesses_BreakP2(t *testing.T) {
	first, second, arm := twoProcesses()
	here, there := visitorOfTwo(t, first, second)
	thief := here.Fork()
	arm(func() {
		visitOK(t, there, func(ctx context.Context) {
			if err := session.Logout(ctx); err != nil {
				t.Errorf("Logout: %v", err)
			}
		})
	})
	visitOK(t, here, func(ctx context.Context) { color.Set(ctx, "blue") })
	visitOK(t, thief, func(ctx context.Context) {
		if user := session.UserID(ctx); user != "42" {
			t.Errorf("user %q; the table says that the old cookie is signed in again", user)
		}
	})
}

func TestSeveralProcesses_BreakP3(t *testing.T) {
	first, second, arm := twoProcesses()
	here, there := visitorOfTwo(t, first, second)
	old := here.Fork()
	arm(func() { visitOK(t, there, session.Renew) })
	visitOK(t, here, func(ctx context.Context) { color.Set(ctx, "blue") })
	for name, c := range map[string]struct {
		browser *trial.Browser
		color   string
	}{
		"old": {old, "blue"},
		"new": {there, "red"},
	} {
		visitOK(t, c.browser, func(ctx context.Context) {
			if user, got := session.UserID(ctx), color.Get(ctx); user != "42" || got != c.color {
				t.Errorf("with the %s id: user %q, color %q; the table says 42 and %s", name, user, got, c.color)
			}
		})
	}
}

func TestSeveralProcesses_BreakP4(t *testing.T) {
	first, second, arm := twoProcesses()
	here, there := visitorOfTwo(t, first, second)
	visitOK(t, here, func(ctx context.Context) { flash.Info(ctx, "paid") })
	shown := 0
	show := func(ctx context.Context) { shown += len(flash.Take(ctx)) }
	arm(func() { visitOK(t, there, show) })
	visitOK(t, here, show)
	if shown != 2 {
		t.Errorf("the message was shown %d times; the table says 2", shown)
	}
}
