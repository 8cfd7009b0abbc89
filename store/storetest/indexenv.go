package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/gosatchel/satchel/store"
)

func (e *env) list(owner, ref, id string, ttl time.Duration) error {
	if err := e.index.Index(e.ctx, owner, ref, id, ttl); err != nil {
		return fmt.Errorf("calling Index: %w", err)
	}
	return nil
}

func (e *env) unlist(owner, id string) error {
	if err := e.index.Unindex(e.ctx, owner, id); err != nil {
		return fmt.Errorf("calling Unindex: %w", err)
	}
	return nil
}

// owned returns owner's entries by their ids.
func (e *env) owned(owner, when string) (map[string]store.Entry, error) {
	entries, err := e.index.Owned(e.ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("calling Owned %s: %w", when, err)
	}
	byID := make(map[string]store.Entry, len(entries))
	for _, entry := range entries {
		if _, ok := byID[entry.ID]; ok {
			return nil, fmt.Errorf("calling Owned %s: id %s twice", when, e.brief(entry.ID))
		}
		byID[entry.ID] = entry
	}
	return byID, nil
}

func (e *env) brief(name string) string { return brief([]byte(strings.TrimPrefix(name, e.nonce))) }

// owns returns an error unless owner's entries are want: pairs of a ref and an id.
func (e *env) owns(owner, when string, want ...[2]string) error {
	got, err := e.owned(owner, when)
	if err != nil {
		return err
	}
	for _, pair := range want {
		entry, ok := got[pair[1]]
		if !ok {
			return fmt.Errorf("calling Owned %s: id %s is missing", when, e.brief(pair[1]))
		}
		if entry.Ref != pair[0] {
			return fmt.Errorf("calling Owned %s: id %s has ref %q, want %q", when, e.brief(pair[1]), entry.Ref, pair[0])
		}
		delete(got, pair[1])
	}
	for id := range got {
		return fmt.Errorf("calling Owned %s: id %s, which should not be there", when, e.brief(id))
	}
	return nil
}

// session creates a record and lists it.
func (e *env) session(owner, ref, id string) error {
	return first(
		func() error { return e.list(owner, ref, id, long) },
		func() error { return e.create(id, record("session", long)) },
	)
}
