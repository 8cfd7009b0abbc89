package session

import (
	"encoding/binary"
	"errors"
	"time"
)

// The encoding: a version byte, a flag byte, three times and the idle timeout in
// microseconds (0 for none), the three strings, the history, the names of the
// values, and the values. Numbers are varints; strings, values and the history
// have their length before them.
const formatVersion = 1

const (
	flagRemembered = 1 << iota
	flagEnded
	flagMoved
	flagUnclaimed
)

// Why bytes from the store are not a record.
var (
	errNewer   = errors.New("the record was written by a newer version of Satchel; update this instance")
	errCorrupt = errors.New("the record can't be decoded")
)

// size is the length of the encoding, give or take the varints.
func (r *record) size() int {
	n := 2 + 4*binary.MaxVarintLen64 + len(r.user) + len(r.ref) + len(r.agent) + len(r.history) + 16
	for _, v := range r.values {
		n += len(v.name) + len(v.raw) + 2*binary.MaxVarintLen16
	}
	return n
}

func (r *record) encode() []byte {
	b := make([]byte, 2, r.size())
	b[0] = formatVersion
	b[1] = flag(flagRemembered, r.remembered) | flag(flagEnded, r.ended) | flag(flagMoved, r.moved) |
		flag(flagUnclaimed, r.unclaimed)
	for _, t := range []time.Time{r.created, r.authenticated, r.deadline} {
		var µs int64
		if !t.IsZero() {
			µs = t.UnixMicro()
		}
		b = binary.AppendVarint(b, µs)
	}
	b = binary.AppendVarint(b, r.idle.Microseconds())
	for _, s := range []string{r.user, r.ref, r.agent} {
		b = appendText(b, s)
	}
	b = appendText(b, []byte(r.history))
	b = binary.AppendUvarint(b, uint64(len(r.values)))
	for _, v := range r.values {
		b = appendText(b, v.name)
	}
	for _, v := range r.values {
		b = appendText(b, v.raw)
	}
	return b
}

func flag(bit byte, set bool) byte {
	if set {
		return bit
	}
	return 0
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeRecord decodes no value; that is for the key that reads it. The values
// are parts of b.
func decodeRecord(b []byte) (*record, error) {
	if len(b) < 2 || b[0] == 0 {
		return nil, errCorrupt
	}
	if b[0] > formatVersion {
		return nil, errNewer
	}
	r := &record{
		remembered: b[1]&flagRemembered != 0,
		ended:      b[1]&flagEnded != 0,
		moved:      b[1]&flagMoved != 0,
		unclaimed:  b[1]&flagUnclaimed != 0,
	}
	d := decoder{rest: b[2:]}
	r.created, r.authenticated, r.deadline = d.time(), d.time(), d.time()
	r.idle = time.Duration(d.varint()) * time.Microsecond
	r.user, r.ref, r.agent = string(d.bytes()), string(d.bytes()), string(d.bytes())

	r.history = d.bytes()
	const shortest = 2 // the two lengths of an empty name and an empty value
	if n := d.count(shortest); n > 0 {
		r.values = make(values, n)
		d.names(r.values)
		for i := range r.values {
			r.values[i].raw = d.bytes()
		}
	}
	if d.bad || len(d.rest) > 0 {
		return nil, errCorrupt
	}
	return r, nil
}

// A decoder reads the parts of a record. After anything that does not fit it is
// bad, and returns zero values.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) time() time.Time {
	µs := d.varint()
	if µs == 0 {
		return time.Time{}
	}
	return time.UnixMicro(µs).UTC()
}

// count reads how many items of at least size bytes follow. It is bounded by what
// is there, so that no damaged count makes it allocate.
func (d *decoder) count(size int) int {
	c, n := binary.Uvarint(d.rest)
	if n <= 0 || c > uint64(len(d.rest)-n)/uint64(size) {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return int(c)
}

func (d *decoder) bytes() []byte { return d.take(d.count(1)) }

// names reads the names of vs, which share one piece of memory.
func (d *decoder) names(vs values) {
	after := *d
	for range vs {
		after.bytes()
	}
	all := string(d.rest[:len(d.rest)-len(after.rest)])
	for i := range vs {
		n := len(d.bytes())
		end := len(all) - (len(d.rest) - len(after.rest))
		if d.bad {
			return
		}
		vs[i].name = all[end-n : end]
		if i > 0 && vs[i-1].name >= vs[i].name {
			d.fail() // not sorted: get would not find it
		}
	}
}

func (d *decoder) take(n int) []byte {
	if n > len(d.rest) {
		d.fail()
		return make([]byte, n)
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) fail() { d.bad, d.rest = true, nil }
