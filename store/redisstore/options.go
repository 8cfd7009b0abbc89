package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
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

	// MaxActive (max_active) is the size of the pool: it bounds the connections of
	// this process; in a cluster, those to each node. Calls beyond it wait for a
	// connection, up to their deadline. Default 128.
	MaxActive int

	// MaxIdle (max_idle) is how many connections the pool keeps open between calls.
	// Where more calls than that are usual at once, some always connect anew, which
	// with TLS takes several round trips. Default 64, and never more than MaxActive.
	MaxIdle int

	// IdleTimeout (idle_timeout) closes connections that were not needed for this
	// long. It must be shorter than what the server, or a load balancer between,
	// allows. Default 3 minutes.
	IdleTimeout time.Duration

	// ConnLifetime (conn_lifetime) replaces connections of this age when they are not in
	// use: where load should spread to servers that were added, or where credentials
	// expire. Default 0: they are kept.
	ConnLifetime time.Duration

	// DialTimeout (dial_timeout) bounds connecting, TLS handshake and sign-in
	// included. This and the next two apply within the deadline of a call's context,
	// and bound calls that have none. With Sentinel and in a cluster, finding out where
	// to connect may take as long before that, or 5 seconds if that is longer.
	// Default 5 seconds.
	DialTimeout time.Duration

	// ReadTimeout (read_timeout) bounds the wait for a reply. Default 3 seconds.
	ReadTimeout time.Duration

	// WriteTimeout (write_timeout) bounds the sending of a command. Default 3 seconds.
	WriteTimeout time.Duration

	// WaitReplicas (wait_replicas) is how many replicas have to have a write before
	// it counts as made (WAIT): any, not particular ones. Redis replicates after it
	// has answered, so without this a master that dies takes its last commits along,
	// also logouts. Swap and Index wait; Touch, Delete and Unindex, which nothing
	// depends on, don't. A write that too few confirm within WaitTimeout fails with
	// an error that wraps store.ErrUnconfirmed. The wait is a round trip between the
	// servers, and none more for the client unless replicas are late. Default 0: none.
	WaitReplicas int

	// WaitTimeout (wait_timeout) bounds that wait, within the deadline of the
	// call's context. It must be shorter than ReadTimeout, or a replica that is late
	// would look like a server that hangs. Default 500 milliseconds.
	WaitTimeout time.Duration

	// ClientName (client_name) is what the connections are called in CLIENT LIST. It
	// has no spaces, and its user needs a permission more, +client|setname. Default
	// none.
	ClientName string

	// Credentials, unless nil, is asked for the user and the password of each new
	// connection to a server, where they change: by rotation, or as tokens that
	// expire. The URL must have none then. "" for the user means the default one. It is
	// called by many goroutines at once, and should keep to ctx, within DialTimeout; nobody
	// waits for it any longer.
	// Its errors are passed on, so they must not contain secrets. Connections that are
	// open stay so; see ConnLifetime.
	Credentials func(ctx context.Context) (username, password string, err error)

	// SentinelUsername and SentinelPassword (sentinel_username,
	// sentinel_password) are for the sentinels, where they ask for any. The user
	// and the password before the hosts of the URL are for the servers.
	SentinelUsername, SentinelPassword string

	// TLS configures rediss connections: a private certificate authority, a client
	// certificate. ServerName defaults to the host that is connected to; with Sentinel
	// and in a cluster that is what these call it, mostly an IP address. nil means
	// what the system trusts. Parameters of the URL are instead: tls_ca, tls_cert and
	// tls_key name PEM files, and tls_server_name is whom all certificates have to be
	// for. The client certificate is read again for each connection, the authority's
	// once.
	TLS *tls.Config
}

var clientName = regexp.MustCompile(`^[!-~]+$`)

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
		{"ConnLifetime", &o.ConnLifetime, 0},
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
	if o.ClientName != "" && !clientName.MatchString(o.ClientName) {
		return o, errors.New("redisstore: ClientName (in the URL, client_name) must have no spaces and no special characters but punctuation; the server would refuse it")
	}
	if o.WaitReplicas > 0 && o.WaitTimeout >= o.ReadTimeout {
		return o, errors.New("redisstore: WaitTimeout must be shorter than ReadTimeout (in the URL, wait_timeout and read_timeout)")
	}
	o.MaxIdle = min(o.MaxIdle, o.MaxActive)
	return o, nil
}
