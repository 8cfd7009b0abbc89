package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/gosatchel/satchel/store"
)

// index is all owners' entries, spread over parts by their owners.
//
// Locks are taken in one order: that of a part of the index, then that of a part
// of the records. Records know nothing of the index.
type index struct {
	seed  maphash.Seed
	parts []*indexPart
}

func newIndex(c clock, r *records, maxRecords int) *index {
	x := &index{seed: maphash.MakeSeed(), parts: make([]*indexPart, len(r.parts))}
	count := &entryCount{limit: 2 * int64(maxRecords)}
	for i := range x.parts {
		x.parts[i] = newIndexPart(c, r, count)
	}
	return x
}

func (x *index) part(owner string) *indexPart {
	return x.parts[maphash.String(x.seed, owner)%uint64(len(x.parts))]
}

// entryCount counts the entries of all parts. The bound is not split among them,
// since one owner's entries are all in one part.
type entryCount struct {
	n     atomic.Int64
	limit int64
}

// take counts one more entry, unless that would be too many.
func (c *entryCount) take() bool {
	if c.n.Add(1) > c.limit {
		c.n.Add(-1)
		return false
	}
	return true
}

func (c *entryCount) giveBack() { c.n.Add(-1) }

// Index lists id under owner as ref for ttl, in place of what was listed there
// of the same id. A ttl that is not positive is [store.ErrTTL].
//
// Entries leave by themselves when their time is over, and within some ten
// minutes after their record has expired, was deleted, or was evicted. If there
// are twice as many as the bound on records nevertheless, Index fails with
// [ErrFull] rather than forget a session that somebody may want to end.
//
// Cost: O(log n) in the number of entries.
func (s *Store) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	if err := writable(ctx); err != nil {
		return err
	}
	return s.index.part(owner).add(owner, ref, id, ttl)
}

// Unindex removes the entry of id, if there is one.
//
// Cost: O(log n) in the number of entries.
func (s *Store) Unindex(ctx context.Context, owner, id string) error {
	if err := writable(ctx); err != nil {
		return err
	}
	s.index.part(owner).unlist(owner, id)
	return nil
}

// Owned returns owner's entries, in no particular order, each with a copy of its
// record. Each record is read by itself: one that changes during the call is
// returned as it was at some moment of it.
//
// Cost: O(k) for the owner's k entries, and the copying of their data. No lock is
// held for longer than it takes to list the entries.
func (s *Store) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: %w", err)
	}
	part := s.index.part(owner)
	var owned []store.Entry
	for _, e := range part.list(owner) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("memstore: %w", err)
		}
		found, ok := s.records.part(e.id).find(e.id)
		if !ok && e.graceOver(s.clock.now()) {
			part.drop(e)
			continue
		}
		owned = append(owned, store.Entry{Ref: e.ref, ID: e.id, Record: copied(found)})
	}
	return owned, nil
}
