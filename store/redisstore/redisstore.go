// Package redisstore keeps sessions in Redis or Valkey: on one server, on the master
// that Sentinel watches, or in a cluster.
//
//	kept, err := redisstore.Open("redis://localhost:6379/0", redisstore.Options{})
//	...
//	sessions := session.New(kept, session.Options{})
//
// Every method is one round trip, except [Store.Owned], which is three at the
// most. (After a restart of the server, the first use of each script takes one
// more; so does a redirect within a cluster, and the wait for replicas that are late.) A call that waits for the server or for
// a free connection returns when its context is done. No call scans the key space.
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
// # Failover
//
// With Sentinel, and in a cluster, a failure makes the store look, in the background
// and four times per second at most, whether another server has the data by now.
// With Sentinel it also looks once a second while there are calls, since a master that
// was replaced behind a broken network goes on answering. Connections to a master that
// was replaced are closed without being tried, also those that hang. A server that answers that it is a replica has written nothing, so the
// command goes to its successor within the same call. Until there is one, calls fail.
//
// Redis answers before its replicas have what was written. A master that dies takes
// along what they don't have: an item that was added to a cart, or the marker that a
// logout leaves, so that the session is there again. [Options].WaitReplicas narrows
// that window; see docs/redis.md in the repository for figures.
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
// Create it with [Open], [New] or
// [NewFromClient].
type Store struct {
	backend backend
	address string // for errors; "" if unknown
	prefix  string
	wanted  int  // replicas, for a write to count as made
	resends bool // the backend may send by itself again what got no answer
}

// Open returns a store on the servers that rawURL names:
//
//	redis://user:password@host:6379/0                 TCP; all parts but the scheme may be missing
//	redis+sentinel://host1,host2,host3/master-name/0  the master that these sentinels watch
//	redis+cluster://host1,host2,host3                 a Redis Cluster, by some of its nodes
//	unix:///run/redis.sock?db=0                       a socket
//
// With rediss in the place of redis they speak TLS, to the sentinels as well.
// Special characters in a password are percent-encoded. [Options] lists the
// parameters that may follow a question mark. A URL or an option that can't be
// used is an error at once, and the error never quotes the URL.
//
// Open doesn't connect, so that an app also starts while the servers are down. The
// first call connects; see [Store.Ping].
func Open(rawURL string, o Options) (*Store, error) {
	t, o, err := parse(rawURL, o)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	t.configure(o)
	s := &Store{address: t.name(), prefix: o.Prefix, wanted: o.WaitReplicas}
	switch t.topology {
	case sentinels:
		s.backend = openWatched(t, o)
	case clustered:
		s.backend = openCluster(t, o)
	default:
		address := t.addresses[0]
		s.backend = openNode(o, func(ctx context.Context) (redis.Conn, error) { return t.servers.dial(ctx, address) })
	}
	return s, nil
}

// New returns a store over the app's own pool. The empty prefix means
// [DefaultPrefix]. Options.WaitReplicas has no counterpart here. It panics if the pool is nil or can't dial.
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
	return &Store{backend: &node{pool: pool}, prefix: prefix}
}

// NewFromClient returns a store over the app's own client of another library. The
// empty prefix means [DefaultPrefix]. It panics without a client.
//
// What the client is set to applies: pool, retries, topology. It may send a command
// again that got no answer; the store allows for that, and so never says of a
// failed write that nothing was written, which costs a session one look more. A
// call returns when its context is done, also if the client doesn't; then a
// goroutine waits for the client, which needs timeouts of its own. Options.WaitReplicas
// has no counterpart here, since WAIT needs the connection of the write.
func NewFromClient(c Client, prefix string) *Store {
	if c == nil {
		panic("redisstore: NewFromClient needs a client; use Open to connect by URL")
	}
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{backend: foreign{c}, prefix: prefix, resends: true}
}

// Ping reports whether the server can be reached, accepts the password, and lets
// the store read: it looks for a record that isn't there. For readiness checks. It
// does not write: a replica passes, and so does a user without the permission. One round
// trip, and what connecting takes.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.find(ctx, "ping", "")
	if err == store.ErrNotFound {
		return nil
	}
	return err
}

// Close closes the idle connections, and those in use as soon as their calls
// return; later calls fail. It does nothing to a pool or client that was given to
// [New] or [NewFromClient], which remains the app's to close.
func (s *Store) Close() error { return s.backend.close() }
