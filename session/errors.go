package session

import (
	"errors"
	"fmt"
)

// What a session can refuse. Match them with errors.Is; the errors that callers
// get are wrapped with what was being done.
var (
	// ErrEnded means that the session was logged out, revoked or renewed by
	// somebody else. Nothing more can be written to it. A page that is loaded
	// now, with the cookie the browser has by now, works. [Error] answers 409.
	ErrEnded = errors.New("session: the session has ended")

	// ErrTooLarge means that a change would have made the session larger than
	// Options.MaxBytes. The error names the key.
	ErrTooLarge = errors.New("session: too large")

	// ErrHeadersSent means that a change needs a cookie, and it is too late to
	// send one: the headers went out before.
	ErrHeadersSent = errors.New("session: the change needs a cookie, and the headers have been sent")

	// ErrDone means that a session was changed after its handler had returned,
	// typically by a goroutine that the handler started and did not wait for.
	ErrDone = errors.New("session: changed after the handler returned")

	// ErrAmbiguous means that the browser sent several cookies of our name, and
	// more than one belongs to a live session: somebody planted one. Nothing can
	// be written. A __Host- cookie, the default, can't get there.
	ErrAmbiguous = errors.New("session: the request carries the cookies of two live sessions")

	// ErrUnknown means that the store failed in the middle of a commit, and that
	// what became of it could not be found out, or that it was stored and may be
	// lost again (store.ErrUnconfirmed). It is not repeated, since it may
	// have happened. It is always wrapped in a *StoreError.
	ErrUnknown = errors.New("session: it is not known whether the changes were stored")

	// ErrNoIndex means that the store can't list a user's sessions.
	ErrNoIndex = errors.New("session: the store does not list a user's sessions; use one that is a store.Indexer, as memstore, redisstore and sqlstore are")

	// errMoved is ErrEnded where the session goes on under another id.
	errMoved = fmt.Errorf("%w: it was renewed, and goes on under a new id", ErrEnded)

	// errGone is ErrEnded where it is not known whether the session was renewed.
	errGone = fmt.Errorf("%w: it is not there any more", ErrEnded)

	// errSkipped is why the session of a request that Options.Skip named is read-only.
	errSkipped = errors.New("session: Options.Skip excludes this request from sessions")

	// errMeddling ends what would go on for ever.
	errMeddling = errors.New("session: the function of this Update or Transact ran too often; it must not change the session other than through what it is given")

	// errInTransact refuses, inside Transact, what can't be part of one commit.
	errInTransact = errors.New("session: not inside Transact, which commits once, when its function has returned")
)

// StoreError means that the store failed or did not answer in time. Nothing is
// wrong with the session: when the store is back, so is the session. [Error]
// answers 503.
type StoreError struct {
	Op  string // what the session was doing: "load", "commit", "destroy", "reload", "touch", "import"
	Err error
}

func (e *StoreError) Error() string { return fmt.Sprintf("session: %s: %v", e.Op, e.Err) }
func (e *StoreError) Unwrap() error { return e.Err }
