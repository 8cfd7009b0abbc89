package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// DefaultPrefix begins every key of a store that was given no other prefix.
const DefaultPrefix = "satchel:"

// Options of a store that [Open] connects. The zero value is ready for
// production. Most can also be set by a parameter of the URL, named in
// parentheses, which then wins over the field, so that whoever deploys the app
// has the last word. Durations are written as in 1.5s or 2m there.
type Options struct {
	// Prefix (prefix) begins every key, so that apps can share a database.
	// Default "satchel:".
	Prefix string

	// MaxActive (max_active) bounds the connections of this process; in a cluster,
	// those to each node. Calls beyond it wait for a connection, up to their
	// deadline. Default 128.
	MaxActive int

	// MaxIdle (max_idle) is how many connections are kept open between calls.
	// With fewer than there are concurrent calls, most calls connect anew.
	// Default 64, and never more than MaxActive.
	MaxIdle int

	// IdleTimeout (idle_timeout) closes connections that were not needed for this
	// long. It must be shorter than what the server, or a load balancer between,
	// allows. Default 3 minutes.
	IdleTimeout time.Duration

	// DialTimeout (dial_timeout) bounds connecting, TLS handshake and sign-in
	// included, and before that, with Sentinel and in a cluster, finding out where
	// to. This and the next two apply within the deadline of a call's context, and
	// bound calls that have none. Default 5 seconds.
	DialTimeout time.Duration

	// ReadTimeout (read_timeout) bounds the wait for a reply. Default 3 seconds.
	ReadTimeout time.Duration

	// WriteTimeout (write_timeout) bounds the sending of a command. Default 3 seconds.
	WriteTimeout time.Duration

	// WaitReplicas (wait_replicas) is how many replicas have to have a commit
	// before it counts as made (WAIT). Redis replicates after it has answered, so
	// without this a master that dies takes its last commits along, also logouts.
	// A commit that too few replicas confirm within WaitTimeout fails with an
	// error that wraps store.ErrUnconfirmed. It takes one round trip more, between
	// the servers. Default 0: none.
	WaitReplicas int

	// WaitTimeout (wait_timeout) bounds that wait, within the deadline of the
	// call's context. It must be shorter than ReadTimeout, or a replica that is late
	// would look like a server that hangs. Default 500 milliseconds.
	WaitTimeout time.Duration

	// SentinelUsername and SentinelPassword (sentinel_username,
	// sentinel_password) are for the sentinels, where they ask for any. The user
	// and the password before the hosts of the URL are for the servers.
	SentinelUsername, SentinelPassword string

	// TLS configures rediss connections: a private certificate authority, a client
	// certificate. ServerName defaults to the host that is connected to. nil means
	// what the system trusts. The URL's parameters tls_ca, tls_cert and tls_key
	// name PEM files instead.
	TLS *tls.Config
}

// withDefaults returns o with its zero fields filled in, or says which field
// can't be.
func (o Options) withDefaults() (Options, error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	for _, n := range []struct {
		name     string
		value    *int
		standard int
	}{
		{"MaxActive", &o.MaxActive, 128},
		{"MaxIdle", &o.MaxIdle, 64},
		{"WaitReplicas", &o.WaitReplicas, 0},
	} {
		if *n.value < 0 {
			return o, fmt.Errorf("redisstore: %s must not be negative", n.name)
		}
		if *n.value == 0 {
			*n.value = n.standard
		}
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
	}{
		{"IdleTimeout", &o.IdleTimeout, 3 * time.Minute},
		{"DialTimeout", &o.DialTimeout, 5 * time.Second},
		{"ReadTimeout", &o.ReadTimeout, 3 * time.Second},
		{"WriteTimeout", &o.WriteTimeout, 3 * time.Second},
		{"WaitTimeout", &o.WaitTimeout, 500 * time.Millisecond},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("redisstore: %s must not be negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.WaitReplicas > 0 && o.WaitTimeout >= o.ReadTimeout {
		return o, errors.New("redisstore: WaitTimeout must be shorter than ReadTimeout (in the URL, wait_timeout and read_timeout)")
	}
	o.MaxIdle = min(o.MaxIdle, o.MaxActive)
	return o, nil
}
