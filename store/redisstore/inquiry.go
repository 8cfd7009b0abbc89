package redisstore

import (
	"context"
	"sync"
	"time"
)

// A shared inquiry finds something out by asking servers, for all who want to know
// at the same time, once. It goes on when one of them can't wait any longer. So
// requests that fail, of which there can be thousands per second, don't ask
// thousands of times.
type shared[T any] struct {
	ask func() (T, error) // which takes some time, but not for ever

	mu   sync.Mutex
	last *inquiry[T]
}

type inquiry[T any] struct {
	begun  time.Time
	done   chan struct{}
	answer T
	err    error
	ended  time.Time // before done is closed
}

// fresh is how long an answer is as good as a new one.
const fresh = 50 * time.Millisecond

// wait returns what the inquiry that is under way finds out, or that of a new one.
func (s *shared[T]) wait(ctx context.Context) (T, error) {
	q := s.begin(func(last *inquiry[T]) bool { return time.Since(last.ended) < fresh })
	select {
	case <-q.done:
		return q.answer, q.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// start begins an inquiry in the background, if the last one was not begun less than
// pause ago.
func (s *shared[T]) start(pause time.Duration) {
	s.begin(func(last *inquiry[T]) bool { return time.Since(last.begun) < pause })
}

// begin returns the inquiry that is under way, or the last one if that is good
// enough, or else a new one.
func (s *shared[T]) begin(enough func(last *inquiry[T]) bool) *inquiry[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.last; last != nil {
		select {
		case <-last.done:
			if enough(last) {
				return last
			}
		default:
			return last
		}
	}
	q := &inquiry[T]{begun: time.Now(), done: make(chan struct{})}
	s.last = q
	go func() {
		defer close(q.done)
		q.answer, q.err = s.ask()
		q.ended = time.Now()
	}()
	return q
}
