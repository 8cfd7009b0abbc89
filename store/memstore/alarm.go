package memstore

import "time"

const (
	// stepSize is how much one step of the clean-up looks at under a lock.
	stepSize = 64

	// breath is the time between two steps while more is due: a step takes some
	// ten microseconds, so requests have the lock for almost all of the time.
	breath = time.Millisecond

	// rest is the least time between two rounds of clean-up, so that records which
	// expire one after another leave together.
	rest = time.Second
)

// alarm wakes the clean-up of one part when something in it is due. Its methods
// are called under the part's lock. It is a timer and not a goroutine: a part
// in which nothing will ever be due has none running.
type alarm struct {
	wake  func() // must not keep the part alive
	timer *time.Timer
	at    instant // what it is set for, or never
	off   bool
}

func newAlarm(wake func()) alarm {
	return alarm{wake: wake, at: never}
}

// set makes sure that the alarm rings once due has come.
func (a *alarm) set(now, due instant) {
	if a.off || due >= a.at {
		return
	}
	a.at = due
	wait := breath
	if due > now {
		wait = max(time.Duration(due-now), rest)
	}
	if a.timer == nil {
		a.timer = time.AfterFunc(wait, a.wake)
		return
	}
	a.timer.Reset(wait)
}

// rang says that the alarm has rung, and has to be set again.
func (a *alarm) rang() { a.at = never }

// stop makes the alarm never ring again.
func (a *alarm) stop() {
	a.off = true
	if a.timer != nil {
		a.timer.Stop()
	}
}
