package flash

import (
	"context"
	"slices"
	"sync"

	"github.com/gosatchel/satchel/internal/exchange"
)

// local is what a bag remembers as long as one response lives: what Now added,
// and what was taken. Handlers start goroutines, so it has a mutex.
type local[T any] struct {
	mu     sync.Mutex
	values []T
	taken  []*batch[T]
}

// A batch is what one Take took. Either Keep puts it back, or it goes back because
// the page is not shown: whoever comes first sees to it.
type batch[T any] struct {
	items    []item[T]
	by       exchange.Exchange // the request, or one run of a Transact in it
	user     string            // who was signed in
	kept     bool
	goesBack bool
}

// local returns what b remembers of the response of ctx.
func (b Bag[T]) local(ctx context.Context) *local[T] {
	return b.exchange(ctx).Local(b.key, func() any { return new(local[T]) }).(*local[T])
}

func (l *local[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = append(l.values, v)
}

func (l *local[T]) peekValues() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clip(l.values)
}

func (l *local[T]) takeValues() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := l.values
	l.values = nil
	return values
}

// took remembers what x has taken. What a run of a Transact took is remembered as
// that run's: it may not have happened, and then nobody else may put it back.
func (l *local[T]) took(x exchange.Exchange, taken *batch[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken.by = x
	l.taken = append(l.taken, taken)
}

// goBack reports whether taken is to go back, since the page is not shown. That
// can be asked again: if the commit that puts it back fails, the next one may not.
func (l *local[T]) goBack(taken *batch[T]) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken.goesBack = !taken.kept
	return taken.goesBack
}

// keep returns what x has taken, the first taken first, for the caller to put back.
// What was for another user than the one who is signed in by now is for nobody.
func (l *local[T]) keep(x exchange.Exchange, user string) []*batch[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []*batch[T]
	for _, b := range l.taken {
		if b.by == x && (b.user == "" || b.user == user) && !b.kept && !b.goesBack {
			b.kept = true
			kept = append(kept, b)
		}
	}
	return kept
}

// notKept says that what keep returned could not be put back. Where nobody knows
// whether it could, the session is read-only from then on: it may be lost, and is
// not doubled.
func (l *local[T]) notKept(batches []*batch[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range batches {
		b.kept = false
	}
}
