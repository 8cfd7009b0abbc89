// Package store is the contract between Satchel's sessions and the places that
// keep them.
//
// A store keeps opaque records under opaque ids. It knows nothing of cookies,
// users or values; it compares and swaps. Everything that Satchel promises under
// concurrency (no lost update, a final logout, a flash handed out once) rests
// on the one rule that [Store.Swap] is atomic on the record's version.
//
// Satchel ships [github.com/gosatchel/satchel/store/memstore],
// [github.com/gosatchel/satchel/store/redisstore], sqlstore in a module of its own,
// and [github.com/gosatchel/satchel/store/scsstore], which adapts stores that can't
// compare and swap. Whoever writes another one runs the suite of
// [github.com/gosatchel/satchel/store/storetest] over it.
package store

import (
	"context"
	"errors"
	"time"
)

// Version names one committed state of a record: 16 random bytes, chosen by
// whoever commits it and never used for another state. The zero Version means
// that there is no record.
type Version [16]byte

// Record is what a store keeps under an id.
type Record struct {
	// Version names this state of the record. Swap refuses a zero one.
	Version Version

	// Data is the session, encoded; any bytes, also none. A store neither keeps
	// the caller's slice nor hands out its own: both sides may change theirs.
	Data []byte

	// TTL is how long the record has left when it was read, and how long it is
	// to live when it is written. Stores are exact to the second or better, and
	// measure it by their own clock. Swap and Touch refuse one that is not positive.
	TTL time.Duration

	// Rank says what to give up first where a store that is full evicts records
	// by itself: lower ranks go first, and within a rank the soonest to expire.
	// It is a hint at writing. Stores that don't evict ignore it, and none needs
	// to return it.
	Rank Rank
}

// Rank orders records by how much is lost when one is evicted.
type Rank uint8

const (
	RankAnonymous Rank = iota // a session that nobody signed in to
	RankUser                  // somebody's session
	RankEnded                 // the marker of an ended session, which keeps stragglers out
)

// Store keeps records. All methods are safe for concurrent use, by any number
// of processes where the store is shared, and keep to ctx's deadline and
// cancellation, also while they wait for a connection.
//
// Each method is one round trip to wherever the records are.
//
// An error other than those named below means that the store failed. After such
// an error Swap, Touch and Delete may or may not have happened, and may still
// happen while a delayed request is on its way, unless the error wraps
// [ErrNotApplied]. Errors never contain ids, data or passwords.
type Store interface {
	// Find returns the live record under id, or ErrNotFound.
	Find(ctx context.Context, id string) (Record, error)

	// Swap stores next under id if the live record's version is prev, in one
	// atomic step. A zero prev means that there must be no live record.
	//
	// Otherwise nothing is written, and the error is a *Conflict with the current
	// record, or ErrNotFound where there is none. A record that expired or was
	// deleted is never brought back by a Swap with a prev that is not zero.
	Swap(ctx context.Context, id string, prev Version, next Record) error

	// Touch sets the record's time to live if its version is still v. Otherwise,
	// or if there is none, it does nothing, and that is no error.
	Touch(ctx context.Context, id string, v Version, ttl time.Duration) error

	// Delete removes the record, whatever its version. A missing one is no error.
	Delete(ctx context.Context, id string) error
}

// Indexer is implemented by stores that can list an owner's records. All
// methods are safe for concurrent use. Their cost grows with the number of that
// owner's entries, and with nothing else.
//
// An owner's entries are pairs of a ref and an id. A ref is the owner's lasting
// name for a session; its id changes with every renewal, and while a renewal is
// under way both the old and the new id are listed under the one ref.
type Indexer interface {
	// Index lists id under owner as ref for ttl. An entry of the same id is
	// replaced, but never shortened: of two at the same time, the longer ttl is
	// needed. Those of other ids, also with the same ref, stay. An index that
	// was damaged from outside is begun anew. A ttl that is not positive is refused
	// with ErrTTL.
	Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error

	// Owned returns owner's entries, each with its record. An entry without a
	// live record has a Record with a zero Version for a minute after it was
	// indexed, since it may be about to be created; after that it is removed and
	// not returned. It takes at most three round trips, however many there are.
	Owned(ctx context.Context, owner string) ([]Entry, error)

	// Unindex removes the entry of id. A missing one is no error.
	Unindex(ctx context.Context, owner, id string) error
}

// Entry is one of an owner's sessions, as [Indexer.Owned] returns it.
type Entry struct {
	Ref    string
	ID     string
	Record Record // with a zero Version if there is none
}

// ErrNotFound is returned where there is no live record.
var ErrNotFound = errors.New("store: record not found")

// ErrNotApplied is wrapped by errors of writing methods after which it is
// certain that nothing was written and nothing will be: the request never left,
// or the server refused it. It saves the caller the look at what happened.
var ErrNotApplied = errors.New("store: nothing was written")

// ErrUnconfirmed is wrapped by the error of a write that has happened, or may have,
// but is not known to be as safe as the store was asked to make it: it can still be
// lost, such as in a failover. To look whether it happened would not tell.
var ErrUnconfirmed = errors.New("store: written, but not confirmed")

// ErrDamaged is wrapped by the error of a Find that met something else than a
// record, which will not get better by trying again. Delete removes it.
var ErrDamaged = errors.New("store: not a record")

// Conflict is the error of a Swap that met another version than the expected
// one. Nothing was written.
type Conflict struct {
	// Current is the live record that was met, so that a retry costs no read.
	Current Record
}

func (*Conflict) Error() string {
	return "store: the record was changed by somebody else"
}

// Errors that stores return for a caller's mistake, before anything is sent.
var (
	ErrZeroVersion = errors.New("store: a record needs a version that is not zero")
	ErrTTL         = errors.New("store: a record needs a positive time to live")
)

// Check returns the error that [Store.Swap] owes for a record that can't be
// stored, or nil. It is for those who write stores.
func Check(next Record) error {
	if next.Version == (Version{}) {
		return ErrZeroVersion
	}
	if next.TTL <= 0 {
		return ErrTTL
	}
	return nil
}
