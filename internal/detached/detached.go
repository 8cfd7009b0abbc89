// Package detached makes calls that their callers may leave: of code that keeps to no
// deadline, or not for certain.
package detached

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Call runs do in a goroutine of its own, and cleanUp after it, however it ends. The
// channel receives how that was, also if nobody waits for it any more.
func Call[T any](do func() (T, error), cleanUp func()) <-chan Outcome[T] {
	done := make(chan Outcome[T], 1)
	go func() {
		var o Outcome[T]
		defer func() {
			if !o.returned {
				o.panicked, o.stack = recover(), debug.Stack()
			}
			cleanUp()
			done <- o
		}()
		o.value, o.err = do()
		o.returned = true
	}()
	return done
}

// Outcome is how a call has ended.
type Outcome[T any] struct {
	value    T
	err      error
	returned bool
	panicked any
	stack    []byte
}

// Result returns what the call did. If it panicked, so does Result, in the goroutine of
// the caller, where net/http or the app is prepared for it; in one of its own, it would
// have ended the process. who says in that text, and in the error of a call that ended
// its goroutine, whose code it was.
func (o Outcome[T]) Result(who string) (T, error) {
	if o.panicked != nil {
		panic(fmt.Sprintf("%s panicked: %v\n\n%s", who, o.panicked, o.stack))
	}
	if !o.returned { // runtime.Goexit
		return o.value, errors.New(who + " ended its goroutine")
	}
	return o.value, o.err
}
