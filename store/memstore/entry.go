package memstore

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/gosatchel/satchel/store"
)

const (
	// grace is how long an entry waits for its record to be created.
	grace = time.Minute

	// recheck is how long an entry may outlive a record that was deleted or evicted.
	// One that expires takes its entry with it.
	recheck = 10 * time.Minute

	// searched is how many entries a full index looks at to find one that can go.
	searched = 16
)

// entry is due when it has to be seen whether it may still stay. All but that
// never changes, and may be read without the lock.
type entry struct {
	queued
	owner, ref, id string
	since, until   instant
}

func (e *entry) graceOver(now instant) bool {
	return e.since.after(grace) <= now
}

// indexPart is some of the owners' entries, behind one lock.
type indexPart struct {
	clock   clock
	records *records
	count   *entryCount

	mu      sync.Mutex
	owners  map[string]map[string]*entry // by owner and id
	entries queue[*entry]
	largest int // that owners was since it was made
	alarm   alarm
}

func newIndexPart(c clock, r *records, count *entryCount) *indexPart {
	p := &indexPart{clock: c, records: r, count: count, owners: make(map[string]map[string]*entry)}
	self := weak.Make(p) // for the reason given at newPart
	p.alarm = newAlarm(func() {
		if p := self.Value(); p != nil {
			p.cleanUp()
		}
	})
	return p
}

func (p *indexPart) add(owner, ref, id string, ttl time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.reviewDue(now, expiredPerWrite)
	until := now.after(ttl)
	if old, ok := p.owners[owner][id]; ok {
		until = max(until, old.until)
		p.unlink(old) // its place in the count goes to the new one
	} else if !p.count.take() && !(p.giveUp(now) && p.count.take()) {
		return fmt.Errorf("%w of entries that are in use: %w", ErrFull, store.ErrNotApplied)
	}
	// Cloned, since they may be pieces of something large.
	e := &entry{owner: strings.Clone(owner), ref: strings.Clone(ref), id: strings.Clone(id)}
	e.since, e.until = now, until
	e.due = min(e.until, now.after(grace))
	if p.owners[owner] == nil {
		p.owners[e.owner] = make(map[string]*entry)
		p.largest = max(p.largest, len(p.owners))
	}
	p.owners[e.owner][e.id] = e
	p.entries.add(e)
	p.alarm.set(now, e.due)
	return nil
}

// list returns owner's entries whose time is not over.
func (p *indexPart) list(owner string) []*entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	listed := make([]*entry, 0, len(p.owners[owner]))
	for _, e := range p.owners[owner] {
		if e.until > now {
			listed = append(listed, e)
		}
	}
	return listed
}

// unlist removes the entry of id, if there is one.
func (p *indexPart) unlist(owner, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reviewDue(p.clock.now(), expiredPerWrite)
	if e, ok := p.owners[owner][id]; ok {
		p.remove(e)
	}
}

// drop removes e, unless it has been replaced or removed meanwhile.
func (p *indexPart) drop(e *entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owners[e.owner][e.id] == e {
		p.remove(e)
	}
}

func (p *indexPart) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alarm.stop()
}

// cleanUp takes one step of the clean-up.
func (p *indexPart) cleanUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.alarm.rang()
	p.reviewDue(now, stepSize)
	p.alarm.set(now, p.entries.soonest())
}

// What follows is called under the lock.

// reviewDue looks at no more than n of the entries that are due.
func (p *indexPart) reviewDue(now instant, n int) {
	for ; n > 0 && p.entries.soonest() <= now; n-- {
		p.review(p.entries.first(), now)
	}
}

// giveUp removes an entry that is of no use any more, and reports whether it
// came across one. The soonest due are the likeliest.
func (p *indexPart) giveUp(now instant) bool {
	for range searched {
		if p.entries.empty() {
			return false
		}
		if p.review(p.entries.first(), now) {
			return true
		}
	}
	return false
}

// review removes e if there is no reason for it any more, which it reports, or
// else makes it due when that may have changed.
func (p *indexPart) review(e *entry, now instant) (removed bool) {
	if e.until > now {
		if recordUntil, ok := p.records.part(e.id).until(e.id); ok {
			p.entries.move(e, min(e.until, recordUntil, now.after(recheck)))
			return false
		}
		if !e.graceOver(now) {
			p.entries.move(e, min(e.until, e.since.after(grace)))
			return false
		}
	}
	p.remove(e)
	return true
}

func (p *indexPart) remove(e *entry) {
	p.unlink(e)
	p.count.giveBack()
}

func (p *indexPart) unlink(e *entry) {
	p.entries.remove(e)
	delete(p.owners[e.owner], e.id)
	if len(p.owners[e.owner]) > 0 {
		return
	}
	delete(p.owners, e.owner)
	if len(p.owners) == 0 && p.largest > smallTable {
		p.owners = make(map[string]map[string]*entry)
		p.entries = queue[*entry]{}
		p.largest = 0
	}
}
