package redisstore

import (
	"context"
	"math"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/store"
)

// recordKey can't meet an ownerKey: what follows the prefix differs.
func (s *Store) recordKey(id string) string { return s.prefix + "session:" + id }

// Find returns the live record under id, or [store.ErrNotFound]. A value that no
// store wrote is an error. One round trip.
func (s *Store) Find(ctx context.Context, id string) (store.Record, error) {
	return s.find(ctx, "find", id)
}

func (s *Store) find(ctx context.Context, op, id string) (store.Record, error) {
	key := s.recordKey(id)
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return findScript.run(ctx, s.backend, key)
	})
	if o.err != nil {
		return store.Record{}, s.readFailed(op, o.err)
	}
	if o.reply == nil {
		return store.Record{}, store.ErrNotFound
	}
	record, err := decode(o.reply)
	if err != nil {
		return store.Record{}, s.readFailed(op, err)
	}
	return record, nil
}

// Swap stores next under id if the live record's version is prev, and otherwise
// returns a [*store.Conflict] or [store.ErrNotFound]. One round trip.
//
// If it has to be sent a second time, and then finds another version than next's,
// it can't know whether its first attempt was applied and overwritten since. It
// reports a failed store then, and no conflict.
func (s *Store) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	if err := store.Check(next); err != nil {
		return err
	}
	key, value, ttl := s.recordKey(id), encode(next), milliseconds(next.TTL)
	expected := prev[:]
	if prev == (store.Version{}) {
		expected = nil
	}
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return swapScript.run(ctx, s.backend, key, expected, value, ttl)
	})
	if o.err != nil {
		return s.writeFailed("swap", o)
	}
	if o.reply == int64(1) {
		return nil
	}
	met := store.ErrNotFound
	if o.reply != nil {
		current, err := decode(o.reply)
		if err != nil {
			return s.writeFailed("swap", outcome{err: err, repeated: o.repeated})
		}
		if current.Version == next.Version {
			return s.foundOwn() // the work of an attempt that got no answer
		}
		met = &store.Conflict{Current: current}
	}
	if o.repeated {
		return s.writeFailed("swap", outcome{err: errLostTrack, repeated: true})
	}
	return met
}

// Touch sets the record's time to live if its version is still v. One round trip.
func (s *Store) Touch(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	key := s.recordKey(id)
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return touchScript.run(ctx, s.backend, key, v[:], milliseconds(ttl))
	})
	if o.err != nil {
		return s.writeFailed("touch", o)
	}
	return nil
}

// Delete removes the record, or whatever else is under its key. One round trip.
func (s *Store) Delete(ctx context.Context, id string) error {
	key := s.recordKey(id)
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return s.backend.do(ctx, command{name: "DEL", args: []any{key}, key: key})
	})
	if o.err != nil {
		return s.writeFailed("delete", o)
	}
	return nil
}

// encode returns the value that keeps r, in memory of its own.
func encode(r store.Record) []byte {
	value := make([]byte, 0, len(r.Version)+len(r.Data))
	value = append(value, r.Version[:]...)
	return append(value, r.Data...)
}

// decode reads the reply of find.lua.
func decode(reply any) (store.Record, error) {
	var value []byte
	var left int64
	pair, err := redis.Values(reply, nil)
	if err != nil {
		return store.Record{}, errReply
	}
	if _, err := redis.Scan(pair, &value, &left); err != nil {
		return store.Record{}, errReply
	}
	var r store.Record
	if copy(r.Version[:], value) < len(r.Version) || r.Version == (store.Version{}) {
		return store.Record{}, errDamaged
	}
	r.Data = value[len(r.Version):]
	r.TTL = timeToLive(left)
	return r, nil
}

// noExpiry stands in for the time to live of a key that somebody made permanent.
// The next Swap or Touch gives it an end again.
const noExpiry = 100 * 365 * 24 * time.Hour

func timeToLive(milliseconds int64) time.Duration {
	if milliseconds < 0 {
		return noExpiry
	}
	// In its last millisecond a live key has 0 left, and the longest Duration
	// became longer when it was rounded up.
	milliseconds = min(max(milliseconds, 1), math.MaxInt64/int64(time.Millisecond))
	return time.Duration(milliseconds) * time.Millisecond
}

// milliseconds rounds up, since Redis refuses to let a key live for 0.
func milliseconds(ttl time.Duration) int64 {
	n := ttl.Milliseconds()
	if ttl%time.Millisecond != 0 {
		n++
	}
	return n
}
