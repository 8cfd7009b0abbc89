package redisstore_test

import (
	"crypto/tls"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store/redisstore"
)

// A real server that admits nobody without a certificate of its authority.
func TestTLS_ClientCertificates(t *testing.T) {
	server := redistest.StartTLS(t, true)
	files := func(names ...string) string {
		q := url.Values{}
		for _, name := range names {
			q.Set(name, map[string]string{
				"tls_ca": server.CAFile(), "tls_cert": server.CertFile(), "tls_key": server.KeyFile(),
			}[name])
		}
		return "rediss://" + server.Addr() + "?" + q.Encode()
	}
	create(t, open(t, files("tls_ca", "tls_cert", "tls_key"), noOptions), "id", "data")

	pair, err := tls.LoadX509KeyPair(server.CertFile(), server.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	options := redisstore.Options{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}}
	if got := find(t, open(t, files("tls_ca"), options), "id"); string(got.Data) != "data" {
		t.Errorf("data %q", got.Data)
	}
	if options.TLS.RootCAs != nil {
		t.Error("the caller's configuration was changed")
	}
	// What the server's refusal looks like here depends on what comes first, its word
	// or the end of the connection (TLS 1.3 refuses after the handshake).
	if err := open(t, files("tls_ca"), noOptions).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), server.Addr()) {
		t.Errorf("without a certificate: %v, want an error that names the server", err)
	}
	if err := open(t, files("tls_cert", "tls_key"), noOptions).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("%v, want an error that says whom it does not trust", err)
	}
	// A file of the wrong kind is an error at once.
	if _, err := redisstore.Open("rediss://h?tls_ca="+url.QueryEscape(server.KeyFile()), noOptions); err == nil || !strings.Contains(err.Error(), "without a PEM certificate") {
		t.Errorf("%v, want an error that says what the file lacks", err)
	}
}

// A client certificate expires, and is replaced in its files while the app runs. A
// file that is half written is no reason to connect without.
func TestTLS_ClientCertificatesAreReadAgain(t *testing.T) {
	server, stranger := redistest.StartTLS(t, true), redistest.StartTLS(t, false)
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	replace := func(path, by string) {
		t.Helper()
		b, err := os.ReadFile(by)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replace(cert, server.CertFile())
	replace(key, server.KeyFile())
	// Each call has a connection of its own.
	s := open(t, "rediss://"+server.Addr()+"?conn_lifetime=1ns&"+url.Values{
		"tls_ca": {server.CAFile()}, "tls_cert": {cert}, "tls_key": {key},
	}.Encode(), noOptions)
	create(t, s, "id", "data")
	replace(key, stranger.KeyFile()) // which does not match
	find(t, s, "id")
	replace(cert, stranger.CertFile())
	if err := s.Ping(t.Context()); err == nil {
		t.Error("with a certificate of another authority: no error")
	}
	replace(cert, server.CertFile())
	replace(key, server.KeyFile())
	find(t, s, "id")
}

// Whom a certificate has to be for can be another name than that which is connected to,
// as where sentinels name servers by their addresses.
func TestTLS_ServerName(t *testing.T) {
	server := redistest.StartTLS(t, false)
	for name, works := range map[string]bool{"localhost": true, "elsewhere": false} {
		err := open(t, "rediss://"+server.Addr()+"?tls_server_name="+name+"&tls_ca="+url.QueryEscape(server.CAFile()), noOptions).Ping(t.Context())
		var untrusted *tls.CertificateVerificationError
		if works && err != nil || !works && !errors.As(err, &untrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cluster of one node, which knows its own port and not its own host.
func TestTLS_Cluster(t *testing.T) {
	server := redistest.StartTLS(t, true, "--cluster-enabled", "yes", "--tls-cluster", "yes")
	server.Do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	s := open(t, "rediss+cluster://"+server.Addr()+"?"+url.Values{
		"tls_ca": {server.CAFile()}, "tls_cert": {server.CertFile()}, "tls_key": {server.KeyFile()},
	}.Encode(), noOptions)
	writeAgain(t, s, "id", "data") // it takes writes after two seconds
	if got := find(t, s, "id"); string(got.Data) != "data" {
		t.Errorf("data %q", got.Data)
	}
}
