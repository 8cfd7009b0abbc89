package redistest_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
)

// pingTLS sends PING with what a client has on disk: the authority, and its own
// certificate if it is to show one.
func pingTLS(t *testing.T, s *redistest.TLSServer, addr string, withCert bool) error {
	t.Helper()
	authority, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(authority) {
		t.Fatal("the authority's file has no certificate")
	}
	if withCert {
		pair, err := tls.LoadX509KeyPair(s.CertFile(), s.KeyFile())
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	conn, err := redis.Dial("tcp", addr, redis.DialUseTLS(true), redis.DialTLSConfig(config))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Do("PING")
	return err
}

func TestTLS_AdmitsClients(t *testing.T) {
	for _, test := range []struct {
		name                  string
		clientCerts, withCert bool
		admitted              bool
	}{
		{"no certificate asked for, none shown", false, false, true},
		{"no certificate asked for, one shown", false, true, true},
		{"certificate asked for, none shown", true, false, false},
		{"certificate asked for and shown", true, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.StartTLS(t, test.clientCerts)
			if err := pingTLS(t, s, s.Addr(), test.withCert); (err == nil) != test.admitted {
				t.Errorf("admitted: %v, want %v (%v)", err == nil, test.admitted, err)
			}
		})
	}
}

func TestTLS_IsAllThatIsSpoken(t *testing.T) {
	s := redistest.StartTLS(t, true, "--requirepass", "open-sesame")
	if want := "rediss://" + s.Addr(); s.URL() != want {
		t.Errorf("URL is %s, want %s", s.URL(), want)
	}
	conn, err := redis.Dial("tcp", s.Addr())
	if err == nil {
		defer conn.Close()
		if _, err = conn.Do("PING"); err == nil {
			t.Error("the server answers without TLS")
		}
	}
	localhost := strings.Replace(s.Addr(), "127.0.0.1", "localhost", 1)
	if err := pingTLS(t, s, localhost, true); err == nil || !strings.HasPrefix(err.Error(), "NOAUTH ") {
		t.Errorf("PING to localhost without a password: %v, want NOAUTH", err)
	}
	s.Kill(t)
	s.Restart(t)
	s.Do(t, "PING")
}
