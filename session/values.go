package session

import (
	"bytes"
	"slices"
	"strings"
)

// values are the encoded values of a session by key, sorted by name, so that a
// session has one encoding and a lookup needs no map.
type values []value

type value struct {
	name string
	raw  []byte // JSON; never changed in place
}

func (vs values) find(name string) (int, bool) {
	return slices.BinarySearchFunc(vs, name, func(v value, name string) int { return strings.Compare(v.name, name) })
}

func sameValue(a, b value) bool { return a.name == b.name && bytes.Equal(a.raw, b.raw) }

// get returns nil for an absent key.
func (vs values) get(name string) []byte {
	if i, ok := vs.find(name); ok {
		return vs[i].raw
	}
	return nil
}

func (vs *values) set(name string, raw []byte) {
	i, ok := vs.find(name)
	if ok {
		(*vs)[i].raw = raw
		return
	}
	*vs = slices.Insert(*vs, i, value{name, raw})
}

func (vs *values) delete(name string) {
	if i, ok := vs.find(name); ok {
		*vs = slices.Delete(*vs, i, i+1)
	}
}
