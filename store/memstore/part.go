package memstore

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/gosatchel/satchel/store"
)

// expiredPerWrite is how many expired records a write removes along the way.
// More than the one it may add, so that writes alone get rid of all of them.
const expiredPerWrite = 2

// smallTable is the size up to which it isn't worth to replace a table that has
// become empty.
const smallTable = 64

// record is due when it expires.
type record struct {
	queued
	id      string
	version store.Version
	data    []byte // replaced, never changed, so it may be read without the lock
	rank    store.Rank
}

// part is some of the records, behind one lock.
type part struct {
	clock clock
	room  int

	mu      sync.Mutex
	records map[string]*record
	ranks   [store.RankEnded + 1]queue[*record]
	largest int // that records was since it was made
	alarm   alarm
}

func newPart(c clock, room int) *part {
	p := &part{clock: c, room: room}
	p.reset()
	// A timer that is still to ring must not keep a store in memory which nobody
	// else refers to.
	self := weak.Make(p)
	p.alarm = newAlarm(func() {
		if p := self.Value(); p != nil {
			p.cleanUp()
		}
	})
	return p
}

// find returns the live record under id. Its Data is the part's own.
func (p *part) find(id string) (store.Record, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	r, ok := p.live(id, now)
	if !ok {
		return store.Record{}, false
	}
	return r.read(now), true
}

// until returns when the record under id expires, if there is a live one.
func (p *part) until(id string) (instant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.live(id, p.clock.now())
	if !ok {
		return 0, false
	}
	return r.due, true
}

// swap is [Store.Swap], except that next.Data becomes the part's own, and that
// the Data of a conflict's record is.
func (p *part) swap(id string, prev store.Version, next store.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.removeExpired(now, expiredPerWrite)
	r, ok := p.live(id, now)
	switch {
	case ok && r.version != prev:
		return &store.Conflict{Current: r.read(now)}
	case ok:
		p.update(r, now, next)
	case prev != store.Version{}:
		return store.ErrNotFound
	default:
		return p.create(id, now, next)
	}
	return nil
}

func (p *part) touch(id string, v store.Version, ttl time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.removeExpired(now, expiredPerWrite)
	if r, ok := p.live(id, now); ok && r.version == v {
		p.ranks[r.rank].move(r, now.after(ttl))
		p.alarm.set(now, r.due)
	}
}

func (p *part) delete(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removeExpired(p.clock.now(), expiredPerWrite)
	if r, ok := p.records[id]; ok {
		p.remove(r)
	}
}

func (p *part) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.records)
}

func (p *part) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alarm.stop()
}

// What follows is called under the lock.

func (p *part) live(id string, now instant) (*record, bool) {
	r, ok := p.records[id]
	return r, ok && r.due > now
}

func (r *record) read(now instant) store.Record {
	return store.Record{Version: r.version, Data: r.data, TTL: time.Duration(r.due - now), Rank: r.rank}
}

func (p *part) create(id string, now instant, next store.Record) error {
	if r, ok := p.records[id]; ok {
		p.remove(r) // expired
	}
	if len(p.records) >= p.room && !p.giveUp(rankOf(next)) {
		return fmt.Errorf("%w of records that rank higher: %w", ErrFull, store.ErrNotApplied)
	}
	// Cloned, since the id may be a piece of something large.
	r := &record{id: strings.Clone(id), version: next.Version, data: next.Data, rank: rankOf(next)}
	r.due = now.after(next.TTL)
	p.records[r.id] = r
	p.largest = max(p.largest, len(p.records))
	p.ranks[r.rank].add(r)
	p.alarm.set(now, r.due)
	return nil
}

func (p *part) update(r *record, now instant, next store.Record) {
	r.version, r.data = next.Version, next.Data
	if rank, due := rankOf(next), now.after(next.TTL); rank == r.rank {
		p.ranks[rank].move(r, due)
	} else {
		p.ranks[r.rank].remove(r)
		r.rank, r.due = rank, due
		p.ranks[rank].add(r)
	}
	p.alarm.set(now, r.due)
}

// rankOf treats ranks that the store has never heard of like the highest.
func rankOf(r store.Record) store.Rank {
	return min(r.Rank, store.RankEnded)
}

func (p *part) remove(r *record) {
	delete(p.records, r.id)
	p.ranks[r.rank].remove(r)
	// Maps and slices never shrink. One that was large is worth a new one.
	if len(p.records) == 0 && p.largest > smallTable {
		p.reset()
	}
}

func (p *part) reset() {
	p.records = make(map[string]*record)
	clear(p.ranks[:])
	p.largest = 0
}
