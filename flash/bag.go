package flash

import (
	"context"
	"slices"
	"time"

	"github.com/gosatchel/satchel/internal/exchange"
	"github.com/gosatchel/satchel/session"
)

// A Bag carries values of type T to the next page: messages, what was typed
// into a form, a receipt. Make it once, with [NewBag], as a package variable. It
// is safe for concurrent use.
//
// What is in a bag is part of the session and is committed with it. Nothing is
// stored, and no cookie set, until something is added. Bags know nothing of each
// other: each has its own expiry and its own bound.
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
// if a limit is not positive. The names "messages" and "forms" are this package's.
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
// requests add at the same time are all kept, in the order of their commits. It
// goes along with the response's commit, and costs no round trip of its own.
func (b Bag[T]) Add(ctx context.Context, v T) {
	b.replace(ctx, v, func(T) bool { return false })
}

// replace is Add that drops what of the bag is outdated by v.
func (b Bag[T]) replace(ctx context.Context, v T, outdated func(T) bool) {
	until := time.Now().Add(b.limit.expiry).Unix()
	b.key.Update(ctx, func(items *[]item[T]) {
		kept := slices.DeleteFunc(live(*items), func(it item[T]) bool { return outdated(it.Value) })
		*items = b.bounded(append(kept, item[T]{v, until}))
	})
}

// Now shows v in this response only: the next Take or Peek of this request
// returns it, and it is never stored.
func (b Bag[T]) Now(ctx context.Context, v T) {
	b.local(ctx).add(v)
}

// Take returns what is in the bag, the oldest first and what Now added last, and
// removes it, committed now: of all requests that take at the same time, each
// value goes to one. It costs one round trip, one more for each time that
// somebody else was faster, and none if there is nothing. The slice is never nil.
//
// If nothing of the page is shown (its status is 3xx or 5xx, or the handler
// panics before the first byte), what was taken goes back, as far as the store
// accepts it; otherwise it is lost, and never doubled. A HEAD request or a
// prefetch does not take; it gets what Peek returns. To show something and have
// it wait all the same, see Keep.
//
// If the store fails, nothing is taken and what waits stays waiting; the failure
// is logged, and [session.Err] returns it.
func (b Bag[T]) Take(ctx context.Context) []T {
	taken := valuesOf(b.take(ctx, func(T) bool { return true }))
	if b.exchange(ctx).Looks() {
		return append(taken, b.local(ctx).peekValues()...)
	}
	return append(taken, b.local(ctx).takeValues()...)
}

// Peek is Take that leaves everything where it is. It costs no round trip.
func (b Bag[T]) Peek(ctx context.Context) []T {
	return append(valuesOf(live(b.key.Get(ctx))), b.local(ctx).peekValues()...)
}

// Keep puts back what this request has taken, committed now: it is shown on this
// page, and waits for the next one as well. It comes before what was added since,
// and expires when it would have. It costs one round trip, and none if nothing
// was taken. What else the request has changed is committed along with it.
//
// What was kept does not go back a second time if the page is not shown. What Now
// added was never stored and is not kept, nor is what a user had taken who has
// signed out since. Inside a session.Transact, Keep is about
// what was taken in there, and outside about the rest.
//
// If the store fails, the failure is logged, and [session.Err] returns it; what
// was taken then goes back only if the page is not shown.
func (b Bag[T]) Keep(ctx context.Context) {
	x := b.exchange(ctx)
	batches := b.local(ctx).keep(x, session.UserID(ctx))
	if len(batches) == 0 {
		return
	}
	err := session.Transact(ctx, func(ctx context.Context) error {
		for i := len(batches) - 1; i >= 0; i-- {
			b.putBack(ctx, batches[i].items)
		}
		return nil
	})
	if err != nil {
		x.Report("flash messages could not be kept", err)
		b.local(ctx).notKept(batches)
	}
}

// take removes what is live and wanted, and sees to it that it goes back if it is
// not shown. If the request only looks, it stays where it is.
func (b Bag[T]) take(ctx context.Context, wanted func(T) bool) []item[T] {
	x := b.exchange(ctx)
	if x.Looks() {
		looked, _ := b.sorted(ctx, wanted)
		return looked
	}
	var taken *batch[T]
	err := session.Transact(ctx, func(ctx context.Context) error {
		taken = nil // of an earlier run, when somebody was faster
		items, rest := b.sorted(ctx, wanted)
		switch {
		case len(items) == 0:
			return nil
		case len(rest) == 0:
			b.key.Delete(ctx)
		default:
			b.key.Set(ctx, rest)
		}
		taken = &batch[T]{items: items, user: session.UserID(ctx)}
		b.giveBackUnseen(ctx, taken)
		return nil
	})
	if err != nil {
		x.Report("flash messages could not be taken, and wait", err)
		return nil
	}
	if taken == nil {
		return nil
	}
	b.local(ctx).took(x, taken)
	return taken.items
}

// sorted returns the live items, those that are wanted and the others.
func (b Bag[T]) sorted(ctx context.Context, wanted func(T) bool) (items, rest []item[T]) {
	for _, it := range live(b.key.Get(ctx)) {
		if wanted(it.Value) {
			items = append(items, it)
		} else {
			rest = append(rest, it)
		}
	}
	return items, rest
}

// giveBackUnseen has what was taken put back if nothing of the response is shown,
// unless Keep has put it back by then.
func (b Bag[T]) giveBackUnseen(ctx context.Context, taken *batch[T]) {
	b.exchange(ctx).Unseen(func(ctx context.Context) {
		if b.local(ctx).goBack(taken) {
			b.putBack(ctx, taken.items)
		}
	})
}

// putBack puts items back, before what was added since.
func (b Bag[T]) putBack(ctx context.Context, items []item[T]) {
	b.key.Update(ctx, func(now *[]item[T]) {
		*now = b.bounded(slices.Concat(items, live(*now)))
	})
}

// exchange returns the request and response of ctx.
func (b Bag[T]) exchange(ctx context.Context) exchange.Exchange {
	x := exchange.From(ctx)
	if x == nil {
		b.key.Get(ctx) // panics with the sentence that helps
	}
	return x
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
