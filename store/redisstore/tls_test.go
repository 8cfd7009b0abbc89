package redisstore_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store/redisstore"
)

// startTLS puts a server that speaks TLS in front of the one at target. It
// returns its address and whom a client has to trust.
func startTLS(t *testing.T, target string) (addr string, roots *x509.CertPool) {
	t.Helper()
	// Its certificate, for 127.0.0.1, is all that is wanted of it.
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	roots = x509.NewCertPool()
	roots.AddCert(web.Certificate())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			go func() { io.Copy(server, client); server.Close() }()
			go func() { io.Copy(client, server); client.Close() }()
		}
	}()
	return listener.Addr().String(), roots
}

func TestTLS_IsSpokenAndVerified(t *testing.T) {
	addr, roots := startTLS(t, redistest.Shared(t).Addr())
	config := &tls.Config{RootCAs: roots}
	s := open(t, "rediss://"+addr, redisstore.Options{Prefix: redistest.Prefix(t), TLS: config})
	create(t, s, "id", strings.Repeat("data", 100_000))
	if got := find(t, s, "id"); len(got.Data) != 400_000 {
		t.Errorf("%d bytes, want 400000", len(got.Data))
	}
	if config.ServerName != "" {
		t.Error("the caller's configuration was changed")
	}
	_, port, _ := net.SplitHostPort(addr)
	for name, s := range map[string]*redisstore.Store{
		"unknown authority": open(t, "rediss://:"+secretPassword+"@"+addr, noOptions),
		"another name":      open(t, "rediss://:"+secretPassword+"@localhost:"+port, redisstore.Options{TLS: config}),
	} {
		err := s.Ping(t.Context())
		var untrusted *tls.CertificateVerificationError
		if !errors.As(err, &untrusted) {
			t.Errorf("%s: %v, want a certificate error", name, err)
		}
		discreet(t, err)
	}
}

// Somebody accepts the connection and never says a word of TLS.
func TestTLS_HandshakeKeepsTheDeadline(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	url := "rediss://:" + secretPassword + "@" + listener.Addr().String()
	for name, s := range map[string]*redisstore.Store{
		"context": open(t, url, noOptions),
		"option":  open(t, url+"?dial_timeout=100ms", noOptions),
	} {
		ctx := t.Context()
		if name == "context" {
			ctx = within(t, 100*time.Millisecond)
		}
		start := time.Now()
		err := s.Ping(ctx)
		if took := time.Since(start); took > 100*time.Millisecond+slack {
			t.Errorf("%s: returned after %v", name, took)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want DeadlineExceeded", name, err)
		}
		discreet(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- open(t, url, noOptions).Ping(ctx) }()
	for range 3 { // the last of them is this one's
		if _, err := listener.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
}

// Both the sentinels and the server that they name speak TLS.
func TestTLS_Sentinel(t *testing.T) {
	g := redistest.StartSentinel(t, 1, 0)
	sentinel, _ := startTLS(t, g.Sentinels()[0].Addr())
	master, roots := startTLS(t, g.Nodes()[0].Addr())
	host, port, _ := net.SplitHostPort(master)
	g.Sentinels()[0].Do(t, "SENTINEL", "MONITOR", "secure", host, port, 1)
	s := open(t, "rediss+sentinel://"+sentinel+"/secure", redisstore.Options{TLS: &tls.Config{RootCAs: roots}})
	create(t, s, "id", "data")
	if got := find(t, s, "id"); string(got.Data) != "data" {
		t.Errorf("data %q", got.Data)
	}
	var untrusted *tls.CertificateVerificationError
	if err := open(t, "rediss+sentinel://"+sentinel+"/secure", noOptions).Ping(t.Context()); !errors.As(err, &untrusted) {
		t.Errorf("a sentinel of an unknown authority: %v, want a certificate error", err)
	}
}
