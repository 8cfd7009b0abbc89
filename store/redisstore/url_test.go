package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func TestOpen_RefusesWhatCantBeUsed(t *testing.T) {
	for _, c := range []struct {
		url  string
		says string
	}{
		{"", "supported are redis, redis+sentinel and redis+cluster"},
		{"localhost:6379", "supported are"},
		{"http://localhost:6379", "supported are"},
		{"redis+unix://localhost", "supported are"},
		{"redis:secret@localhost", "can't be parsed"},
		{"redis://user:secret%zz@localhost", "percent-encoded"},
		{"redis://user:sec ret@localhost", "percent-encoded"},
		{"redis://user:sec/secret@localhost", "percent-encoded"},
		{"redis://user:1/secret@localhost", "database"},
		{"redis://user:1#secret@localhost", "can't be parsed"},
		{"redis://user:1?secret@localhost", "percent-encoded"},
		{"redis://user:1?db=secret@localhost", "percent-encoded"},
		{"redis://user:1?secret=secret@localhost", "percent-encoded"},
		{"redis://:secret@localhost:port", "can't be parsed"},
		{"redis://:secret@localhost:0", "port"},
		{"redis://:secret@localhost:65536", "port"},
		{"redis://secret@localhost", "without a password"},
		{"redis://user:@localhost", "without a password"},
		{"redis://:secret@localhost/one", "database"},
		{"redis://:secret@localhost/-1", "database"},
		{"redis://:secret@localhost/1/2", "database"},
		{"redis://:secret@localhost/99999999999", "database"},
		{"redis://:secret@localhost?db=1", "database is the path"},
		{"redis://:secret@localhost?pool=10", "pool is unknown"},
		{"redis://:secret@localhost?MAX_ACTIVE=10", "MAX_ACTIVE is unknown"},
		{"redis://:secret@localhost?conn_lifetime=1", "conn_lifetime must be a positive duration with a unit"},
		{"redis://:secret@localhost?client_name=se+cret", "ClientName"},
		{"redis://:secret@localhost?tls_server_name=secret", "begins with rediss"},
		{"redis+cluster://:secret@h1?prefix={secret}:", "prefix with a brace"},
		{"redis://:secret@localhost?max_active=1&max_active=2", "max_active is there twice"},
		{"redis://:secret@localhost?max_active=many", "max_active must be a whole number from 1"},
		{"redis://:secret@localhost?max_active=0", "max_active must be a whole number from 1"},
		{"redis://:secret@localhost?max_active=-1", "max_active must be a whole number from 1"},
		{"redis://:secret@localhost?max_active=99999999999", "max_active must be a whole number from 1"},
		{"redis://:secret@localhost?max_idle=", "max_idle must be a whole number"},
		{"redis://:secret@localhost?idle_timeout=10", "idle_timeout must be a positive duration with a unit"},
		{"redis://:secret@localhost?dial_timeout=-1s", "dial_timeout must be a positive duration with a unit"},
		{"redis://:secret@localhost?read_timeout=0s", "read_timeout must be a positive duration with a unit"},
		{"redis://:secret@localhost?write_timeout=soon", "write_timeout must be a positive duration with a unit"},
		{"redis://:secret@localhost?prefix=", "prefix must not be empty"},
		{"redis://:secret@localhost?prefix=a;max_idle=1", "can't be parsed"},
		{"unix://run/redis.sock", "absolute path"},
		{"unix:redis.sock", "absolute path"},
		{"unix://", "absolute path"},
		{"unix:///run/redis.sock?db=x", "db must be a whole number"},
		{"redis://:secret@h1,h2", "several hosts"},
		{"redis://:secret@h?wait_replicas=-1", "wait_replicas must be a whole number from 0"},
		{"redis://:secret@h?wait_replicas=1&wait_timeout=3s", "WaitTimeout must be shorter than ReadTimeout"},
		{"redis://:secret@h?wait_timeout=0", "wait_timeout must be a positive duration with a unit"},
		{"redis://:secret@h?sentinel_password=secret", "sentinel_password needs a redis+sentinel URL"},
		{"redis://:secret@h?tls_ca=secret", "begins with rediss"},
		{"rediss://:secret@h?tls_ca=/missing", "tls_ca"},
		{"rediss://:secret@h?tls_cert=/missing", "tls_cert and tls_key"},
		{"rediss://:secret@h?tls_cert=/missing&tls_key=/missing", "tls_cert and tls_key"},
		{"redis+sentinel://:secret@h1,h2,h3", "must name the master"},
		{"redis+sentinel://:secret@h1,h2,h3/", "must name the master"},
		{"redis+sentinel://:secret@h1,h2,h3/name/secret", "database"},
		{"redis+sentinel://:secret@h1,h2,h3/name/0/secret", "database"},
		{"redis+sentinel://:secret@h1,,h3/name", "list hosts"},
		{"redis+sentinel://:secret@h1,h1:26379/name", "list hosts"},
		{"redis+sentinel://:secret@/name", "list hosts"},
		{"redis+sentinel://:secret@h1:port,h2/name", "parsed"},
		{"redis+sentinel://:secret@h1:0,h2/name", "port"},
		{"redis+sentinel://:secret@h1 secret,h2/name", "parsed"},
		{"redis+sentinel://user:sec/secret@h1,h2/name", "parsed"},
		{"redis+sentinel://secret:12/secret@h1,h2", "must name the master"},
		{"redis+sentinel://secret:12/secret@h1,h2/0", "must name the master"},
		{"redis+sentinel://secret:12/secret:secret/0", "must name the master"},
		{"redis+cluster://secret:12/secret@h1,h2", "no other database"},
		{"redis+sentinel://:secret@h1/name%2f0", "must name the master"},
		{"redis+sentinel://:secret@h1/name?sentinel_username=secret", "without a password"},
		{"redis://:secret@::1", "in brackets"},
		{"redis://fe80::2/0", "in brackets"},
		{"redis+cluster://h1,::1", "in brackets"},
		{"redis+cluster://", "list hosts"},
		{"redis+cluster://:secret@h1,h2/1", "no other database"},
		{"redis+cluster://:secret@h1,h2?db=1", "database is the path"},
		{"redis+cluster:h1", "list hosts"},
	} {
		s, err := redisstore.Open(c.url, noOptions)
		if err == nil || s != nil {
			t.Errorf("%s was opened", c.url)
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", c.url, err, c.says)
		}
		discreet(t, err)
	}
}

