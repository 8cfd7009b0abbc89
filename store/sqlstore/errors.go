package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/gosatchel/satchel/store"
)

// errLostTrack is the outcome of a Swap that may have been made, and overwritten since.
var errLostTrack = errors.New("a connection broke, and whether anything was written is unknown")

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
	if errors.As(err, &before) || errors.Is(err, store.ErrDamaged) {
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

const tablesMissing = "the tables are missing; see Store.CreateTables"

// states has what PostgreSQL's more likely codes, and classes of codes, mean here.
var states = map[string]string{
	"42P01": tablesMissing,
	"42703": "the tables are other ones than this store's; see Store.Schema",
	"42501": "the user lacks a permission on the tables",
	"28":    "the user name or the password was refused",
	"3D":    "there is no such database",
	"3F":    "there is no such schema",
	"25006": "the server is read-only",
	"53100": "the disk is full",
	"53200": "the server is out of memory",
	"53300": "the server has too many connections; see sql.DB.SetMaxOpenConns",
	"57P03": "the server is starting or stopping",
	"57P01": "the server has ended the connection",
	"57014": "the server has cancelled the statement",
}

// codes has the same for SQLite's.
var codes = map[int]string{
	sqLiteBusy: "another connection is writing",
	8:          "the database is read-only",
	10:         "the disk failed",
	11:         "the file is damaged",
	13:         "the disk is full",
	14:         "the file can't be opened",
	26:         "the file is no database",
}

// meaning returns the first text that there is, as the end of another one.
func meaning(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return ": " + text
		}
	}
	return ""
}

// kind describes err in words of our own and Go's.
func kind(err error) string {
	var errno syscall.Errno
	var network net.Error
	if state := sqlState(err); state != "" {
		return "the database answered with SQLSTATE " + state + meaning(states[state], states[state[:2]])
	}
	if code := sqLiteCode(err); code != 0 {
		if code == 1 && strings.Contains(err.Error(), "no such table") {
			return "SQLite answered with code 1" + meaning(tablesMissing)
		}
		return fmt.Sprintf("SQLite answered with code %d", code) + meaning(codes[code])
	}
	switch {
	case err == errLostTrack:
		return err.Error()
	case strings.Contains(err.Error(), "sql: database is closed"):
		return "the app has closed its sql.DB"
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
