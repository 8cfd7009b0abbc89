// Package breaker is a circuit breaker that spares callers the wait for a server that
// does not answer.
//
// It is about waiting. An operation that waited in vain is a strike. After MaxStrikes
// in a row the breaker is open: operations are not let through, except for one at a time,
// the probe. The first that ends otherwise closes it, also if it began before. There is no
// timer: whoever comes next is the next probe, so a server that is back is found by the
// first who asks for it.
//
// What counts as waiting in vain is for the caller to judge.
package breaker

import (
	"sync"
	"sync/atomic"
	"time"
)

// MaxStrikes is how many operations in a row fail after a long wait before the others
// stop waiting.
const MaxStrikes = 5

// Breaker counts strikes. Its methods are safe for concurrent use. Create it with [New].
type Breaker struct {
	patience time.Duration
	born     time.Time

	// strained says that there are strikes. While there are none, no operation
	// takes the lock.
	strained atomic.Bool

	mu      sync.Mutex
	strikes int           // in a row, up to MaxStrikes
	opened  time.Duration // when there were so many, since born
	probe   Pass          // the zero Pass while there is none
	probes  int           // how many there were
}

// A Pass lets one operation through.
type Pass struct {
	began time.Duration // since the breaker was born; cheaper than a time.Time
	probe int           // its number, 0 if it is none
}

// New returns a breaker that is closed. A probe that has not ended after patience is not
// waited for any more: one that minds no deadline may never end.
func New(patience time.Duration) *Breaker {
	return &Breaker{patience: patience, born: time.Now()}
}

// Admit returns the pass of an operation, or false if it is to fail at once.
func (b *Breaker) Admit() (p Pass, ok bool) {
	p = b.Free()
	if !b.strained.Load() {
		return p, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.strikes < MaxStrikes {
		return p, true
	}
	if b.probe.probe != 0 && p.began-b.probe.began <= b.patience {
		return p, false
	}
	b.probes++
	p.probe = b.probes
	b.probe = p
	return p, true
}

// Free returns a pass for an operation that is made in any case.
func (b *Breaker) Free() Pass { return Pass{began: time.Since(b.born)} }

// Took returns how long ago the pass was given.
func (b *Breaker) Took(p Pass) time.Duration { return time.Since(b.born) - p.began }

// Strained reports whether there are strikes. While there are none, a success need not
// be settled.
func (b *Breaker) Strained() bool { return b.strained.Load() }

// A Finding is what the end of an operation says of the server.
type Finding int

const (
	Nothing  Finding = iota // such as where the caller went away
	Answered                // be it with a refusal
	Strike                  // it was waited for in vain
)

// A Turn is a change of the breaker's state.
type Turn int

const (
	Stayed Turn = iota
	Opened
	Closed
)

// Settle draws the conclusion from how an operation has ended. If that closes the
// breaker, after is how long it was open.
func (b *Breaker) Settle(p Pass, found Finding) (turn Turn, after time.Duration) {
	if found == Answered && !b.strained.Load() {
		return Stayed, 0
	}
	now := time.Since(b.born)
	b.mu.Lock()
	defer b.mu.Unlock()
	wasOpen := b.strikes == MaxStrikes
	if p.probe != 0 && p.probe == b.probe.probe {
		b.probe = Pass{} // whatever came of it, the next operation may be one
	}
	switch {
	case found == Answered:
		b.strikes, b.probe = 0, Pass{}
		b.strained.Store(false)
		if wasOpen {
			return Closed, now - b.opened
		}
	case found == Strike && !wasOpen:
		b.strikes++
		b.strained.Store(true)
		if b.strikes == MaxStrikes {
			b.opened = now
			return Opened, 0
		}
	}
	return Stayed, 0
}
