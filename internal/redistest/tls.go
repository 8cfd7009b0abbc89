package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TLSServer is a server that speaks nothing but TLS. Its files end with it.
type TLSServer struct {
	*Server
}

// StartTLS starts a server for this test alone that speaks TLS, with args
// appended to redis-server's command line, and ends it with the test. It admits
// only clients with a certificate of its authority if clientCerts is set. See
// [Shared] for where there is none.
//
// Its certificate is for 127.0.0.1 and localhost, from an authority made for it.
func StartTLS(t testing.TB, clientCerts bool, args ...string) *TLSServer {
	t.Helper()
	s, err := newServer(args)
	need(t, err)
	t.Cleanup(s.close)
	server := &TLSServer{s}
	if err := server.writeCertificates(); err != nil {
		t.Fatalf("redistest: %v", err)
	}
	authClients := "no"
	if clientCerts {
		authClients = "yes"
	}
	s.listen = func(port int) []string {
		return []string{
			"--port", "0",
			"--tls-port", strconv.Itoa(port),
			"--tls-cert-file", server.file("server.pem"),
			"--tls-key-file", server.file("server.key"),
			"--tls-ca-cert-file", server.CAFile(),
			"--tls-auth-clients", authClients,
		}
	}
	need(t, s.start())
	return server
}

// CAFile returns the path of the authority's certificate, in PEM.
func (s *TLSServer) CAFile() string { return s.file("ca.pem") }

// CertFile returns the path of a client's certificate, in PEM.
func (s *TLSServer) CertFile() string { return s.file("client.pem") }

// KeyFile returns the path of the key to CertFile, in PEM.
func (s *TLSServer) KeyFile() string { return s.file("client.key") }

func (s *TLSServer) file(name string) string { return filepath.Join(s.dir, name) }

// writeCertificates makes an authority and has it sign for the server and a
// client.
func (s *TLSServer) writeCertificates() error {
	ca := certificate("redistest CA")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caKey, err := s.write("ca", ca, ca, nil)
	if err != nil {
		return err
	}
	server := certificate("redistest server")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.DNSNames, server.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	if _, err := s.write("server", server, ca, caKey); err != nil {
		return err
	}
	client := certificate("redistest client")
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := s.write("client", client, ca, caKey); err != nil {
		return err
	}

	authority, err := os.ReadFile(s.CAFile())
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(s.CertFile(), s.KeyFile())
	if err != nil {
		return err
	}
	s.tls = &tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{pair}}
	s.tls.RootCAs.AppendCertsFromPEM(authority)
	return nil
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte(rand.Text())[:16]),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// write makes a key, has the parent sign a certificate for it, or itself if
// parentKey is nil, and writes both to name.pem and name.key.
func (s *TLSServer) write(name string, cert, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if parentKey == nil {
		parentKey = key
	}
	signed, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(s.file(name+".pem"), "CERTIFICATE", signed); err != nil {
		return nil, err
	}
	return key, writePEM(s.file(name+".key"), "PRIVATE KEY", secret)
}

func writePEM(path, kind string, data []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}
