package scsstore_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
)

// valueOf returns the value that a record of "data" has in an scs store.
func valueOf(t *testing.T) []byte {
	t.Helper()
	m := memstore.NewWithCleanupInterval(0)
	create(t, scsstore.New(m, scsstore.Options{}), "id", "data")
	value, ok, err := m.Find(scsstore.TokenOf("id"))
	if !ok || err != nil {
		t.Fatalf("there is no value under the token: %v", err)
	}
	return bytes.Clone(value)
}

func TestForeignValue_IsDamaged(t *testing.T) {
	ours := valueOf(t)
	zeroVersion := bytes.Clone(ours)
	clear(zeroVersion[4:20])
	layoutZero := bytes.Clone(ours)
	layoutZero[3] = 0
	for name, value := range map[string][]byte{
		"empty":           {},
		"text":            []byte("something that is as long as a record"),
		"scs's gob":       {0x22, 0xff, 0x81, 3, 1, 1, 0x0a},
		"the mark alone":  ours[:3],
		"cut":             ours[:27],
		"a zero version":  zeroVersion,
		"a layout of old": layoutZero,
	} {
		t.Run(name, func(t *testing.T) {
			m := memstore.NewWithCleanupInterval(0)
			s := scsstore.New(m, scsstore.Options{})
			m.Commit(scsstore.TokenOf("id"), value, time.Now().Add(time.Hour))
			if _, err := s.Find(t.Context(), "id"); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("Find: %v, want ErrDamaged", err)
			}
			for _, prev := range []store.Version{{}, newRecord("").Version} {
				err := s.Swap(t.Context(), "id", prev, newRecord("x"))
				if !errors.Is(err, store.ErrDamaged) || !errors.Is(err, store.ErrNotApplied) {
					t.Errorf("Swap: %v, want ErrDamaged and ErrNotApplied", err)
				}
			}
			if err := s.Touch(t.Context(), "id", store.Version{}, time.Hour); err != nil {
				t.Errorf("Touch: %v", err)
			}
			if got, _, _ := m.Find(scsstore.TokenOf("id")); !bytes.Equal(got, value) {
				t.Errorf("the foreign value was replaced by %q", got)
			}
			if err := s.Delete(t.Context(), "id"); err != nil {
				t.Errorf("Delete: %v", err)
			}
			create(t, s, "id", "x")
		})
	}
}

// A process of an older version that still runs must not take for damaged what one
// of a newer version has written, since damaged records are given up.
func TestNewerLayout_IsAFailureAndNoDamage(t *testing.T) {
	m := memstore.NewWithCleanupInterval(0)
	s := scsstore.New(m, scsstore.Options{})
	newer := valueOf(t)
	newer[3]++
	m.Commit(scsstore.TokenOf("id"), newer, time.Now().Add(time.Hour))
	_, err := s.Find(t.Context(), "id")
	if err == nil || errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("Find: %v", err)
	}
	for name, err := range map[string]error{
		"Swap":  s.Swap(t.Context(), "id", store.Version{}, newRecord("x")),
		"Touch": s.Touch(t.Context(), "id", newRecord("").Version, time.Hour),
	} {
		if !errors.Is(err, store.ErrNotApplied) || errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v, want ErrNotApplied", name, err)
		}
	}
	if got, _, _ := m.Find(scsstore.TokenOf("id")); !bytes.Equal(got, newer) {
		t.Error("the record was replaced")
	}
}

// An scs store may go on returning what has expired: by its clock it has not, or
// its clean-up is late.
func TestExpiry_GoesByTheRecordAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memstore.NewWithCleanupInterval(0)
		s := scsstore.New(m, scsstore.Options{})
		r := create(t, s, "id", "data")
		value, _, _ := m.Find(scsstore.TokenOf("id"))
		m.Commit(scsstore.TokenOf("id"), value, time.Now().Add(100*time.Hour))
		time.Sleep(r.TTL - 1)
		if got, err := s.Find(t.Context(), "id"); err != nil || got.TTL != 1 {
			t.Errorf("at the end of its life: %v left, %v", got.TTL, err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := s.Find(t.Context(), "id"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Find afterwards: %v, want ErrNotFound", err)
		}
		if err := s.Swap(t.Context(), "id", r.Version, newRecord("back")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Swap afterwards: %v, want ErrNotFound", err)
		}
		holds(t, s, "id", create(t, s, "id", "anew"))
	})
}

// A time to live counts from the write, however long its lock was waited for.
func TestTTL_CountsFromTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHooked()
		s := scsstore.New(h, scsstore.Options{})
		r := create(t, s, "id", "data")
		h.around = func(op string, call func() error) error {
			if op == "find" {
				time.Sleep(time.Minute)
			}
			return call()
		}
		next := newRecord("next")
		if err := s.Swap(t.Context(), "id", r.Version, next); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Find(t.Context(), "id"); err != nil || got.TTL != next.TTL-time.Minute {
			t.Errorf("%v left a minute after the write, want %v (%v)", got.TTL, next.TTL-time.Minute, err)
		}
	})
}

func TestTTL_EndsAfterAHundredYears(t *testing.T) {
	s := scsstore.New(memstore.NewWithCleanupInterval(0), scsstore.Options{})
	r := newRecord("data")
	r.TTL = 1<<63 - 1
	if err := s.Swap(t.Context(), "id", store.Version{}, r); err != nil {
		t.Fatal(err)
	}
	got, err := s.Find(t.Context(), "id")
	if years := got.TTL.Hours() / 24 / 365; err != nil || years < 99 || years > 100 {
		t.Errorf("a record that is to live as long as possible has %.1f years left (%v)", years, err)
	}
}

// scs stores for MySQL have a column of 43 characters, which takes two for one that
// differ in case alone.
func TestToken_FitsEveryScsStore(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"", "a", "A", "\x00", "\xff", strings.Repeat("long", 1000)} {
		token := scsstore.TokenOf(id)
		if len(token) != 43 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("token %q", token)
		}
		folded := strings.ToLower(token)
		if other, ok := seen[folded]; ok {
			t.Errorf("%q and %q have the same token", id, other)
		}
		seen[folded] = id
	}
}

func TestRoundTrips(t *testing.T) {
	h := newHooked()
	s := scsstore.New(h, scsstore.Options{})
	var trips string
	h.around = func(op string, call func() error) error { trips += " " + op; return call() }
	r, next, stale := newRecord("data"), newRecord("next"), newRecord("").Version
	ctx := t.Context()
	for i, step := range []struct {
		want string
		do   func() error
	}{
		{" find", func() error { _, err := s.Find(ctx, "id"); return err }},
		{" find", func() error { return s.Touch(ctx, "id", stale, time.Hour) }},
		{" find", func() error { return s.Swap(ctx, "id", stale, next) }},
		{" find commit", func() error { return s.Swap(ctx, "id", store.Version{}, r) }},
		{" find", func() error { return s.Swap(ctx, "id", store.Version{}, next) }},
		{" find commit", func() error { return s.Swap(ctx, "id", r.Version, next) }},
		{" find commit", func() error { return s.Touch(ctx, "id", next.Version, time.Hour) }},
		{" find", func() error { return s.Touch(ctx, "id", stale, time.Hour) }},
		{" delete", func() error { return s.Delete(ctx, "id") }},
		{"", func() error { return s.Touch(ctx, "id", next.Version, 0) }},
	} {
		trips = ""
		err := step.do()
		if trips != step.want {
			t.Errorf("step %d:%s, want%s (%v)", i, trips, step.want, err)
		}
	}
}
