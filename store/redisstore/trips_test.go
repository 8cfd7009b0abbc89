package redisstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
)

func TestEveryMethodIsOneRoundTrip(t *testing.T) {
	s, p := openProxied(t)
	for _, m := range methods { // so that the scripts are loaded
		if err := m.call(t.Context(), s); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%s: %v", m.name, err)
		}
	}
	r := create(t, s, "id", "data")
	create(t, s, "taken", "")
	conflict := new(store.Conflict) // stands for any
	for _, c := range []struct {
		name string
		call func() error
		want error
	}{
		{"Find", func() error { _, err := s.Find(t.Context(), "id"); return err }, nil},
		{"Find without a record", func() error { _, err := s.Find(t.Context(), "none"); return err }, store.ErrNotFound},
		{"Swap", func() error { return s.Swap(t.Context(), "id", r.Version, newRecord("next")) }, nil},
		{"Swap that creates", func() error { return s.Swap(t.Context(), "new", store.Version{}, r) }, nil},
		{"Swap without a record", func() error { return s.Swap(t.Context(), "none", r.Version, r) }, store.ErrNotFound},
		{"Swap with a conflict", func() error { return s.Swap(t.Context(), "taken", r.Version, r) }, conflict},
		{"Touch", func() error { return s.Touch(t.Context(), "new", r.Version, time.Hour) }, nil},
		{"Delete", func() error { return s.Delete(t.Context(), "new") }, nil},
		{"Index", func() error { return s.Index(t.Context(), "owner", "ref", "id", time.Hour) }, nil},
		{"Unindex", func() error { return s.Unindex(t.Context(), "owner", "id") }, nil},
		{"Ping", func() error { return s.Ping(t.Context()) }, nil},
	} {
		p.Trips()
		err := c.call()
		var met *store.Conflict
		if errors.As(err, &met) {
			err = conflict
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
		if n := p.Trips(); n != 1 {
			t.Errorf("%s took %d round trips, want 1", c.name, n)
		}
	}
}

func TestOwned_TakesThreeRoundTripsAtMost(t *testing.T) {
	s, p := openProxied(t)
	owned := func(owner string, entries, trips int) {
		t.Helper()
		p.Trips()
		got, err := s.Owned(t.Context(), owner)
		if err != nil || len(got) != entries {
			t.Errorf("%d entries (%v), want %d", len(got), err, entries)
		}
		if n := p.Trips(); n != trips {
			t.Errorf("Owned with %d entries took %d round trips, want %d", entries, n, trips)
		}
	}
	if _, err := s.Owned(t.Context(), "warm up"); err != nil {
		t.Fatal(err)
	}
	owned("nobody", 0, 1)
	for i := range 300 {
		id := fmt.Sprint("id", i)
		if err := s.Index(t.Context(), "owner", "ref", id, time.Hour); err != nil {
			t.Fatal(err)
		}
		create(t, s, id, "data")
	}
	owned("owner", 300, 2)
}

// A server that was restarted, or had its scripts flushed, has to be told them
// again, which may cost one round trip but no request.
func TestScriptsAreLoadedAgain(t *testing.T) {
	server := redistest.Start(t)
	p := redistest.NewProxy(t, server.Addr())
	s := open(t, p.URL(), noOptions)
	for _, m := range methods {
		server.Do(t, "SCRIPT", "FLUSH")
		server.Do(t, "FLUSHALL")
		p.Trips()
		if err := m.call(t.Context(), s); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s after a flush: %v", m.name, err)
		}
		if n := p.Trips(); n > 2 {
			t.Errorf("%s after a flush took %d round trips, want 2 at most", m.name, n)
		}
	}
}
