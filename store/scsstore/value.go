package scsstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gosatchel/satchel/store"
)

// A value in the scs store: the mark, the layout's number, the version, the time at
// which the record ends, and the data. scs stores don't return how long a value has
// left, so that it has to be kept.
const (
	mark   = "sat"
	layout = 1

	versionAt = len(mark) + 1
	endAt     = versionAt + len(store.Version{})
	dataAt    = endAt + 8
)

// longest is the longest that a record lives. Several scs stores, and this layout,
// count nanoseconds since 1970 in 64 bits, which end in 2262.
const longest = 100 * 365 * 24 * time.Hour

var (
	errDamaged = fmt.Errorf("the scs store holds something else than a record: %w", store.ErrDamaged)

	// errLayout is no ErrDamaged: what a newer version of this package wrote is not
	// to be thrown away because an older one is still running.
	errLayout = errors.New("the record was written by a newer version of scsstore")
)

// encode returns the value that keeps r, in memory of its own. When it ends, it is
// told by endAfter.
func encode(r store.Record) []byte {
	value := make([]byte, dataAt, dataAt+len(r.Data))
	copy(value, mark)
	value[len(mark)] = layout
	copy(value[versionAt:], r.Version[:])
	return append(value, r.Data...)
}

// endAfter has value end when ttl is over, counted from now, and returns that time.
func endAfter(value []byte, ttl time.Duration) time.Time {
	end := time.Now().Add(min(ttl, longest))
	binary.BigEndian.PutUint64(value[endAt:], uint64(end.UnixNano()))
	return end
}

// decode returns the record in value, in memory of its own, or ErrNotFound if it
// has ended.
func decode(value []byte) (store.Record, error) {
	if !bytes.HasPrefix(value, []byte(mark)) || len(value) < versionAt {
		return store.Record{}, errDamaged
	}
	if value[len(mark)] > layout {
		return store.Record{}, errLayout
	}
	if len(value) < dataAt || value[len(mark)] < layout {
		return store.Record{}, errDamaged
	}
	var r store.Record
	copy(r.Version[:], value[versionAt:])
	if r.Version == (store.Version{}) {
		return store.Record{}, errDamaged
	}
	end := int64(binary.BigEndian.Uint64(value[endAt:]))
	if r.TTL = time.Duration(end - time.Now().UnixNano()); r.TTL <= 0 {
		return store.Record{}, store.ErrNotFound
	}
	r.Data = bytes.Clone(value[dataAt:])
	return r, nil
}
