package trial

import (
	"sync"
	"testing"
	"time"
)

// A Metronome measures how much time the machine does not give to this process.
// Tests of deadlines take that off, so that they can be strict on a machine that
// is busy with something else.
type Metronome struct {
	stop, stopped chan struct{}

	mu     sync.Mutex
	last   time.Time // the last beat
	delays []span    // when beats were overdue
}

type span struct{ from, to time.Time }

const beat = 2 * time.Millisecond

// NewMetronome returns a metronome that beats until the test ends, or until Stop.
func NewMetronome(t testing.TB) *Metronome {
	m := &Metronome{stop: make(chan struct{}), stopped: make(chan struct{}), last: time.Now()}
	go m.run()
	t.Cleanup(m.Stop)
	return m
}

// Stop stops the beat and waits until it has. It may be called more than once, but
// not at the same time.
func (m *Metronome) Stop() {
	select {
	case <-m.stop:
	default:
		close(m.stop)
	}
	<-m.stopped
}

func (m *Metronome) run() {
	defer close(m.stopped)
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-ticker.C:
		}
		m.mu.Lock()
		now := time.Now()
		if due := m.last.Add(2 * beat); now.After(due) {
			m.delays = append(m.delays, span{due, now})
		}
		m.last = now
		m.mu.Unlock()
	}
}

// Lost returns how much of the time since from the process did not run when it
// should have.
func (m *Metronome) Lost(from time.Time) (lost time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for _, d := range append(m.delays, span{m.last.Add(2 * beat), now}) {
		if d.from.Before(from) {
			d.from = from
		}
		lost += max(0, d.to.Sub(d.from))
	}
	return lost
}
