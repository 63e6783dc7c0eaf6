package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"gatehouse/snapshot"
)

var errTLS = errors.New("TLS handshake")

// sessions is how many TLS sessions a target keeps for resumption.
const sessions = 32

// trust makes the TLS configuration of a target whose URL names host. secret
// resolves references; PEM text is taken as it is.
func trust(t snapshot.TLS, host string, http2 bool, secret func(string) (string, error)) (*tls.Config, error) {
	c := &tls.Config{
		ServerName:         host,
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: t.Insecure,
		ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
		NextProtos:         []string{"http/1.1"},
	}
	if http2 {
		c.NextProtos = []string{"h2"}
	}
	if t.ServerName != "" {
		c.ServerName = t.ServerName
	}
	if t.CA != "" {
		pem, err := secret(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, errors.New("tls.ca: there is no certificate in it")
		}
	}
	if t.Cert == "" && t.Key == "" {
		return c, nil
	}
	cert, err := secret(t.Cert)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %w", err)
	}
	key, err := secret(t.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: %w", err)
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return nil, fmt.Errorf("tls.cert and tls.key: %w", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
