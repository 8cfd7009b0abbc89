package storetest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/storetest"
)

func TestReferencePasses(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open:     func(*testing.T) store.Store { return newReference() },
		FakeTime: true,
	})
}

func TestReferencePassesInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for some seconds")
	}
	s := newReference()
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
}

// A store that lists nobody's sessions passes, without the cases for those who do.
func TestStoreWithoutIndex(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open:     func(*testing.T) store.Store { return struct{ store.Store }{newReference()} },
		FakeTime: true,
	})
}

// A waived case is not run, and its neighbours are.
func TestWaive(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(t *testing.T) store.Store {
			if strings.HasSuffix(t.Name(), "/find-missing") {
				t.Error("a waived case was run")
			}
			return newReference()
		},
		FakeTime: true,
		Waive:    map[string]string{"find-missing": "to see that it isn't run"},
	})
}

// Each broken store fails the cases that its fault breaks, and no others.
func TestBrokenStores(t *testing.T) {
	for _, b := range brokenStores() {
		t.Run(strings.ReplaceAll(b.fault, " ", "-"), func(t *testing.T) {
			t.Parallel()
			var red []string
			for _, name := range storetest.Cases() {
				synctest.Test(t, func(t *testing.T) {
					if err := storetest.RunCase(t.Context(), name, b.open()); err != nil {
						red = append(red, name)
						t.Logf("%s: %v", name, err)
					}
				})
			}
			slices.Sort(red)
			want := slices.Sorted(slices.Values(strings.Fields(b.red)))
			if !slices.Equal(red, want) {
				t.Errorf("a store that %s failed these cases:\n%s\nwant these:\n%s", b.fault, strings.Join(red, " "), strings.Join(want, " "))
			}
		})
	}
}

// A case that no broken store fails might as well not be there.
func TestEveryCaseCanFail(t *testing.T) {
	can := make(map[string]bool)
	for _, b := range brokenStores() {
		for name := range strings.FieldsSeq(b.red) {
			can[name] = true
		}
	}
	seen := make(map[string]bool)
	for _, name := range storetest.Cases() {
		if seen[name] {
			t.Errorf("there are two cases %s", name)
		}
		seen[name] = true
		if !can[name] {
			t.Errorf("no broken store fails %s", name)
		}
	}
}

// broken is a store with a fault, and the cases which that turns red.
type broken struct {
	fault string // what it does: "a store that ..."
	open  func() store.Store
	red   string
}

// with makes a broken store of a correct one.
func with(alter func(r *reference, a *altered)) func() store.Store {
	return func() store.Store {
		a := &altered{reference: newReference()}
		alter(a.reference, a)
		return a
	}
}

func brokenStores() []broken {
	return slices.Concat(brokenRecords(), brokenSwaps(), brokenTimes(), brokenBytes(), brokenContexts(), brokenIndexes())
}
