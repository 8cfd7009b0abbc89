package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A shared inquiry finds something out by asking servers, for all who want to know
// at the same time, once. It goes on when one of them can't wait any longer. So
// requests that fail, of which there can be thousands per second, don't ask
// thousands of times.
type shared[T any] struct {
	ask   func(context.Context) (T, error)
	limit time.Duration // of one inquiry
	ctx   context.Context
	stop  context.CancelFunc

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

// newShared returns an inquiry of servers each of which may take dialTimeout to connect
// to. All together have five seconds at least: there has to be time for others where
// some say nothing.
func newShared[T any](dialTimeout time.Duration, ask func(context.Context) (T, error)) *shared[T] {
	s := &shared[T]{ask: ask, limit: max(dialTimeout, 5*time.Second)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

const (
	// fresh is how long an answer is as good as a new one.
	fresh = 50 * time.Millisecond

	// suspicionPause is how long after one inquiry a failure causes no other.
	suspicionPause = time.Second / 4
)

// wait returns what the inquiry that is under way finds out, or that of a new one.
func (s *shared[T]) wait(ctx context.Context) (answer T, err error) {
	q := s.begin(func(last *inquiry[T]) bool {
		if last.err != nil {
			return time.Since(last.ended) < suspicionPause
		}
		return time.Since(last.ended) < fresh
	})
	if q == nil {
		return answer, errClosed
	}
	select {
	case <-q.done:
		if q.err != nil && s.ctx.Err() != nil {
			return answer, errClosed
		}
		return q.answer, q.err
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// start begins an inquiry in the background, if the last one was not begun less than
// pause ago.
func (s *shared[T]) start(pause time.Duration) {
	s.begin(func(last *inquiry[T]) bool { return time.Since(last.begun) < pause })
}

// begin returns the inquiry that is under way, or the last one if that is good
// enough, or else a new one; after close, nil.
func (s *shared[T]) begin(enough func(last *inquiry[T]) bool) *inquiry[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil
	}
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
		ctx, cancel := context.WithTimeout(s.ctx, s.limit)
		defer cancel()
		q.answer, q.err = s.ask(ctx)
		q.ended = time.Now()
	}()
	return q
}

// close ends the inquiry that is under way, and allows no other.
func (s *shared[T]) close() {
	s.stop()
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if last != nil {
		<-last.done
	}
}

// questionPause is how long a server may think before the next one is asked as well.
// When all were asked, it becomes twice as long, and once more.
const questionPause = 300 * time.Millisecond

// firstAnswer asks one of several servers after the other until one has an answer.
// It goes on to the next one when a server fails, and also when it says nothing for
// a while. That one is listened to further: it may be alive behind a slow link. After
// the last one it begins again at the first, unless all have failed: who said nothing
// is then asked over another connection as well.
func firstAnswer[T any](ctx context.Context, servers []string, ask func(context.Context, string) (T, error)) (answer T, err error) {
	if len(servers) == 0 {
		return answer, errors.New("there is no server to ask")
	}
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()

	type result struct {
		server int
		answer T
		err    error
	}
	results := make(chan result)
	failures := make([]error, len(servers)) // the last one of each
	timer := time.NewTimer(questionPause)
	defer timer.Stop()
	for next := 0; ; next++ {
		server, round := next%len(servers), next/len(servers)
		asking.Go(func() {
			answer, err := ask(ctx, servers[server])
			select {
			case results <- result{server, answer, err}:
			case <-ctx.Done():
			}
		})
		timer.Reset(questionPause << min(round, 2))
		select {
		case r := <-results:
			if r.err == nil {
				return r.answer, nil
			}
			failures[r.server] = r.err
			if !slices.Contains(failures, nil) {
				return answer, together(failures)
			}
		case <-timer.C:
		case <-ctx.Done():
			return answer, together(append(failures, ctx.Err()))
		}
	}
}

// together joins errors in one line.
func together(errs []error) error {
	var joined error
	for _, err := range errs {
		switch {
		case err == nil:
		case joined == nil:
			joined = err
		default:
			joined = fmt.Errorf("%w; %w", joined, err)
		}
	}
	return joined
}
