package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

var errTLSUnused = errors.New("redisstore: Options.TLS and the URL's tls parameters need a URL that begins with rediss")

// tlsParameters are what a URL says of TLS: names of PEM files, and of the server.
type tlsParameters struct {
	ca, cert, key string
	serverName    string
}

// apply changes config to what they say.
func (f tlsParameters) apply(config *tls.Config) error {
	if f.serverName != "" {
		config.ServerName = f.serverName
	}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return fmt.Errorf("redisstore: the URL's parameter tls_ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return errors.New("redisstore: the URL's parameter tls_ca names a file without a PEM certificate")
		}
	}
	if (f.cert == "") != (f.key == "") {
		return errors.New("redisstore: a client certificate needs both of the URL's parameters tls_cert and tls_key")
	}
	if f.cert != "" {
		pair := &clientCertificate{cert: f.cert, key: f.key}
		if err := pair.read(); err != nil {
			return fmt.Errorf("redisstore: the URL's parameters tls_cert and tls_key: %w", err)
		}
		config.GetClientCertificate = pair.get
	}
	return nil
}

// A clientCertificate is read from its files whenever it is needed, since it expires
// and is replaced there while the app runs.
type clientCertificate struct {
	cert, key string
	last      atomic.Pointer[tls.Certificate] // that could be read
}

func (c *clientCertificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		c.last.Store(&pair)
	}
	return err
}

func (c *clientCertificate) get(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	_ = c.read() // half-way through a replacement the two don't match; then the last one is as good
	return c.last.Load(), nil
}
