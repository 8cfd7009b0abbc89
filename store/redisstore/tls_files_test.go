package redisstore_test

import (
	"crypto/tls"
	"net/url"
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
