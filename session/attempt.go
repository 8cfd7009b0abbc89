package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gosatchel/satchel/store"
)

// An attempt is one logical commit on its way into the store, over all its
// retries. It keeps one version throughout, so that a write whose reply was lost
// can be recognised later, by the record or by its history, and is not made twice.
type attempt struct {
	m       *Manager
	t       *transaction // nil where other visitors' sessions are ended
	op      string
	ctx     context.Context // without a deadline
	until   time.Time       // the end of all patience
	writing patience        // ends before, to leave time for finding out what happened
	version store.Version

	own     []change     // of the transaction
	fork    *transaction // of a Transact that commits along, or nil
	signsIn bool         // there is a Login among the changes
	swaps   int          // that were tried

	ident identity
	base  *record // what next stands on; nil for a new session
	next  *record // at first &first
	first record
}

// attempt begins an operation of t on the store. The client may go away, and a
// commit goes on.
func (t *transaction) attempt(ctx context.Context, op string) *attempt {
	a := t.manager.attempt(ctx, op)
	a.t = t
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.until.IsZero() {
		a.until, a.writing.until = t.until, t.until
	}
	t.attempted = a.until
	return a
}

func (m *Manager) attempt(ctx context.Context, op string) *attempt {
	timeout := m.options.StoreTimeout
	now := time.Now()
	a := &attempt{m: m, op: op, ctx: context.WithoutCancel(ctx), until: now.Add(timeout), version: newVersion()}
	a.writing.Context, a.writing.until = a.ctx, now.Add(timeout-timeout/4)
	return a
}

// newVersion need not be a secret, only never come twice: the generator is
// cryptographically strong, and seeded by the system in every process.
func newVersion() (v store.Version) {
	binary.NativeEndian.PutUint64(v[:], rand.Uint64())
	binary.NativeEndian.PutUint64(v[8:], rand.Uint64())
	return v
}

// create stores next under a new id.
func (a *attempt) create() (err error) {
	if a.ident, err = a.m.engine.fresh(a.ctx); err != nil {
		return err
	}
	a.next.version = a.version
	a.next.follow(nil)
	if err := a.index(a.ident.id, nil, a.next); err != nil {
		return err
	}
	done, current, err := a.swap(a.ident, nil, a.next)
	switch {
	case errors.Is(err, store.ErrNotApplied):
		a.unindex(persisted{a.ident, a.next})
		return err
	case err != nil:
	case !done || current.ended:
		err = endedBy(current) // with "end all" for its user, before it was there
	case a.signsIn:
		err = a.limit()
	}
	if err != nil {
		a.discard()
	}
	return err
}

// overwrite stores next over base and whatever others put there meanwhile.
func (a *attempt) overwrite() error {
	a.next.version = a.version
	for n := 0; ; n++ {
		a.next.follow(a.base)
		if err := a.index(a.ident.id, a.base, a.next); err != nil {
			return err
		}
		done, current, err := a.swap(a.ident, a.base, a.next)
		switch {
		case err != nil:
			return err
		case done:
			a.next = current
			return nil
		case current == nil || current.ended:
			return endedBy(current)
		}
		if err := a.rebase(current); err != nil {
			return err
		}
		a.pause(n)
	}
}

// rebase makes next again, from what somebody else has committed.
func (a *attempt) rebase(current *record) error {
	if a.base != nil {
		a.t.logOverwritten(a.own, a.base, current)
	}
	next, err := a.t.replay(a.own, current)
	if err != nil {
		return err
	}
	if a.fork != nil {
		if a.fork.outdated(next) {
			a.base = current
			return errRerun
		}
		if next, err = a.t.replay(a.fork.pending, next); err != nil {
			return err
		}
	}
	a.base, a.next = current, next
	a.next.version = a.version
	return nil
}

// swap stores next as the successor of prev, which is nil where there must be
// none, and reports whether that happened. current is the record that is there
// now: next or a later one if it happened; nil if there is none. The error is a
// *StoreError.
func (a *attempt) swap(ident identity, prev, next *record) (done bool, current *record, err error) {
	var before store.Version
	if prev != nil {
		before = prev.version
	}
	doubt, cause := false, error(nil)
	for n := 0; ; n++ {
		if a.swaps++; a.swaps > 1 && !doubt && a.writing.Err() != nil {
			return false, nil, &StoreError{a.op, a.writing.Err()} // also where the store looks at no clock
		}
		ttl := a.m.timeToLive(next)
		if ttl <= 0 {
			return false, nil, nil // its deadline has passed on the way
		}
		if err = a.m.engine.swap(&a.writing, ident, before, next, ttl); err == nil {
			return true, next, nil
		}
		var conflict *store.Conflict
		switch {
		case errors.As(err, &conflict):
			current, err = decodeCurrent(conflict.Current)
		case errors.Is(err, store.ErrNotFound):
			current, err = nil, nil
		case errors.Is(err, store.ErrNotApplied) && !doubt:
			return false, nil, &StoreError{a.op, err}
		case errors.Is(err, store.ErrUnconfirmed):
			return false, nil, a.unknown(err) // it is there, and may not stay
		default:
			doubt = true
			cause = err
			if current, err = a.find(ident.id); err != nil {
				return false, nil, a.unknown(cause)
			}
		}
		switch {
		case err != nil:
			return false, nil, &StoreError{a.op, err}
		case current != nil && current.remembers(next.version):
			return true, current, nil
		case !doubt:
			return false, current, nil
		}

		// An earlier write got no answer, and is not there. Can it still come?
		switch {
		case current == nil && prev == nil, current != nil && current.version == before:
			// It can: nothing has happened since. Writing the same again is safe,
			// because of the two only the one that comes first is taken.
			if n == maxRepeats || a.writing.Err() != nil {
				return false, nil, a.unknown(cause)
			}
			a.pause(firstPause + n)
		case current != nil && !current.remembers(before):
			// So much has happened since that its trace may be lost.
			return false, nil, a.unknown(errors.New("too many commits since"))
		default:
			// It can't: what it was to follow is gone or has another successor.
			return false, current, nil
		}
	}
}

// find looks once at what is in the store, nil if nothing is.
func (a *attempt) find(id string) (*record, error) {
	looking := patience{Context: a.ctx, until: a.until}
	defer looking.end()
	found, err := a.m.store.look(&looking, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeCurrent(found)
}

// decodeCurrent decodes a record that is not the one we had loaded. One that is
// damaged is as good as gone.
func decodeCurrent(found store.Record) (*record, error) {
	r, err := decodeRecord(found.Data)
	if errors.Is(err, errCorrupt) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.version = found.Version
	return r, nil
}

func (a *attempt) unknown(cause error) error {
	return &StoreError{a.op, fmt.Errorf("%w: %w", ErrUnknown, cause)}
}

// maxRepeats is how often a write is made again that got no answer and is not there.
const maxRepeats = 3

// pause waits a little before the nth retry, each time a random and on average
// a longer while, so that many writers of one session get out of each other's
// way. The first retries, which mostly succeed, don't wait.
func (a *attempt) pause(n int) {
	if n < firstPause {
		return
	}
	timer := time.NewTimer(rand.N(time.Millisecond << min(n-firstPause, 5)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.writing.Done():
	}
}

const firstPause = 2
