// Package memstore keeps records in the memory of the process. It is the store
// to begin with: nothing to install, nothing to configure, and gone when the
// process ends.
//
//	sessions := session.New(memstore.New(), session.Options{})
//
// # What it costs
//
// Find, Swap, Touch and Delete take one short lock on one of up to 64 parts the
// records are spread over, and O(log n) steps under it; data is copied outside
// of the lock. There is no sweep over everything. Records that have expired are
// never returned, and leave in small steps: a few with every write to their
// part, the others in the background, at most a second or so after their time
// where few expire, and a batch of 64 per part and millisecond where many do.
// An empty store has nothing running.
//
// # What happens when it is full
//
// The store never holds more records than [MaxRecords] says, one million if
// nothing is said. A new record for which there is no room takes the place of
// an expired one, or else of the one that ranks lowest, and among those of the
// one soonest to expire. It never takes the place of one that ranks higher than
// itself: then Swap fails with [ErrFull]. So a flood of anonymous visitors signs
// nobody out.
//
// Each part has its share of the bound and gives up its own. A bound below 2048
// makes one part, and the order is exact. A larger one is spread by a hash which
// nobody outside can predict, and the first part is full a little before the
// store as a whole: with the default bound at some 98 per cent of it.
//
// The bound counts records, not bytes. Memory is bounded by the bound times the
// size that the sessions are allowed to have.
package memstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosatchel/satchel/store"
)

// ErrFull is wrapped, together with [store.ErrNotApplied], by the error of a
// Swap that would create a record where there is only room at the expense of
// records that rank higher, and of an Index that would list more entries than
// twice the bound on records.
var ErrFull = errors.New("memstore: full")

// Store is a [store.Store] and a [store.Indexer] in memory. Use [New].
//
// All methods are safe for concurrent use. No method blocks on anything but
// short locks, so that contexts are looked at once, at the beginning (by Owned
// for each entry): a call whose context is done does nothing and returns an
// error that wraps the context's. If the call would have written, the error
// wraps [store.ErrNotApplied] too.
type Store struct {
	clock   clock
	records *records
	index   *index
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Indexer = (*Store)(nil)
)

// New returns an empty store.
//
// A store that nobody refers to any more is freed, closed or not. Time is
// measured by the monotonic clock: setting the system's clock neither ends nor
// prolongs a record.
func New(options ...Option) *Store {
	o := defaults()
	for _, option := range options {
		option(&o)
	}
	c := newClock()
	r := newRecords(c, o.maxRecords)
	return &Store{clock: c, records: r, index: newIndex(c, r, o.maxRecords)}
}

// Find returns a copy of the live record under id, or [store.ErrNotFound]. Its
// TTL is what is left, to the nanosecond. The Rank is returned as well.
func (s *Store) Find(ctx context.Context, id string) (store.Record, error) {
	if err := ctx.Err(); err != nil {
		return store.Record{}, fmt.Errorf("memstore: %w", err)
	}
	found, ok := s.records.part(id).find(id)
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return copied(found), nil
}

// Swap stores a copy of next under id if the live record's version is prev,
// atomically; a zero prev means that there must be none. Otherwise it returns a
// [*store.Conflict] or [store.ErrNotFound], and for a next that can't be stored
// what [store.Check] says. When a new record finds no room, see [ErrFull].
//
// Cost: O(log n) in the number of records, and the copying of the data.
func (s *Store) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if err := store.Check(next); err != nil {
		return err
	}
	if err := writable(ctx); err != nil {
		return err
	}
	// Copied first, so that nobody waits for it.
	next.Data = bytes.Clone(next.Data)
	err := s.records.part(id).swap(id, prev, next)
	if conflict := (*store.Conflict)(nil); errors.As(err, &conflict) {
		conflict.Current = copied(conflict.Current)
	}
	return err
}

// Touch sets the time to live of the record under id if its version is v, and
// otherwise does nothing. A ttl that is not positive is [store.ErrTTL].
//
// Cost: O(log n) in the number of records.
func (s *Store) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	if err := writable(ctx); err != nil {
		return err
	}
	s.records.part(id).touch(id, v, ttl)
	return nil
}

// Delete removes the record under id, if there is one.
//
// Cost: O(log n) in the number of records.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := writable(ctx); err != nil {
		return err
	}
	s.records.part(id).delete(id)
	return nil
}

// Len returns how many records are held at the moment, for your metrics. Those
// that have expired count until they have been removed. It takes the lock of
// each part in turn, so that the sum is exact only while nobody writes.
func (s *Store) Len() int {
	n := 0
	for _, part := range s.records.parts {
		n += part.len()
	}
	return n
}

// Close stops the removal of expired records in the background, at once and for
// good. The store remains usable: expired records are still never returned, but
// leave only with the writes that follow. Closing again does nothing. The error
// is always nil.
//
// Nobody needs to close a store for the sake of its memory; see [New].
func (s *Store) Close() error {
	for _, part := range s.records.parts {
		part.close()
	}
	for _, part := range s.index.parts {
		part.close()
	}
	return nil
}

// writable returns the error that a writing method owes for a context that is
// done.
func writable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: %w: %w", err, store.ErrNotApplied)
	}
	return nil
}

func copied(r store.Record) store.Record {
	r.Data = bytes.Clone(r.Data)
	return r
}
