package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosatchel/satchel/store"
)

// maxStrikes is how many operations in a row fail after a long wait before the
// others stop waiting.
const maxStrikes = 5

// A breaker is a store.Store that spares requests the wait for a store that does
// not answer. Manager uses its methods of a store.Indexer only where the inner
// store is one.
//
// It is about waiting. An operation that failed after slow or more is a strike,
// whatever the error. After maxStrikes in a row the breaker is open: operations
// fail at once, except for one at a time, the probe. The first that ends
// otherwise closes it, also if it began before.
//
// A store that is quick to refuse, because it is full, loading or a replica,
// keeps nobody waiting. Its refusals are answers, or a store that takes no writes
// would not be read either.
type breaker struct {
	store.Store
	indexer store.Indexer // nil if the store has no index
	timeout time.Duration // of an operation
	slow    time.Duration // what makes a failure a strike: a tenth of it
	log     func(level slog.Level, msg string, args ...any)
	born    time.Time

	// strained says that there are strikes. While there are none, no operation
	// takes the lock.
	strained atomic.Bool

	mu      sync.Mutex
	strikes int           // in a row, up to maxStrikes
	opened  time.Duration // when there were so many, since born
	probe   pass          // the zero pass while there is none
	probes  int           // how many there were
}

// A pass lets one operation through.
type pass struct {
	began time.Duration // since the breaker was born; cheaper than a time.Time
	probe int           // its number, 0 if it is none
}

func newBreaker(s store.Store, timeout time.Duration, log func(slog.Level, string, ...any)) *breaker {
	indexer, _ := s.(store.Indexer)
	return &breaker{Store: s, indexer: indexer, timeout: timeout, slow: timeout / 10, log: log, born: time.Now()}
}

var (
	errOpen = errors.New("the store has not been answering; until one operation finds it back, no other is tried")

	// errOpenToWrites saves the look at what became of a write that was not sent.
	errOpenToWrites = fmt.Errorf("%w: %w", errOpen, store.ErrNotApplied)

	// errUnfinished stands for the outcome of an operation that has panicked.
	errUnfinished = errors.New("the store has panicked")
)

// admit returns the pass of an operation, or false if it is to fail at once.
func (b *breaker) admit() (p pass, ok bool) {
	p.began = time.Since(b.born)
	if !b.strained.Load() {
		return p, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.strikes < maxStrikes {
		return p, true
	}
	// A store that minds no deadline may never end its probe.
	if b.probe.probe != 0 && p.began-b.probe.began <= b.timeout {
		return p, false
	}
	b.probes++
	p.probe = b.probes
	b.probe = p
	return p, true
}

// run makes the call of an operation that was let through.
func (b *breaker) run(p pass, call func() error) (err error) {
	err = errUnfinished
	defer func() { b.settle(p, err) }()
	return call()
}

// settle draws the conclusions from how an operation has ended.
func (b *breaker) settle(p pass, err error) {
	if err == nil && !b.strained.Load() {
		return
	}
	now := time.Since(b.born)
	found := b.judge(err, now-p.began)
	if found == answered && !b.strained.Load() {
		return
	}
	b.mu.Lock()
	wasOpen := b.strikes == maxStrikes
	if p.probe != 0 && p.probe == b.probe.probe {
		b.probe = pass{} // whatever came of it, the next operation may be one
	}
	switch {
	case found == answered:
		b.strikes, b.probe = 0, pass{}
		b.strained.Store(false)
	case found == strike && !wasOpen:
		b.strikes++
		b.strained.Store(true)
		b.opened = now
	}
	isOpen, opened := b.strikes == maxStrikes, b.opened
	b.mu.Unlock()

	switch {
	case isOpen && !wasOpen:
		b.log(slog.LevelError, "session: the store does not answer; requests fail at once until it does", "error", err)
	case wasOpen && !isOpen:
		b.log(slog.LevelInfo, "session: the store answers again", "after", (now - opened).Round(time.Millisecond))
	}
}

// A finding is what the end of an operation says of the store.
type finding int

const (
	nothing finding = iota
	answered
	strike
)

// judge returns what err, after took, says of the store.
//
// An operation that was given up early says nothing: the client went away, or
// the steps before it had used up its deadline. So it is no use to keep such
// operations from becoming the probe. The next one will be.
func (b *breaker) judge(err error, took time.Duration) finding {
	var conflict *store.Conflict
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound), errors.As(err, &conflict), errors.Is(err, store.ErrDamaged):
		return answered
	case err == errUnfinished:
		return nothing
	case errors.Is(err, store.ErrUnconfirmed) && !errors.Is(err, context.DeadlineExceeded):
		return answered // that replicas are late; the store itself is not
	case took >= b.slow:
		return strike
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nothing
	}
	return answered
}

func (b *breaker) Find(ctx context.Context, id string) (found store.Record, err error) {
	p, ok := b.admit()
	if !ok {
		return store.Record{}, errOpen
	}
	return b.find(ctx, p, id)
}

// look is a Find that is tried even while the breaker is open: how a write that
// got no answer has ended must be found out, or the visitor can't be told. There
// are not many, since the write had to be let through.
func (b *breaker) look(ctx context.Context, id string) (found store.Record, err error) {
	return b.find(ctx, pass{began: time.Since(b.born)}, id)
}

func (b *breaker) find(ctx context.Context, p pass, id string) (found store.Record, err error) {
	err = b.run(p, func() error {
		found, err = b.Store.Find(ctx, id)
		return err
	})
	return found, err
}

func (b *breaker) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	return b.write(func() error { return b.Store.Swap(ctx, id, prev, next) })
}

func (b *breaker) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	return b.write(func() error { return b.Store.Touch(ctx, id, v, ttl) })
}

func (b *breaker) Delete(ctx context.Context, id string) error {
	return b.write(func() error { return b.Store.Delete(ctx, id) })
}

func (b *breaker) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	return b.write(func() error { return b.indexer.Index(ctx, owner, ref, id, ttl) })
}

func (b *breaker) Unindex(ctx context.Context, owner, id string) error {
	return b.write(func() error { return b.indexer.Unindex(ctx, owner, id) })
}

func (b *breaker) Owned(ctx context.Context, owner string) (entries []store.Entry, err error) {
	p, ok := b.admit()
	if !ok {
		return nil, errOpen
	}
	err = b.run(p, func() error {
		entries, err = b.indexer.Owned(ctx, owner)
		return err
	})
	return entries, err
}

func (b *breaker) write(call func() error) error {
	p, ok := b.admit()
	if !ok {
		return errOpenToWrites
	}
	return b.run(p, call)
}
