package redisstore

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// target says what to connect to, and as whom.
type target struct {
	topology  topology
	addresses []string // of the server, of sentinels, or of some nodes of a cluster
	master    string   // what the sentinels call it
	servers   dialer
	sentinels dialer
}

type topology int

const (
	single topology = iota
	sentinels
	clustered
)

// schemes has what comes before the colon of a URL, and the port that is meant
// where none is given.
var schemes = map[string]struct {
	topology
	secure bool
	port   string
}{
	"redis":           {single, false, "6379"},
	"rediss":          {single, true, "6379"},
	"unix":            {single, false, ""},
	"redis+sentinel":  {sentinels, false, "26379"},
	"rediss+sentinel": {sentinels, true, "26379"},
	"redis+cluster":   {clustered, false, "6379"},
	"rediss+cluster":  {clustered, true, "6379"},
}

// Errors about a URL name the part that is wrong and never quote it. Where a
// password was not percent-encoded, any part may be a piece of it.
var (
	errURL      = errors.New("redisstore: the URL can't be parsed; special characters in a password must be percent-encoded")
	errScheme   = errors.New("redisstore: unknown URL scheme; supported are redis, redis+sentinel and redis+cluster, these with rediss for TLS, and unix")
	errUser     = errors.New("redisstore: the URL has a user name without a password; a password alone is written as in redis://:password@host")
	errHost     = errors.New("redisstore: the URL must list hosts separated by commas, as in redis+cluster://host1:6379,host2:6379")
	errHosts    = errors.New("redisstore: the URL has several hosts, which only redis+sentinel and redis+cluster URLs can have")
	errIPv6     = errors.New("redisstore: an IPv6 address in the URL must be in brackets, as in redis://[::1]:6379")
	errPort     = errors.New("redisstore: the port in the URL must be a number from 1 to 65535")
	errDatabase = errors.New("redisstore: the database in the URL must be a number, as in redis://host:6379/0")
	errMaster   = errors.New("redisstore: the URL must name the master that the sentinels watch, by letters, digits, dots, hyphens and underscores, as in redis+sentinel://host1,host2,host3/master-name/0; special characters in a password must be percent-encoded")
	errCluster  = errors.New("redisstore: a cluster has no other database than 0; use a prefix to share it")
	errPrefix   = errors.New("redisstore: a prefix with a brace is no use in a cluster: all keys would be on one node; use another prefix")

	errCredentials    = errors.New("redisstore: the URL has a password, and there are Options.Credentials; use one of them")
	errSentinelUnused = errors.New("redisstore: Options.SentinelUsername and SentinelPassword need a redis+sentinel URL")
	errSentinelUser   = errors.New("redisstore: there is a user name for the sentinels (sentinel_username) without a password (sentinel_password)")
	errDBParameter    = errors.New("redisstore: the parameter db is for unix URLs; elsewhere the database is the path, as in redis://host:6379/2")

	errSocket = errors.New("redisstore: a unix URL has no host and an absolute path, as in unix:///run/redis.sock")
)

