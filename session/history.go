package session

import (
	"bytes"

	"github.com/gosatchel/satchel/store"
)

// A history is the marks of the last commits, the oldest first, as they are
// encoded. It is never changed in place.
type history []byte

// markLength is how much of a version is kept. 64 random bits are enough to
// recognise a commit by among a few others.
const markLength = 8

// historyLength is how many commits may have followed a lost reply for it still
// to be found out whether the lost one happened. Each costs 8 bytes in every record.
const historyLength = 8

// and returns the history with v as its last commit.
func (h history) and(v store.Version) history {
	kept := h[max(0, len(h)-(historyLength-1)*markLength):]
	return append(append(make(history, 0, historyLength*markLength), kept...), v[:markLength]...)
}

func (h history) has(v store.Version) bool {
	for ; len(h) >= markLength; h = h[markLength:] {
		if bytes.Equal(h[:markLength], v[:markLength]) {
			return true
		}
	}
	return false
}

// follow makes r the successor of prev.
func (r *record) follow(prev *record) {
	r.history = nil
	if prev != nil {
		r.history = prev.history.and(prev.version)
	}
}

// remembers reports whether v is r's own commit or one that r's history still has.
func (r *record) remembers(v store.Version) bool {
	return r.version == v || r.history.has(v)
}
