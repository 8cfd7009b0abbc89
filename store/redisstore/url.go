package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// target says what to connect to, and as whom.
type target struct {
	network  string // "tcp" or "unix"
	address  string
	tls      *tls.Config // nil: none
	user     string
	password string
	db       int
}

// Errors about a URL name the part that is wrong and never quote it. Where a
// password was not percent-encoded, any part may be a piece of it.
var (
	errURL      = errors.New("redisstore: the URL can't be parsed; special characters in a password must be percent-encoded")
	errScheme   = errors.New("redisstore: unknown URL scheme; supported are redis, rediss (TLS) and unix")
	errUser     = errors.New("redisstore: the URL has a user name without a password; a password alone is written as in redis://:password@host")
	errPort     = errors.New("redisstore: the port in the URL must be a number from 1 to 65535")
	errDatabase = errors.New("redisstore: the database in the URL must be a number, as in redis://host:6379/0")
	errSocket   = errors.New("redisstore: a unix URL has no host and an absolute path, as in unix:///run/redis.sock")
)

// parse reads a URL and returns o with what the URL's parameters say.
func parse(rawURL string, o Options) (target, Options, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return target{}, o, errURL
	}
	var t target
	switch u.Scheme {
	case "redis", "rediss":
		t, err = tcpTarget(u, o)
	case "unix":
		t, err = unixTarget(u)
	default:
		err = errScheme
	}
	if err != nil {
		return target{}, o, err
	}
	if u.Opaque != "" || u.Fragment != "" {
		return target{}, o, errURL
	}
	if o.TLS != nil && t.tls == nil {
		return target{}, o, errTLSUnused
	}
	if u.User != nil {
		var ok bool
		t.user = u.User.Username()
		if t.password, ok = u.User.Password(); t.user != "" && (!ok || t.password == "") {
			return target{}, o, errUser
		}
	}
	err = parseQuery(u.RawQuery, &t, &o)
	return t, o, err
}

func tcpTarget(u *url.URL, o Options) (target, error) {
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "6379"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return target{}, errPort
	}
	t := target{network: "tcp", address: net.JoinHostPort(host, port)}
	if u.Path != "" && u.Path != "/" {
		var err error
		if t.db, err = parseDatabase(u.Path[1:]); err != nil {
			return target{}, err
		}
	}
	if u.Scheme == "rediss" {
		t.tls = &tls.Config{}
		if o.TLS != nil {
			t.tls = o.TLS.Clone()
		}
		if t.tls.ServerName == "" {
			t.tls.ServerName = host
		}
	}
	return t, nil
}

func unixTarget(u *url.URL) (target, error) {
	if u.Host != "" || len(u.Path) < 2 {
		return target{}, errSocket
	}
	return target{network: "unix", address: u.Path}, nil
}

func parseDatabase(s string) (int, error) {
	db, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, errDatabase
	}
	return int(db), nil
}

// parameterName matches what a parameter might be called, and little of what
// might be a password.
var parameterName = regexp.MustCompile(`^[a-z_]{1,20}$`)

func parseQuery(raw string, t *target, o *Options) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return errURL
	}
	for name, values := range query {
		if !parameterName.MatchString(name) {
			return errURL
		}
		if len(values) > 1 {
			return fmt.Errorf("redisstore: the URL's parameter %s is there twice", name)
		}
		value := values[0]
		var err error
		switch name {
		case "db":
			if t.network != "unix" {
				return errDatabase
			}
			t.db, err = parseDatabase(value)
		case "prefix":
			if o.Prefix = value; value == "" {
				err = strconv.ErrSyntax
			}
		case "max_active":
			o.MaxActive, err = parseCount(value)
		case "max_idle":
			o.MaxIdle, err = parseCount(value)
		case "idle_timeout":
			o.IdleTimeout, err = parseDuration(value)
		case "dial_timeout":
			o.DialTimeout, err = parseDuration(value)
		case "read_timeout":
			o.ReadTimeout, err = parseDuration(value)
		case "write_timeout":
			o.WriteTimeout, err = parseDuration(value)
		default:
			return fmt.Errorf("redisstore: the URL's parameter %s is unknown", name)
		}
		if err != nil {
			return fmt.Errorf("redisstore: the URL's parameter %s has a value that can't be used", name)
		}
	}
	return nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err == nil && n == 0 {
		err = strconv.ErrRange
	}
	return int(n), err
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && d <= 0 {
		err = strconv.ErrRange
	}
	return d, err
}
