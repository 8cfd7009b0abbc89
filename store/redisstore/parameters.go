package redisstore

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// parameterName matches what a parameter might be called, and little of what
// might be a password.
var parameterName = regexp.MustCompile(`^[a-z_]{1,20}$`)

// parseQuery reads the parameters of a URL into what they are about.
func parseQuery(raw string, t *target, o *Options) (tlsFiles, error) {
	var files tlsFiles
	query, err := url.ParseQuery(raw)
	if err != nil {
		return files, errURL
	}
	for name, values := range query {
		if !parameterName.MatchString(name) {
			return files, errURL
		}
		if len(values) > 1 {
			return files, fmt.Errorf("redisstore: the URL's parameter %s is there twice", name)
		}
		read := parameters[name]
		if read == nil {
			return files, fmt.Errorf("redisstore: the URL's parameter %s is unknown", name)
		}
		if name == "db" && t.servers.network != "unix" {
			return files, errDatabase
		}
		if name[:min(len(name), 8)] == "sentinel" && t.topology != sentinels {
			return files, fmt.Errorf("redisstore: the URL's parameter %s needs a redis+sentinel URL", name)
		}
		if err := read(values[0], settings{t, o, &files}); err != nil {
			return files, fmt.Errorf("redisstore: the URL's parameter %s has a value that can't be used", name)
		}
	}
	return files, nil
}

// settings are what parameters set.
type settings struct {
	target  *target
	options *Options
	files   *tlsFiles
}

var parameters = map[string]func(value string, s settings) error{
	"db": func(value string, s settings) (err error) {
		s.target.servers.db, err = parseDatabase(value)
		return err
	},
	"prefix":            text(func(s settings) *string { return &s.options.Prefix }),
	"max_active":        number(1, func(s settings) *int { return &s.options.MaxActive }),
	"max_idle":          number(1, func(s settings) *int { return &s.options.MaxIdle }),
	"idle_timeout":      duration(func(s settings) *time.Duration { return &s.options.IdleTimeout }),
	"dial_timeout":      duration(func(s settings) *time.Duration { return &s.options.DialTimeout }),
	"read_timeout":      duration(func(s settings) *time.Duration { return &s.options.ReadTimeout }),
	"write_timeout":     duration(func(s settings) *time.Duration { return &s.options.WriteTimeout }),
	"wait_replicas":     number(0, func(s settings) *int { return &s.options.WaitReplicas }),
	"wait_timeout":      duration(func(s settings) *time.Duration { return &s.options.WaitTimeout }),
	"sentinel_username": text(func(s settings) *string { return &s.options.SentinelUsername }),
	"sentinel_password": text(func(s settings) *string { return &s.options.SentinelPassword }),
	"tls_ca":            text(func(s settings) *string { return &s.files.ca }),
	"tls_cert":          text(func(s settings) *string { return &s.files.cert }),
	"tls_key":           text(func(s settings) *string { return &s.files.key }),
}

func text(field func(settings) *string) func(string, settings) error {
	return func(value string, s settings) error {
		if value == "" {
			return strconv.ErrSyntax
		}
		*field(s) = value
		return nil
	}
}

func number(least uint64, field func(settings) *int) func(string, settings) error {
	return func(value string, s settings) error {
		n, err := strconv.ParseUint(value, 10, 31)
		if err == nil && n < least {
			err = strconv.ErrRange
		}
		*field(s) = int(n)
		return err
	}
}

func duration(field func(settings) *time.Duration) func(string, settings) error {
	return func(value string, s settings) error {
		d, err := time.ParseDuration(value)
		if err == nil && d <= 0 {
			err = strconv.ErrRange
		}
		*field(s) = d
		return err
	}
}