func TestOpen_RefusesOptionsThatCantBeUsed(t *testing.T) {
	for says, o := range map[string]redisstore.Options{
		"MaxActive":                 {MaxActive: -1},
		"MaxIdle":                   {MaxIdle: -1},
		"IdleTimeout":               {IdleTimeout: -1},
		"DialTimeout":               {DialTimeout: -1},
		"ReadTimeout":               {ReadTimeout: -1},
		"WriteTimeout":              {WriteTimeout: -1},
		"rediss":                    {TLS: &tls.Config{}},
		"ConnLifetime":              {ConnLifetime: -1},
		"WaitReplicas":              {WaitReplicas: -1},
		"WaitTimeout":               {WaitTimeout: -1},
		"need a redis+sentinel URL": {SentinelPassword: secretPassword},
		"ClientName":                {ClientName: "two words"},
	} {
		if _, err := redisstore.Open("redis://localhost", o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want an error with %q", o, err, says)
		}
	}
}

func TestOpen_TakesWhatItDocuments(t *testing.T) {
	for _, u := range []string{
		"redis:", "redis://", "redis://localhost", "redis://localhost/", "redis://[::1]:6379/3", "redis://@localhost", "redis://:@localhost",
		"REDIS://localhost", "rediss://user:p%40ss@example.com", "unix:///run/redis.sock", "unix://:pw@/run/redis.sock?db=3",
		"redis+sentinel://h1,h2:26380,[::1]:26381/main", "redis+sentinel://:p%40ss@h1,h2/main/3?sentinel_username=u&sentinel_password=p",
		"rediss+sentinel://h1/main", "redis+cluster://h1,h2:7001", "Redis+Cluster://h1/0", "rediss+cluster://u:p@h1/",
		"redis://h?wait_replicas=0", "redis://h?wait_replicas=1&wait_timeout=100ms", "redis://h?read_timeout=100ms", "redis://h?conn_lifetime=1h&client_name=shop:web", "rediss://h?tls_server_name=redis.example.com", "redis://h?prefix=a&max_active=1&max_idle=2&idle_timeout=1m&dial_timeout=1s&read_timeout=100ms&write_timeout=1.5s",
	} {
		if _, err := redisstore.Open(u, noOptions); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestOpen_ParametersWinOverOptions(t *testing.T) {
	server := redistest.Start(t)
	create(t, open(t, server.URL()+"?prefix=url:", redisstore.Options{Prefix: "field:"}), "id", "data")
	if server.Do(t, "EXISTS", "url:session:id") != int64(1) {
		t.Error("the URL's prefix was not used")
	}
	server.Freeze(t)
	s := open(t, server.URL()+"?read_timeout=50ms", redisstore.Options{ReadTimeout: time.Minute})
	if _, err := s.Find(within(t, 10*time.Second), "id"); err == nil || !strings.Contains(err.Error(), "i/o timeout") {
		t.Errorf("%v, want the URL's read timeout", err)
	}
}

// Credentials are asked for each connection, as it is made.
func TestOpen_AsksForCredentials(t *testing.T) {
	server := redistest.Start(t, "--user", "alice", "on", ">"+secretPassword+"1", "~*", "+@all")
	var mu sync.Mutex
	password, failure := secretPassword+"1", error(nil)
	change := func(to string, err error) {
		mu.Lock()
		defer mu.Unlock()
		password, failure = to, err
	}
	s := open(t, server.URL()+"?conn_lifetime=1ns", redisstore.Options{
		Credentials: func(context.Context) (string, string, error) {
			mu.Lock()
			defer mu.Unlock()
			return "alice", password, failure
		},
	})
	create(t, s, "id", "data")
	server.Do(t, "ACL", "SETUSER", "alice", "resetpass", ">"+secretPassword+"2")
	if _, err := s.Find(t.Context(), "id"); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("with a password that was changed: %v, want WRONGPASS", err)
	}
	change(secretPassword+"2", nil)
	find(t, s, "id")
	change("", errors.New("no token"))
	err := s.Swap(t.Context(), "id", store.Version{}, newRecord(""))
	if err == nil || !strings.Contains(err.Error(), "Options.Credentials: no token") || !errors.Is(err, store.ErrNotApplied) {
		t.Errorf("without credentials: %v, want the reason, and ErrNotApplied", err)
	}
	_, err = redisstore.Open("redis://:"+secretPassword+"@localhost", redisstore.Options{Credentials: func(context.Context) (string, string, error) { return "", "", nil }})
	if err == nil || !strings.Contains(err.Error(), "use one of them") {
		t.Errorf("%v, want an error where there are two passwords", err)
	}
	discreet(t, err)
}

// What the app's own function says is passed on, whatever kind of error that is, and it
// can neither hold up a call nor end the process.
func TestOpen_CredentialsThatFail(t *testing.T) {
	server := redistest.Start(t, "--cluster-enabled", "yes")
	server.Do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	gate := make(chan struct{})
	defer close(gate)
	for name, c := range map[string]struct {
		ask  func() error
		says string
	}{
		"over HTTP": {func() error {
			return fmt.Errorf("fetching the token: %w", &url.Error{Op: "Get", URL: "https://idp.internal/token", Err: errors.New("connection refused")})
		}, "Options.Credentials: fetching the token: Get \"https://idp.internal/token\": connection refused"},
		"a panic": {func() error { panic("a bug of the app") }, "Options.Credentials: it panicked: a bug of the app"},
		"hangs":   {func() error { <-gate; return nil }, "deadline exceeded"},
	} {
		for _, scheme := range []string{"redis", "redis+cluster"} {
			s := open(t, scheme+"://"+server.Addr(), redisstore.Options{
				Credentials: func(context.Context) (string, string, error) { return "", "", c.ask() },
			})
			began := time.Now()
			err := s.Ping(within(t, 300*time.Millisecond))
			s.Close()
			if took := time.Since(began); took > 300*time.Millisecond+slack {
				t.Errorf("%s, %s: a call and Close took %v", name, scheme, took)
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s, %s: %v, want %q", name, scheme, err, c.says)
			}
		}
	}
}

// Operators find an app's connections by their name.
func TestOpen_NamesConnections(t *testing.T) {
	server := redistest.Start(t)
	create(t, open(t, server.URL()+"?client_name=shop:web", noOptions), "id", "data")
	if list := fmt.Sprintf("%s", server.Do(t, "CLIENT", "LIST", "TYPE", "normal")); !strings.Contains(list, "name=shop:web ") {
		t.Errorf("no connection has the name:\n%s", list)
	}
}

func TestOpen_SignsIn(t *testing.T) {
	const password = secretPassword + "/@?#:%&"
	socket := filepath.Join(socketDir(t), "redis.sock")
	server := redistest.Start(t, "--unixsocket", socket,
		"--user", "default", "off",
		"--user", "alice", "on", ">"+password, "~*", "+@all")
	good := url.UserPassword("alice", password).String()
	for _, c := range []struct{ url, says string }{
		{"redis://" + good + "@" + server.Addr() + "/2", ""},
		{"unix://" + good + "@" + socket + "?db=2", ""},
		{"redis://" + server.Addr(), "NOAUTH"},
		{"redis://alice:secret-wrong@" + server.Addr(), "WRONGPASS"},
		{"redis://bob:" + secretPassword + "@" + server.Addr(), "WRONGPASS"},
		{"redis://" + good + "@" + server.Addr() + "/99", "DB index is out of range"},
	} {
		err := open(t, c.url, noOptions).Ping(t.Context())
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.url, err, c.says)
		}
		discreet(t, err)
	}
}

// socketDir is a directory with a short name: a socket's may have about 100 bytes.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestPing_SaysWhatIsWrong(t *testing.T) {
	server := redistest.Start(t)
	addr := server.Addr()
	if err := open(t, server.URL(), noOptions).Ping(t.Context()); err != nil {
		t.Errorf("a server that is up: %v", err)
	}
	server.Stop(t)
	for u, says := range map[string]string{
		"redis://alice:" + secretPassword + "@" + addr:                  "ping at " + addr,
		"unix://:" + secretPassword + "@" + socketDir(t) + "/none.sock": "no such file",
	} {
		err := open(t, u, noOptions).Ping(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
		discreet(t, err)
	}
}

// docs/redis.md has a row for each parameter, and for no other.
func TestOpen_EveryParameterIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| parameter | value |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := map[string]bool{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, name := range strings.Split(cells[1], ",") {
			if name = strings.Trim(name, " `-"); name != "" {
				rows[name] = true
			}
		}
	}
	for _, name := range redisstore.Parameters() {
		if !rows[name] {
			t.Errorf("%s is missing", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("there is no %s", name)
	}
}
