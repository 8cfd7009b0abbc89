package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gosatchel/satchel/store"
)

// long is a time to live that no case outlasts.
const long = time.Hour

// short is the least time to live that can be told from none where a store may
// be off by a second, and gone is when its record has certainly expired.
const (
	short = 2 * time.Second
	gone  = short + time.Second + 100*time.Millisecond
)

var none store.Version

// env is what a case works with.
type env struct {
	ctx   context.Context
	store store.Store
	index store.Indexer // nil if the store is none
	nonce string
}

func newEnv(ctx context.Context, s store.Store) *env {
	index, _ := s.(store.Indexer)
	return &env{ctx: ctx, store: s, index: index, nonce: nonce()}
}

// name returns an id, a ref or an owner that ends in suffix.
func (e *env) name(suffix string) string { return e.nonce + suffix }

func newVersion() store.Version {
	var v store.Version
	rand.Read(v[:])
	return v
}

// record returns a record with a new version.
func record(data string, ttl time.Duration) store.Record {
	return store.Record{Version: newVersion(), Data: []byte(data), TTL: ttl}
}

// create stores a new record under id.
func (e *env) create(id string, r store.Record) error {
	if err := e.store.Swap(e.ctx, id, none, r); err != nil {
		return fmt.Errorf("a Swap that should have created a record failed: %w", err)
	}
	return nil
}

// replace swaps prev, which should be there, for next.
func (e *env) replace(id string, prev store.Version, next store.Record) error {
	if err := e.store.Swap(e.ctx, id, prev, next); err != nil {
		return fmt.Errorf("a Swap with the current version failed: %w", err)
	}
	return nil
}

func (e *env) touch(id string, v store.Version, ttl time.Duration) error {
	if err := e.store.Touch(e.ctx, id, v, ttl); err != nil {
		return fmt.Errorf("a Touch failed: %w", err)
	}
	return nil
}

func (e *env) delete(id string) error {
	if err := e.store.Delete(e.ctx, id); err != nil {
		return fmt.Errorf("a Delete failed: %w", err)
	}
	return nil
}

// holds returns an error unless want is what is stored under id, when is said of
// the moment. The time to live is left to the cases about it.
func (e *env) holds(id string, want store.Record, when string) error {
	got, err := e.store.Find(e.ctx, id)
	if err != nil {
		return fmt.Errorf("calling Find %s: %w", when, err)
	}
	if err := same(got, want); err != nil {
		return fmt.Errorf("calling Find %s: %w", when, err)
	}
	return nil
}

// same compares all but times to live and ranks.
func same(got, want store.Record) error {
	if got.Version != want.Version {
		return fmt.Errorf("version %x, want %x", got.Version, want.Version)
	}
	if !bytes.Equal(got.Data, want.Data) {
		return fmt.Errorf("data %s, want %s", brief(got.Data), brief(want.Data))
	}
	return nil
}

func brief(data []byte) string {
	if len(data) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", data[:40], len(data))
	}
	return fmt.Sprintf("%q", data)
}

// holdsNone returns an error unless there is no live record under id.
func (e *env) holdsNone(id string, when string) error {
	got, err := e.store.Find(e.ctx, id)
	if err == nil {
		return fmt.Errorf("calling Find %s: a record of version %x, want ErrNotFound", when, got.Version)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("calling Find %s: %w, want ErrNotFound", when, err)
	}
	return nil
}

// conflict returns the current record that err carries.
func conflict(err error, when string) (store.Record, error) {
	var c *store.Conflict
	if !errors.As(err, &c) {
		return store.Record{}, fmt.Errorf("%s: error %v, want a *Conflict", when, err)
	}
	return c.Current, nil
}

// notFound returns an error unless err is ErrNotFound.
func notFound(err error, when string) error {
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s: error %v, want ErrNotFound", when, err)
	}
	return nil
}

// left returns an error unless got is what is left of ttl, which was set at some
// time after since, as exactly as stores promise: to the second.
func left(got, ttl time.Duration, since time.Time) error {
	least, most := ttl-time.Since(since)-time.Second, ttl+time.Second
	if got < least || got > most {
		return fmt.Errorf("a time to live of %v, want one from %v to %v", got, least, most)
	}
	return nil
}

// together runs n calls of do at once, and returns their errors.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = do(i)
		})
	}
	done.Wait()
	return errs
}

// first returns the first error of steps that depend on each other.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
