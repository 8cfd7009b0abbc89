package memstore

import (
	"math"
	"time"
)

// instant is a moment, as the time that passed since the store was made. It is
// a third of a time.Time, and monotonic.
type instant time.Duration

// never is later than every moment there will be.
const never instant = math.MaxInt64

// after returns the moment d after t. The longest times to live end in never
// rather than in the past.
func (t instant) after(d time.Duration) instant {
	if d > time.Duration(never-t) {
		return never
	}
	return t + instant(d)
}

type clock struct {
	start time.Time
}

func newClock() clock {
	return clock{start: time.Now()}
}

func (c clock) now() instant {
	return instant(time.Since(c.start))
}
