package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gosatchel/satchel/store"
)

// imported is a session of the old library, as it is to be here.
type imported struct {
	id     string
	record *record
	until  time.Time // when the old library is sure to have forgotten it
}

// ask asks the old library about a cookie. It returns nil if there is no session,
// or none that can be taken over.
func (a *attempt) ask(r *http.Request, cookie string) (*imported, error) {
	got, err := a.m.ask(&a.writing, r, cookie)
	if errors.Is(err, store.ErrDamaged) {
		a.t.log(slog.LevelError, "session: a session of the old library is damaged; the visitor has an empty session", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, &StoreError{a.op, err}
	}
	if got == nil || got.User == "" && len(got.Values) == 0 {
		return nil, nil
	}
	return a.t.convert(got), nil
}

// convert returns nil for what can't be a session here.
func (t *transaction) convert(got *Imported) *imported {
	o := t.manager.options
	now := time.Now()
	lifetime := o.AnonymousLifetime
	if got.User != "" {
		lifetime = o.Lifetime
	}
	r := newRecord(lifetime)
	until := micro(now.Add(o.Lifetime))
	if !got.Deadline.IsZero() {
		r.deadline = micro(got.Deadline)
		until = r.deadline
	}
	if got.CookieUntil.After(until) {
		until = micro(got.CookieUntil)
	}
	if !now.Before(r.deadline) {
		return nil
	}
	r.user, r.remembered, r.unclaimed = got.User, got.Remembered, true
	if r.user != "" {
		r.agent = t.agent()
	}
	for name, v := range got.Values {
		raw, err := marshal(v)
		if err != nil {
			t.log(slog.LevelError, "session: a value of the old library can't be encoded as JSON, and is left behind",
				"key", name, "type", fmt.Sprintf("%T", v))
			continue
		}
		r.values.set(name, raw)
	}
	if size := r.size(); size > o.MaxBytes {
		t.log(slog.LevelError, "session: a session of the old library is larger than Options.MaxBytes; the visitor has an empty session",
			"bytes", size, "most", o.MaxBytes)
		return nil
	}
	return &imported{got.ID, r, until}
}

// marshal takes a type of the app's that panics for one that can't be encoded.
func marshal(v any) (raw []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its own encoding panicked")
		}
	}()
	return json.Marshal(v)
}
