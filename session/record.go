package session

import (
	"slices"
	"time"

	"github.com/gosatchel/satchel/store"
)

// A record is the state of a session between two commits. Once it is visible to
// more than one goroutine it is not changed any more: changes are made to a
// clone.
type record struct {
	version store.Version // of the committed state; not part of the encoding

	created       time.Time
	authenticated time.Time     // when the user signed in; zero for an anonymous session
	deadline      time.Time     // absolute
	idle          time.Duration // its own idle timeout; 0 for the manager's
	remembered    bool          // lives until the deadline, idle or not
	ended         bool          // a marker: there was a session here
	moved         bool          // in a marker: the session goes on under another id
	unclaimed     bool          // taken over, and nobody has come with its cookie yet

	user, ref, agent string

	history history // of the commits before this one
	values  values
}

// newRecord returns the state of a session that begins now.
func newRecord(lifetime time.Duration) *record {
	now := time.Now()
	return &record{created: micro(now), deadline: micro(now.Add(lifetime))}
}

func (r *record) clone() *record {
	c := *r
	c.values = slices.Clone(r.values)
	return &c
}

// micro drops what the encoding would: below a microsecond, and the zone.
func micro(t time.Time) time.Time { return t.Truncate(time.Microsecond).UTC() }

// rank says how much is lost when a store that is full evicts r.
func (r *record) rank() store.Rank {
	switch {
	case r.ended && (r.moved || r.user != ""):
		return store.RankEnded
	case r.user != "":
		return store.RankUser
	}
	return store.RankAnonymous
}

// sameAs reports whether storing r in place of other would change nothing that
// a session can see.
func (r *record) sameAs(other *record) bool {
	return r.user == other.user && r.ref == other.ref && r.agent == other.agent &&
		r.authenticated.Equal(other.authenticated) &&
		r.deadline.Equal(other.deadline) && r.remembered == other.remembered && r.idle == other.idle &&
		slices.EqualFunc(r.values, other.values, sameValue)
}
