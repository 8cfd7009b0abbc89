package redisstore

import (
	"bytes"
	"context"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/store"
)

// grace is how long an entry may wait for its record.
const grace = time.Minute

func (s *Store) ownerKey(owner string) string { return s.prefix + "owner:" + owner }

// Index lists id under owner as ref for ttl, and drops entries that have expired.
// One round trip, whose cost grows with owner's entries.
func (s *Store) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	if ttl <= 0 {
		return store.ErrTTL
	}
	key := s.ownerKey(owner)
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return indexScript.run(ctx, s.backend, key, id, ref, milliseconds(ttl))
	})
	if o.err != nil {
		return s.writeFailed("index", o)
	}
	return nil
}

// Unindex removes the entry of id. One round trip.
func (s *Store) Unindex(ctx context.Context, owner, id string) error {
	key := s.ownerKey(owner)
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return s.backend.do(ctx, command{name: "HDEL", args: []any{key, id}, key: key})
	})
	if o.err == nil || replyCode(o.err) == "WRONGTYPE" {
		return nil // a damaged index lists nothing
	}
	return s.writeFailed("unindex", o)
}

// Owned returns owner's entries, in no order, each with its record. The records
// are read one after the other, not as one snapshot. What isn't a record counts
// as none. Two round trips, a third if there are entries to remove, and one if
// there are none at all.
func (s *Store) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	listed, err := s.listed(ctx, owner)
	if err != nil || len(listed) == 0 {
		return nil, err
	}
	records, err := s.findAll(ctx, listed)
	if err != nil {
		return nil, err
	}
	var entries []store.Entry
	var dead []any
	for i, l := range listed {
		if records[i].Version == (store.Version{}) && l.age > grace {
			dead = append(dead, l.id, l.value)
			continue
		}
		entries = append(entries, store.Entry{Ref: l.ref, ID: string(l.id), Record: records[i]})
	}
	if len(dead) > 0 {
		key := s.ownerKey(owner)
		// If this fails, the next call finds the same entries dead. It's no reason
		// to withhold what was found.
		_ = attempt(ctx, func(ctx context.Context) (any, error) {
			return forgetScript.run(ctx, s.backend, key, dead...)
		})
	}
	return entries, nil
}

// listing is an entry as the index has it.
type listing struct {
	id    []byte
	ref   string
	value []byte // of the hash's field, as index.lua wrote it
	age   time.Duration
}

func (s *Store) listed(ctx context.Context, owner string) ([]listing, error) {
	key := s.ownerKey(owner)
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return ownedScript.run(ctx, s.backend, key)
	})
	if o.err != nil {
		return nil, s.readFailed("owned", o.err)
	}
	flat, err := redis.Values(o.reply, nil)
	if err != nil {
		return nil, s.readFailed("owned", errReply)
	}
	var all []listing
	for len(flat) > 0 {
		var l listing
		var age int64
		if flat, err = redis.Scan(flat, &l.id, &l.value, &age); err != nil {
			return nil, s.readFailed("owned", errReply)
		}
		l.age = time.Duration(age) * time.Millisecond
		if fields := bytes.SplitN(l.value, []byte(" "), 3); len(fields) == 3 {
			l.ref = string(fields[2])
		}
		all = append(all, l)
	}
	return all, nil
}

// findAll returns the records of all entries, with a zero one where there is
// none. One round trip.
func (s *Store) findAll(ctx context.Context, listed []listing) ([]store.Record, error) {
	finds := make([]command, len(listed))
	for i, l := range listed {
		// By source, which never costs another round trip. It is short.
		finds[i] = findScript.bySource(s.recordKey(string(l.id)))
	}
	o := attempt(ctx, func(ctx context.Context) (any, error) {
		return s.backend.pipeline(ctx, finds)
	})
	if o.err != nil {
		return nil, s.readFailed("owned", o.err)
	}
	replies := o.reply.([]any)
	records := make([]store.Record, len(listed))
	for i, reply := range replies {
		if err, failed := reply.(redis.Error); failed {
			if replyCode(err) == "WRONGTYPE" {
				continue
			}
			return nil, s.readFailed("owned", err)
		}
		if reply == nil {
			continue
		}
		record, err := decode(reply)
		if err != nil && err != errDamaged {
			return nil, s.readFailed("owned", err)
		}
		records[i] = record
	}
	return records, nil
}
