package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

var errTLSUnused = errors.New("redisstore: Options.TLS and the URL's tls parameters need a URL that begins with rediss")

// tlsFiles are PEM files that a URL names.
type tlsFiles struct {
	ca, cert, key string
}

// load reads the files into config.
func (f tlsFiles) load(config *tls.Config) error {
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
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return fmt.Errorf("redisstore: the URL's parameters tls_cert and tls_key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return nil
}
