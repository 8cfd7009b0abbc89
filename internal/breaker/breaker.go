// Package breaker is a circuit breaker that spares callers the wait for a server that
// does not answer.
//
// It is about waiting. An operation that waited in vain is a strike. After MaxStrikes
// in a row the breaker is open, and operations are not let through. Whoever comes then
// has the server probed, in the background and once at a time, and waits a moment for
// what comes of it. Any answer closes the breaker. There is no timer: nobody asks for a
// server that nobody needs.
//
// What counts as waiting in vain is for the caller to judge.
package breaker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosatchel/satchel/internal/detached"
)

// MaxStrikes is how many operations in a row fail after a long wait before the others
// stop waiting.
const MaxStrikes = 5

// Breaker counts strikes. Its methods are safe for concurrent use. Create it with [New].
type Breaker struct {
	probe    func(Pass)
	patience time.Duration
	moment   time.Duration
	born     time.Time

	// strained says that there are strikes. While there are none, no operation
	// takes the lock.
	strained atomic.Bool

	// answered is when, since born, the latest operation began that was answered, as
	// far as that was noted. What began before and failed is no news.
	answered atomic.Int64

	mu      sync.Mutex
	strikes int           // in a row, up to MaxStrikes
	opened  time.Duration // when there were so many, since born
	probing Pass          // the zero Pass while there is no probe under way
	probes  int           // how many there were
}

// A Pass lets one operation through.
type Pass struct {
	began time.Duration // since the breaker was born; cheaper than a time.Time
	probe int           // its number, 0 if it is none
}

// New returns a breaker that is closed.
//
// probe asks the server something that changes nothing, within patience, and calls
// Settle. One that has not ended after patience is not waited for any more: a server's
// client that minds no deadline may never end it. moment is how long the operation waits
// that has caused the probe.
func New(probe func(Pass), patience, moment time.Duration) *Breaker {
	return &Breaker{probe: probe, patience: patience, moment: moment, born: time.Now()}
}

// Enter returns the pass of an operation, or false if it is to fail at once. If it has
// to wait, it returns when ctx is done. It panics if the probe that it waits for does.
func (b *Breaker) Enter(ctx context.Context) (Pass, bool) {
	p := b.Free()
	if !b.strained.Load() {
		return p, true
	}
	if probe, due := b.beginProbe(p); due {
		done := detached.Call(func() (struct{}, error) { b.probe(probe); return struct{}{}, nil }, func() {})
		timer := time.NewTimer(b.moment)
		defer timer.Stop()
		select {
		case probed := <-done:
			_, _ = probed.Result("the probe")
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Free(), b.strikes < MaxStrikes
}

// beginProbe returns the pass of a probe if it is time for one.
func (b *Breaker) beginProbe(p Pass) (Pass, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.strikes < MaxStrikes || b.probing.probe != 0 && p.began-b.probing.began <= b.patience {
		return Pass{}, false
	}
	b.probes++
	p.probe = b.probes
	b.probing = p
	return p, true
}

// Free returns a pass for an operation that is made in any case.
func (b *Breaker) Free() Pass { return Pass{began: time.Since(b.born)} }

// Took returns how long ago the pass was given.
func (b *Breaker) Took(p Pass) time.Duration { return time.Since(b.born) - p.began }

// Noted settles an operation that was answered, at next to no cost, and reports whether
// that was all there is to do. If not, Settle does the rest.
func (b *Breaker) Noted(p Pass) bool {
	// Not each time, since all processors would want the one place.
	const exact = int64(time.Millisecond)
	if last := b.answered.Load(); int64(p.began) > last+exact {
		b.answered.CompareAndSwap(last, int64(p.began))
	}
	return !b.strained.Load()
}

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
	if found == Answered && b.Noted(p) {
		return Stayed, 0
	}
	now := time.Since(b.born)
	b.mu.Lock()
	defer b.mu.Unlock()
	wasOpen := b.strikes == MaxStrikes
	if p.probe != 0 && p.probe == b.probing.probe {
		b.probing = Pass{} // whatever came of it, it is time for another one
	}
	switch {
	case found == Answered:
		b.strikes, b.probing = 0, Pass{}
		b.strained.Store(false)
		if wasOpen {
			return Closed, now - b.opened
		}
	case found == Strike && !wasOpen && int64(p.began) >= b.answered.Load():
		b.strikes++
		b.strained.Store(true)
		if b.strikes == MaxStrikes {
			b.opened = now
			return Opened, 0
		}
	}
	return Stayed, 0
}
