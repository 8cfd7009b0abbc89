package scsstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/gosatchel/satchel/store"
)

// failure is an error of the scs store. Its text says what kind of error that is,
// and not what it says: an scs store may well quote tokens, values, or the address
// it connects to with the password. Whoever trusts theirs gets at the cause with
// errors.As and errors.Unwrap.
type failure struct{ cause error }

func (f *failure) Error() string {
	return fmt.Sprintf("the scs store failed: %s", kind(f.cause))
}

func (f *failure) Unwrap() error { return f.cause }

// kind describes err in words of Go's own.
func kind(err error) string {
	var errno syscall.Errno
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded.Error()
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &network) && network.Timeout():
		return "time-out of the network"
	}
	return fmt.Sprintf("%T", err)
}

// failed adds to err what failed, and leaves those alone that are answers.
func failed(op string, err error) error {
	var conflict *store.Conflict
	if err == nil || err == store.ErrNotFound || errors.As(err, &conflict) {
		return err
	}
	return fmt.Errorf("scsstore: %s: %w", op, err)
}
