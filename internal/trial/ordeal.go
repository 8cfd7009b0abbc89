package trial

import (
	"testing"
	"time"
)

// An Ordeal is an outage that crowds go through.
type Ordeal struct {
	// Begin begins the outage, and returns what ends it.
	Begin func() (end func())

	Quiet bool // it must not begin while requests are under way
	Over  bool // it is over when Begin returns
	Lossy bool // the store loses what it had
	Works bool // requests may all succeed
	Reads bool // sessions can be read all the time

	// Steps is how many of them the visitors of a crowd take before the end. There is
	// half as many again after it.
	Steps int

	// Recovery is how long it may take from the end until everybody is served.
	Recovery time.Duration
}

// Run has crowds go through the ordeal: it begins and ends while they are on their
// way. Then it checks that it was one, and compares what they were told with what is
// stored.
func (o Ordeal) Run(t *testing.T, crowds ...*Crowd) {
	t.Helper()
	steps := func(n int) (wait func()) {
		var waits []func()
		for _, c := range crowds {
			waits = append(waits, c.Steps(n))
		}
		return func() {
			for _, wait := range waits {
				wait()
			}
		}
	}
	down := func(is bool) {
		for _, c := range crowds {
			c.Down(is && !o.Over)
		}
	}

	underway := steps(o.Steps / 2)
	if o.Quiet {
		underway()
	} else {
		for _, c := range crowds {
			c.Await(3)
		}
	}
	end := o.Begin()
	down(true)
	underway()
	steps(o.Steps / 4)()
	down(false)
	underway = steps(o.Steps / 4)
	end()
	underway()
	during := answers(crowds)
	for _, c := range crowds {
		c.Recover(o.Recovery)
	}
	steps(o.Steps / 2)()
	after := answers(crowds)

	t.Logf("changes: %v; then %v", during, after)
	if during[made] == 0 || after[made] == 0 || !o.Works && during[failed]+during[unknown] == 0 {
		t.Error("that was no outage that began and ended")
	}
	if o.Reads && during[unreadable] > 0 {
		t.Errorf("%d times a session could not be read", during[unreadable])
	}
	for _, c := range crowds {
		c.Check(o.Lossy)
	}
}

// A tally counts answers, by what they say.
type tally [4]int64

const (
	made       = iota // changes
	failed            // changes that were not made
	unknown           // changes of which it is not known whether they were made
	unreadable        // not a change: the session could not be loaded
)

func answers(crowds []*Crowd) (all tally) {
	for _, c := range crowds {
		for kind := range all {
			all[kind] += c.answers[kind].Swap(0)
		}
	}
	return all
}
