package flash

import (
	"context"
	"sync"
	"time"

	"github.com/gosatchel/satchel/internal/exchange"
	"github.com/gosatchel/satchel/session"
)

// A Bag carries values of type T to the next page: messages, what was typed
// into a form, a receipt. Make it once, with [NewBag], as a package variable. It
// is safe for concurrent use.
//
// What is in a bag is part of the session and is committed with it. Nothing is
// stored, and no cookie set, until something is added.
type Bag[T any] struct {
	key   session.Key[[]item[T]]
	limit limits
}

// item is a value as it is stored.
type item[T any] struct {
	Value T     `json:"v"`
	Until int64 `json:"u"` // Unix time
}

type limits struct {
	expiry time.Duration
	most   int
}

// An Option changes what [NewBag] takes for granted.
type Option func(*limits)

// Expiry drops what was not taken within d. Default one hour.
func Expiry(d time.Duration) Option { return func(l *limits) { l.expiry = d } }

// Most bounds how many values wait in the bag; the oldest are dropped for the
// newest. Default 50.
func Most(n int) Option { return func(l *limits) { l.most = n } }

// NewBag returns the bag called name. It panics where session.NewKey would, and
// if a limit is not positive.
func NewBag[T any](name string, options ...Option) Bag[T] {
	l := limits{expiry: time.Hour, most: 50}
	for _, o := range options {
		o(&l)
	}
	if l.expiry <= 0 || l.most <= 0 {
		panic("flash: NewBag(\"" + name + "\"): Expiry and Most need positive values")
	}
	return Bag[T]{session.NewKey[[]item[T]]("flash:" + name), l}
}

// Add puts v into the bag, for the next page that takes from it. Values that
// requests add at the same time are all kept, in the order of their commits.
func (b Bag[T]) Add(ctx context.Context, v T) {
	until := time.Now().Add(b.limit.expiry).Unix()
	b.key.Update(ctx, func(items *[]item[T]) {
		*items = b.bounded(append(live(*items), item[T]{v, until}))
	})
}

// Now shows v in this response only: the next Take or Peek of this request
// returns it, and it is never stored.
func (b Bag[T]) Now(ctx context.Context, v T) {
	b.local(ctx).add(v)
}

// Take returns what is in the bag, the oldest first and what Now added last, and
// removes it, committed now: of all requests that take at the same time, each
// value goes to one. It costs one round trip, and none if there is nothing. The
// slice is never nil.
//
// If nothing of the page is shown (its status is 3xx or 5xx, or the handler
// panics before the first byte), what was taken goes back, as far as the store
// accepts it; otherwise it is lost, and never doubled. A HEAD request or a
// prefetch does not take; it gets what Peek returns.
//
// If the store fails, nothing is taken and what waits stays waiting; the failure
// is logged, and [session.Err] returns it.
func (b Bag[T]) Take(ctx context.Context) []T {
	x := exchange.From(ctx)
	if x != nil && x.Looks() {
		return b.Peek(ctx)
	}
	var taken []item[T]
	err := session.Transact(ctx, func(ctx context.Context) error {
		taken = live(b.key.Get(ctx))
		if len(taken) > 0 {
			b.key.Delete(ctx)
			b.giveBackUnseen(ctx, taken)
		}
		return nil
	})
	if err != nil {
		x.Report("flash messages could not be taken, and wait", err)
		taken = nil
	}
	return append(valuesOf(taken), b.local(ctx).take()...)
}

// Peek is Take that leaves everything where it is.
func (b Bag[T]) Peek(ctx context.Context) []T {
	return append(valuesOf(live(b.key.Get(ctx))), b.local(ctx).peek()...)
}

// giveBackUnseen has taken put back, before what was added since, if nothing of
// the response is shown.
func (b Bag[T]) giveBackUnseen(ctx context.Context, taken []item[T]) {
	exchange.From(ctx).Unseen(func(ctx context.Context) {
		b.key.Update(ctx, func(items *[]item[T]) {
			*items = b.bounded(append(live(taken), live(*items)...))
		})
	})
}

// live returns the items that have not expired, in a slice of its own.
func live[T any](items []item[T]) []item[T] {
	now := time.Now().Unix()
	var kept []item[T]
	for _, it := range items {
		if it.Until > now {
			kept = append(kept, it)
		}
	}
	return kept
}

func (b Bag[T]) bounded(items []item[T]) []item[T] {
	return items[max(0, len(items)-b.limit.most):]
}

func valuesOf[T any](items []item[T]) []T {
	values := make([]T, len(items))
	for i, it := range items {
		values[i] = it.Value
	}
	return values
}

// local returns what Now added to the response of ctx.
func (b Bag[T]) local(ctx context.Context) *local[T] {
	x := exchange.From(ctx)
	if x == nil {
		b.key.Get(ctx) // panics with the sentence that helps
	}
	return x.Local(b.key, func() any { return new(local[T]) }).(*local[T])
}

// local is what lives as long as one response.
type local[T any] struct {
	mu     sync.Mutex
	values []T
}

func (l *local[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = append(l.values, v)
}

func (l *local[T]) peek() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.values[:len(l.values):len(l.values)]
}

func (l *local[T]) take() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := l.values
	l.values = nil
	return values
}
