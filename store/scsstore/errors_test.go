package scsstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/scsstore"
)

var errSecret = errors.New("can't store secret-token at db:secret-password@host")

func TestError_SaysNothingThatTheStoreSaid(t *testing.T) {
	for _, cause := range []struct {
		err  error
		says string
	}{
		{errSecret, "*errors.errorString"},
		{fmt.Errorf("secret: %w", context.DeadlineExceeded), "context deadline exceeded"},
		{fmt.Errorf("secret: %w", context.Canceled), "context canceled"},
		{&net.OpError{Op: "dial", Addr: &net.UnixAddr{Name: "secret"}, Err: syscall.ECONNREFUSED}, "connection refused"},
		{&net.DNSError{Name: "secret", IsTimeout: true}, "time-out"},
	} {
		for _, m := range methods {
			for _, op := range []string{"find", "commit", "delete"} {
				h := newHooked()
				s := scsstore.New(h, scsstore.Options{})
				r := create(t, s, "secret-id", "secret-data")
				h.around = func(o string, call func() error) error {
					if o == op {
						return cause.err
					}
					return call()
				}
				err := m.call(t.Context(), s, "secret-id", r.Version)
				if err == nil && (m.name == "Delete" || m.name == "Find" || op == "delete") {
					continue // it never got there
				}
				if err == nil || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: %v", m.name, err)
					continue
				}
				if !strings.Contains(err.Error(), cause.says) || !strings.Contains(err.Error(), strings.ToLower(m.name)) {
					t.Errorf("%s: %q does not say what failed and how", m.name, err)
				}
				if !errors.Is(err, cause.err) {
					t.Errorf("%s: %v does not wrap the cause", m.name, err)
				}
				// What failed to write may have written.
				if certain, want := errors.Is(err, store.ErrNotApplied), m.writes != "" && op == "find"; certain != want {
					t.Errorf("%s: %v: wraps ErrNotApplied is %t, want %t", m.name, err, certain, want)
				}
			}
		}
	}
}

// A panic of the scs store is its caller's, who may recover from it, and leaves no
// lock behind.
func TestPanic_IsTheCallers(t *testing.T) {
	for _, m := range methods {
		t.Run(m.name, func(t *testing.T) {
			h := newHooked()
			s := scsstore.New(h, scsstore.Options{MaxCalls: 1})
			r := create(t, s, "id", "data")
			calm := h.around
			h.around = func(string, func() error) error { panic("out of cheese") }
			func() {
				defer func() {
					if text := fmt.Sprint(recover()); !strings.Contains(text, "out of cheese") || !strings.Contains(text, "errors_test.go") {
						t.Errorf("recovered %s, want the store's panic with its stack", text)
					}
				}()
				m.call(t.Context(), s, "id", r.Version)
			}()
			h.around = func(string, func() error) error { runtime.Goexit(); return nil }
			if err := m.call(t.Context(), s, "id", r.Version); err == nil {
				t.Error("no error where the store ended the goroutine")
			}
			h.around = calm
			if err := m.call(t.Context(), s, "id", r.Version); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if n := s.Locks(); n != 0 {
				t.Errorf("%d locks are left", n)
			}
		})
	}
}

func TestNew_RefusesWhatCantWork(t *testing.T) {
	for name, open := range map[string]func(){
		"no store":              func() { scsstore.New(nil, scsstore.Options{}) },
		"negative MaxCalls":     func() { scsstore.New(newHooked(), scsstore.Options{MaxCalls: -1}) },
		"negative WriteTimeout": func() { scsstore.New(newHooked(), scsstore.Options{WriteTimeout: -1}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "scsstore: ") {
					t.Errorf("it panicked with %q", text)
				}
			}()
			open()
		})
	}
}
