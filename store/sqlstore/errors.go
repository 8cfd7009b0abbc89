package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/gosatchel/satchel/store"
)

var errDamaged = fmt.Errorf("the row holds something else than a record: %w", store.ErrDamaged)

// failure is an error of the database or its driver. Its text says what kind of error
// that is, and not what it says: databases quote values, and drivers addresses.
type failure struct {
	kind   string
	causes []error
}

func (f *failure) Error() string   { return f.kind }
func (f *failure) Unwrap() []error { return f.causes }

func readFailed(ctx context.Context, op string, err error) error {
	var conflict *store.Conflict
	if err == nil || err == store.ErrNotFound || errors.As(err, &conflict) {
		return err
	}
	if errors.Is(err, store.ErrDamaged) {
		return fmt.Errorf("sqlstore: %s: %w", op, errDamaged)
	}
	f := &failure{kind: kind(err), causes: []error{err}}
	// Drivers differ in what they make of a context's end.
	if done := ctx.Err(); done != nil {
		f.kind = done.Error()
		f.causes = append(f.causes, done)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, f)
}

// writeFailed adds store.ErrNotApplied where that is certain.
func writeFailed(ctx context.Context, op string, err error) error {
	answer := readFailed(ctx, op, err)
	if answer == err || !certain(err) {
		return answer
	}
	return fmt.Errorf("%w: %w", answer, store.ErrNotApplied)
}

func certain(err error) bool {
	var before *unsent
	if errors.As(err, &before) || errors.Is(err, store.ErrDamaged) || errors.Is(err, driver.ErrBadConn) {
		return true
	}
	if state := sqlState(err); state != "" {
		return refusals[state[:2]] || refusals[state]
	}
	return refusalCodes[sqLiteCode(err)]
}

// refusals are the classes of PostgreSQL's error codes, and a few codes of others, after
// which the statement was rolled back. What is missing, such as a connection that was
// ended from outside, may have come too late for that.
var refusals = map[string]bool{
	"22": true, "23": true, "28": true, "3D": true, "3F": true, "42": true, // the statement, its values, its rights
	"25":    true,                // a server that is read-only
	"53":    true,                // out of space, memory or connections
	"55":    true,                // a lock
	"40001": true, "40P01": true, // a conflict of transactions
}

// SQLite's codes after which the statement was rolled back.
const sqLiteBusy = 5

var refusalCodes = map[int]bool{
	1:          true, // the statement
	sqLiteBusy: true,
	6:          true, // a table is locked
	8:          true, // read-only
	13:         true, // the disk is full
	14:         true, // the file can't be opened
	19:         true, // a constraint
	26:         true, // not a database
}

// again reports whether the same statement may succeed if it is only sent again: SQLite
// was busy with another writer, or PostgreSQL found that two transactions can't both be.
// The latter is how stricter isolation levels than read committed tell of a conflict.
func again(err error) bool {
	switch sqlState(err) {
	case "":
		return sqLiteCode(err) == sqLiteBusy
	case "40001", "40P01":
		return true
	}
	return false
}

// sqlState returns what both common drivers for PostgreSQL offer, or "".
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		if state := coded.SQLState(); len(state) == 5 {
			return state
		}
	}
	return ""
}

// sqLiteCode returns the code without what extends it, or 0.
func sqLiteCode(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code() & 0xff
	}
	return 0
}

// kind describes err in words of our own and Go's.
func kind(err error) string {
	var errno syscall.Errno
	var network net.Error
	if state := sqlState(err); state != "" {
		return "the database answered with SQLSTATE " + state
	}
	if code := sqLiteCode(err); code != 0 {
		return fmt.Sprintf("SQLite answered with code %d", code)
	}
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
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("the database failed (%T)", err)
		}
		err = inner
	}
}