// masterName matches what Sentinel allows. A password with a slash that is not
// percent-encoded ends up here together with the @ behind it.
var masterName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// parse reads a URL and returns o with what the URL's parameters say.
func parse(rawURL string, o Options) (target, Options, error) {
	rawURL, hosts := cutHosts(rawURL)
	u, err := url.Parse(rawURL)
	if err != nil {
		return target{}, o, errURL
	}
	scheme, ok := schemes[u.Scheme]
	if !ok {
		return target{}, o, errScheme
	}
	t := target{topology: scheme.topology, servers: dialer{network: "tcp"}}
	if u.Scheme == "unix" {
		err = t.readSocket(u)
	} else {
		if len(hosts) == 0 {
			hosts = []string{u.Host}
		}
		err = t.readServers(u, hosts, scheme.port)
	}
	if err != nil {
		return target{}, o, err
	}
	if u.Opaque != "" || u.Fragment != "" {
		return target{}, o, errURL
	}
	if u.User != nil {
		t.servers.user = u.User.Username()
		if t.servers.password, ok = u.User.Password(); t.servers.user != "" && (!ok || t.servers.password == "") {
			return target{}, o, errUser
		}
	}
	secure, err := parseQuery(u.RawQuery, &t, &o)
	switch {
	case err != nil:
		return target{}, o, err
	case o.Credentials != nil && t.servers.password != "":
		return target{}, o, errCredentials
	case t.topology != sentinels && (o.SentinelUsername != "" || o.SentinelPassword != ""):
		return target{}, o, errSentinelUnused
	case o.SentinelUsername != "" && o.SentinelPassword == "":
		return target{}, o, errSentinelUser
	case t.topology == clustered && strings.Contains(o.Prefix, "{"):
		return target{}, o, errPrefix
	}
	if !scheme.secure {
		if o.TLS != nil || secure != (tlsParameters{}) {
			return target{}, o, errTLSUnused
		}
		return t, o, nil
	}
	t.servers.tls = &tls.Config{}
	if o.TLS != nil {
		t.servers.tls = o.TLS.Clone()
	}
	return t, o, secure.apply(t.servers.tls)
}

// cutHosts replaces the hosts of a URL that may have several by one, since URLs
// with more don't parse, and returns them. Of any other URL it returns none.
func cutHosts(rawURL string) (string, []string) {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	if schemes[strings.ToLower(scheme)].topology == single {
		return rawURL, nil
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	begin := strings.LastIndexByte(rest[:end], '@') + 1
	return scheme + "://" + rest[:begin] + "hosts" + rest[end:], strings.Split(rest[begin:end], ",")
}

// readServers reads the part of a URL behind the scheme and before the parameters.
func (t *target) readServers(u *url.URL, hosts []string, port string) error {
	if t.topology == single && strings.Contains(hosts[0], ",") {
		return errHosts
	}
	for _, host := range hosts {
		address, err := parseHost(host, port)
		if err != nil {
			return err
		}
		if host == "" && t.topology != single || slices.Contains(t.addresses, address) {
			return errHost
		}
		t.addresses = append(t.addresses, address)
	}
	path := strings.TrimPrefix(u.Path, "/")
	switch t.topology {
	case sentinels:
		t.master, path, _ = strings.Cut(path, "/")
		if !masterName.MatchString(t.master) || u.RawPath != "" {
			return errMaster
		}
	case clustered:
		if path != "" && path != "0" {
			return errCluster
		}
	}
	var err error
	if path != "" {
		t.servers.db, err = parseDatabase(path)
	}
	return err
}

// parseHost reads a host with or without a port. The empty one is this machine.
func parseHost(s, port string) (string, error) {
	u, err := url.Parse("//" + s)
	if err != nil || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errURL
	}
	host := u.Hostname()
	if strings.Contains(host, ":") && !strings.Contains(s, "[") {
		return "", errIPv6
	}
	if host == "" {
		host = "localhost"
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", errPort
	}
	return net.JoinHostPort(host, port), nil
}

func (t *target) readSocket(u *url.URL) error {
	if u.Host != "" || len(u.Path) < 2 {
		return errSocket
	}
	t.servers.network, t.addresses = "unix", []string{u.Path}
	return nil
}

func parseDatabase(s string) (int, error) {
	db, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, errDatabase
	}
	return int(db), nil
}

// configure completes the dialers with what doesn't come from the URL alone.
func (t *target) configure(o Options) {
	t.servers.dialTimeout, t.servers.readTimeout, t.servers.writeTimeout = o.DialTimeout, o.ReadTimeout, o.WriteTimeout
	t.sentinels = t.servers
	t.servers.clientName, t.servers.credentials = o.ClientName, o.Credentials
	t.sentinels.user, t.sentinels.password, t.sentinels.db = o.SentinelUsername, o.SentinelPassword, 0
}

// name says in errors where something failed.
func (t target) name() string {
	switch t.topology {
	case sentinels:
		return "the master of the sentinels " + strings.Join(t.addresses, ", ")
	case clustered:
		return "the cluster of " + strings.Join(t.addresses, ", ")
	}
	return t.addresses[0]
}
