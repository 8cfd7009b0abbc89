// Package redisstore keeps sessions in Redis or Valkey.
//
//	sessions, err := redisstore.Open("redis://localhost:6379/0", redisstore.Options{})
//
// Every method is one round trip, except [Store.Owned], which is three at the
// most. (After a restart of the server, the first use of each script takes one
// more.) A call that waits for the server or for a free connection returns when
// its context is done. No call scans the key space.
//
// # What is kept where
//
// A record is a string under prefix + "session:" + id: the version's 16 bytes,
// then the data. It expires by itself. The sessions of an owner are listed in a
// hash under prefix + "owner:" + owner, which expires with its last entry. Writes
// that depend on what is there are Lua scripts of one key each. The server needs
// no configuration, but mind its eviction policy: with noeviction a full server
// refuses writes; with any other it drops sessions as it sees fit.
//
// # Retries
//
// A command whose connection breaks is sent once more, over a new connection and
// within the same deadline. All commands allow for that: a Swap that finds its own
// version there has succeeded. If the second attempt can't tell what became of
// the first, the error doesn't wrap [store.ErrNotApplied]. After a timeout nothing
// is retried, and the connection is closed, so that a late reply is never taken
// for another one.
//
// # Errors
//
// They name the operation and the server's address, and never an id, data, or a
// password. After a timeout, errors.Is(err, context.DeadlineExceeded) holds.
package redisstore

import (
	"context"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/store"
)

var (
	_ store.Store   = (*Store)(nil)
	_ store.Indexer = (*Store)(nil)
)

// Store is a [store.Store] and a [store.Indexer] in Redis. It is safe for
// concurrent use, and any number of processes may share a server and a prefix.
// Create it with [Open] or [New].
type Store struct {
	client  client
	address string // for errors; "" if unknown
	prefix  string
}

// Open returns a store on the server that rawURL names:
//
//	redis://user:password@host:6379/0     TCP; all parts but the scheme may be missing
//	rediss://user:password@host:6380/0    TLS
//	unix:///run/redis.sock?db=0           a socket
//
// Special characters in a password are percent-encoded. [Options] lists the
// parameters that may follow a question mark. A URL or an option that can't be
// used is an error at once, and the error never quotes the URL.
//
// Open doesn't connect, so that an app also starts while the server is down. The
// first call connects; see [Store.Ping].
func Open(rawURL string, o Options) (*Store, error) {
	t, o, err := parse(rawURL, o)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	return &Store{client: openPool(t, o), address: t.address, prefix: o.Prefix}, nil
}

// New returns a store over the app's own pool. The empty prefix means
// [DefaultPrefix]. It panics if the pool is nil or can't dial.
//
// What the pool is set to applies: without MaxActive it is unbounded, and without
// Wait a call that finds it exhausted fails. Its Dial function is not interrupted
// when a context ends; DialContext should be. Its connections must support
// contexts, as those of redigo do, and should have a read timeout. After a broken
// connection the second attempt takes the pool's next one, which after a restart of
// the server may be broken too, unless the pool's TestOnBorrow finds out.
func New(pool *redis.Pool, prefix string) *Store {
	if pool == nil {
		panic("redisstore: New needs a pool; use Open to connect by URL")
	}
	if pool.Dial == nil && pool.DialContext == nil {
		panic("redisstore: New needs a pool with DialContext or Dial set")
	}
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{client: &poolClient{pool: pool}, prefix: prefix}
}

// Ping reports whether the server can be reached, accepts the password, and lets
// the store read: it looks for a record that isn't there. For readiness checks. One
// round trip, and another one if it has to connect first.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.find(ctx, "ping", "")
	if err == store.ErrNotFound {
		return nil
	}
	return err
}

// Close closes the idle connections, and those in use as soon as their calls
// return; later calls fail. It does nothing to a pool that was given to [New],
// which remains the app's to close.
func (s *Store) Close() error { return s.client.close() }
