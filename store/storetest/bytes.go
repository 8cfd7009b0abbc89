package storetest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gosatchel/satchel/store"
)

func bytesCases() []testCase {
	return []testCase{
		{
			name: "data-empty",
			rule: "A record may have no data.",
			run:  dataEmpty,
		},
		{
			name: "data-large",
			rule: "A record may have a mebibyte of data.",
			run:  dataLarge,
		},
		{
			name: "data-bytes",
			rule: "Data is any bytes, and comes back as it went in.",
			run:  dataBytes,
		},
		{
			name: "version-bytes",
			rule: "A version is any 16 bytes but sixteen zeros, and comes back as it went in.",
			run:  versionBytes,
		},
		{
			name: "id-bytes",
			rule: "An id is any bytes: each byte value makes another id.",
			run:  idBytes,
		},
		{
			name: "id-distinct",
			rule: "Ids that differ in anything are different: in case, in what they begin or end with, in length, after hundreds of bytes.",
			run:  idDistinct,
		},
	}
}

// everyByte is all 256 byte values, which is no valid UTF-8.
func everyByte() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// keeps stores r in the ways there are, and looks whether it comes back.
func (e *env) keeps(id string, r store.Record) error {
	next := r
	next.Version = newVersion()
	return first(
		func() error { return e.create(id, r) },
		func() error { return e.holds(id, r, "after creating it") },
		func() error { return e.replace(id, r.Version, next) },
		func() error { return e.holds(id, next, "after replacing it") },
		func() error {
			current, err := conflict(e.store.Swap(e.ctx, id, r.Version, r), "Swap with the version before")
			if err != nil {
				return err
			}
			return same(current, next)
		},
	)
}

func dataEmpty(e *env) error {
	absent, empty := record("", long), record("", long)
	absent.Data = nil
	return first(
		func() error { return e.keeps(e.name("absent"), absent) },
		func() error { return e.keeps(e.name("empty"), empty) },
	)
}

func dataLarge(e *env) error {
	const mebibyte = 1 << 20
	return e.keeps(e.name("id"), record(strings.Repeat("0123456789abcdef", mebibyte/16), long))
}

func dataBytes(e *env) error {
	for i, data := range []string{everyByte(), "\x00", "\x00begins", "ends\x00", "\r\n", " spaces ", "\xff\xfe", strings.Repeat("\x00", 100)} {
		if err := e.keeps(e.name(fmt.Sprint(i)), record(data, long)); err != nil {
			return err
		}
	}
	return nil
}

func versionBytes(e *env) error {
	for i := range len(none) {
		for _, b := range []byte{1, '\n', 0x80, 0xff} {
			r := record("data", long)
			r.Version = none
			r.Version[i] = b
			if err := e.keeps(e.name(fmt.Sprint(i, b)), r); err != nil {
				return fmt.Errorf("version %x: %w", r.Version, err)
			}
		}
	}
	return nil
}

// distinct stores a record of its own under each id and looks whether all are
// there.
func (e *env) distinct(ids []string) error {
	records := make([]store.Record, len(ids))
	for i, id := range ids {
		records[i] = record(fmt.Sprint(i), long)
		if err := e.create(id, records[i]); err != nil {
			return fmt.Errorf("id %s: %w", brief([]byte(strings.TrimPrefix(id, e.nonce))), err)
		}
	}
	for i, id := range ids {
		if err := e.holds(id, records[i], "after all were created"); err != nil {
			return fmt.Errorf("id %s: %w", brief([]byte(strings.TrimPrefix(id, e.nonce))), err)
		}
	}
	return nil
}

func idBytes(e *env) error {
	ids := []string{e.name(everyByte())}
	for b := range 256 {
		ids = append(ids, e.name("id"+string([]byte{byte(b)})))
	}
	return e.distinct(ids)
}

func idDistinct(e *env) error {
	var ids []string
	for _, suffix := range []string{
		"", "a", "A", "aa", "aA", "aaa", " a", "a ", "\na", "a\n", "\x00a", "a\x00", "a\x00\x00", "a\x00b", "a:", "a:b", "a/b", "a/../a",
		"a*", "a?", "{a}", "a{", "\u00e9", "e\u0301", "%61", "\\x61",
	} {
		ids = append(ids, e.name(suffix))
	}
	const hundreds = 500
	for _, last := range []string{"a", "b", "ab"} {
		ids = append(ids, e.name(string(bytes.Repeat([]byte("long"), hundreds/4))+last))
	}
	return e.distinct(ids)
}
