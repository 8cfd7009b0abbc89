package session

import (
	"bytes"
	"fmt"
	"time"
)

// A change is something that a request wants of its session. It is applied once
// for the request's own view, and again whenever a commit finds that somebody
// else has changed the session meanwhile. It carries everything that must be the
// same each time, such as the time of a sign-in.
type change interface {
	// apply changes r, which nobody else sees, and reports whether it did.
	// After an error, r is not to be used. No lock is held.
	apply(r *record) (bool, error)
}

// Changes of values.
type (
	setValue struct {
		name string
		raw  []byte
		read bool // the request had read the key before
	}
	updateValue struct {
		name   string
		update func(raw []byte) ([]byte, error) // nil: absent
	}
	deleteValue struct{ name string }
	clearValues struct{}
)

// impossible is a change that can't be made, of a value if it has a name.
type impossible struct {
	name string
	err  error
}

// Changes of the session itself.
type (
	login struct {
		user, ref, agent string
		at, deadline     time.Time
	}
	renewal     struct{}
	remember    struct{ deadline time.Time }
	newDeadline struct{ deadline time.Time }
	newIdle     struct{ timeout time.Duration }
)

func (c impossible) apply(*record) (bool, error) { return false, c.err }

func (c setValue) apply(r *record) (bool, error) {
	if bytes.Equal(r.values.get(c.name), c.raw) {
		return false, nil
	}
	r.values.set(c.name, c.raw)
	return true, nil
}

func (c updateValue) apply(r *record) (bool, error) {
	raw, err := c.update(r.values.get(c.name))
	if err != nil {
		return false, err
	}
	return setValue{name: c.name, raw: raw}.apply(r)
}

func (c deleteValue) apply(r *record) (bool, error) {
	if r.values.get(c.name) == nil {
		return false, nil
	}
	r.values.delete(c.name)
	return true, nil
}

func (clearValues) apply(r *record) (bool, error) {
	changed := len(r.values) > 0
	r.values = nil
	return changed, nil
}

func (c login) apply(r *record) (bool, error) {
	if r.user != "" && r.user != c.user {
		r.values = nil // what another user left is not for this one to see
	}
	if r.user != c.user || r.ref == "" {
		r.user, r.ref, r.created = c.user, c.ref, c.at
	}
	r.agent, r.authenticated, r.deadline = c.agent, c.at, c.deadline
	r.remembered, r.idle, r.unclaimed = false, 0, false
	return true, nil
}

func (renewal) apply(r *record) (bool, error) {
	r.unclaimed = false
	return true, nil
}

func (c remember) apply(r *record) (bool, error) {
	r.deadline, r.remembered = c.deadline, true
	return true, nil
}

func (c newDeadline) apply(r *record) (bool, error) {
	changed := !r.deadline.Equal(c.deadline)
	r.deadline = c.deadline
	return changed, nil
}

func (c newIdle) apply(r *record) (bool, error) {
	changed := r.idle != c.timeout
	r.idle = c.timeout
	return changed, nil
}

// apply applies c to r within the limit on a session's size. A session that is
// over the limit already, because the limit was lowered, may still shrink.
func apply(c change, r *record, limit int) (bool, error) {
	before := r.size()
	changed, err := c.apply(r)
	if after := r.size(); err == nil && after > limit && after > before {
		err = fmt.Errorf("%w: it would take %d bytes of the %d that Options.MaxBytes allows", ErrTooLarge, after, limit)
	}
	if err != nil {
		return false, named(c, err)
	}
	return changed, nil
}

// named returns err with the key that c changes.
func named(c change, err error) error {
	if name := valueOf(c); name != "" {
		return fmt.Errorf("key %q: %w", name, err)
	}
	return err
}

// valueOf returns the key that c changes the value of, or "".
func valueOf(c change) string {
	switch c := c.(type) {
	case setValue:
		return c.name
	case updateValue:
		return c.name
	case deleteValue:
		return c.name
	case impossible:
		return c.name
	}
	return ""
}

// begins reports whether c gives an empty session something to keep. The other
// changes have nothing to act on there, and are dropped.
func begins(c change) bool {
	switch c.(type) {
	case setValue, updateValue, login, impossible:
		return true
	}
	return false
}

// renews reports whether c gives the session a new id.
func renews(c change) bool {
	switch c.(type) {
	case login, renewal:
		return true
	}
	return false
}

func signsIn(c change) bool {
	_, ok := c.(login)
	return ok
}

// changesCookie reports whether c, made to an existing session, needs a Set-Cookie.
func changesCookie(c change) bool {
	switch c.(type) {
	case remember, newDeadline:
		return true
	}
	return renews(c)
}

// compact appends c to changes and drops what it makes pointless, so that a
// handler that sets one key in a loop does not pile up changes.
func compact(changes []change, c change) []change {
	switch c.(type) {
	case setValue, deleteValue:
		kept := changes[:0]
		for _, earlier := range changes {
			if valueOf(earlier) != valueOf(c) {
				kept = append(kept, earlier)
			}
		}
		clear(changes[len(kept):])
		changes = kept
	}
	return append(changes, c)
}
