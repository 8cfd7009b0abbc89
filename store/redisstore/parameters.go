package redisstore

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// parameterName matches what a parameter might be called, and little of what
// might be a password.
var parameterName = regexp.MustCompile(`^[A-Za-z_]{1,20}$`)

// parseQuery reads the parameters of a URL into what they are about.
func parseQuery(raw string, t *target, o *Options) (tlsParameters, error) {
	var secure tlsParameters
	query, err := url.ParseQuery(raw)
	if err != nil || strings.Contains(raw, "@") { // of a password with a question mark
		return secure, errURL
	}
	for name, values := range query {
		if !parameterName.MatchString(name) {
			return secure, errURL
		}
		if len(values) > 1 {
			return secure, fmt.Errorf("redisstore: the URL's parameter %s is there twice", name)
		}
		read := parameters[name]
		if read == nil {
			return secure, fmt.Errorf("redisstore: the URL's parameter %s is unknown", name)
		}
		if name == "db" && t.servers.network != "unix" {
			return secure, errDBParameter
		}
		if strings.HasPrefix(name, "sentinel") && t.topology != sentinels {
			return secure, fmt.Errorf("redisstore: the URL's parameter %s needs a redis+sentinel URL", name)
		}
		if err := read(values[0], settings{t, o, &secure}); err != nil {
			return secure, fmt.Errorf("redisstore: the URL's parameter %s %w", name, err)
		}
	}
	return secure, nil
}

// settings are what parameters set.
type settings struct {
	target  *target
	options *Options
	secure  *tlsParameters
}

var parameters = map[string]func(value string, s settings) error{
	"db": func(value string, s settings) (err error) {
		if s.target.servers.db, err = parseDatabase(value); err != nil {
			return errNumber
		}
		return nil
	},
	"prefix":            text(func(s settings) *string { return &s.options.Prefix }),
	"max_active":        positive(func(s settings) *int { return &s.options.MaxActive }),
	"max_idle":          positive(func(s settings) *int { return &s.options.MaxIdle }),
	"conn_lifetime":     duration(func(s settings) *time.Duration { return &s.options.ConnLifetime }),
	"client_name":       text(func(s settings) *string { return &s.options.ClientName }),
	"idle_timeout":      duration(func(s settings) *time.Duration { return &s.options.IdleTimeout }),
	"dial_timeout":      duration(func(s settings) *time.Duration { return &s.options.DialTimeout }),
	"read_timeout":      duration(func(s settings) *time.Duration { return &s.options.ReadTimeout }),
	"write_timeout":     duration(func(s settings) *time.Duration { return &s.options.WriteTimeout }),
	"wait_replicas":     number(func(s settings) *int { return &s.options.WaitReplicas }),
	"wait_timeout":      duration(func(s settings) *time.Duration { return &s.options.WaitTimeout }),
	"sentinel_username": text(func(s settings) *string { return &s.options.SentinelUsername }),
	"sentinel_password": text(func(s settings) *string { return &s.options.SentinelPassword }),
	"tls_ca":            text(func(s settings) *string { return &s.secure.ca }),
	"tls_cert":          text(func(s settings) *string { return &s.secure.cert }),
	"tls_key":           text(func(s settings) *string { return &s.secure.key }),
	"tls_server_name":   text(func(s settings) *string { return &s.secure.serverName }),
}

// What values have to be. Errors don't quote them.
var (
	errText     = errors.New("must not be empty")
	errNumber   = errors.New("must be a whole number from 0 to 2147483647")
	errPositive = errors.New("must be a whole number from 1 to 2147483647")
	errDuration = errors.New("must be a positive duration with a unit, as in 500ms, 3s or 2m")
)

func text(field func(settings) *string) func(string, settings) error {
	return func(value string, s settings) error {
		if value == "" {
			return errText
		}
		*field(s) = value
		return nil
	}
}

func number(field func(settings) *int) func(string, settings) error {
	return func(value string, s settings) error {
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return errNumber
		}
		*field(s) = int(n)
		return nil
	}
}

func positive(field func(settings) *int) func(string, settings) error {
	return func(value string, s settings) error {
		if err := number(field)(value, s); err != nil || *field(s) == 0 {
			return errPositive
		}
		return nil
	}
}

func duration(field func(settings) *time.Duration) func(string, settings) error {
	return func(value string, s settings) error {
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return errDuration
		}
		*field(s) = d
		return nil
	}
}
