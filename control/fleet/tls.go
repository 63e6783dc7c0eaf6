package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"sync"
	"time"

	"gatehouse/link"
)

// serverLife is how long a certificate of the link's server holds; a fresh one
// is made at half of it.
const serverLife = 30 * 24 * time.Hour

// TLSConfig serves the link: whoever asks for [link.ServerName] gets the
// installation's own certificate and may show one of a gateway. All others get
// base, or no connection when base is nil.
func (f *Fleet) TLSConfig(base *tls.Config) *tls.Config {
	s := &linkServer{fleet: f}
	if base == nil {
		base = &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return nil, fmt.Errorf("no certificate for %q: only gateways reach this port by TLS", h.ServerName)
		}}
	}
	out := base.Clone()
	out.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if h.ServerName == link.ServerName {
			return s.config()
		}
		if base.GetConfigForClient != nil {
			return base.GetConfigForClient(h)
		}
		return base, nil
	}
	return out
}

type linkServer struct {
	fleet *Fleet
	mu    sync.Mutex // guards made
	made  *tls.Config
	since time.Time // when it was made
	until time.Time
}

func (s *linkServer) config() (*tls.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.fleet.Now()
	if s.made != nil && now.Before(s.until) && !now.Before(s.since) {
		return s.made, nil
	}
	inst := s.fleet.installation
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: link.ServerName}, DNSNames: []string{link.ServerName},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, inst.authority, &key.PublicKey, inst.caKey)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(inst.authority)
	s.made = &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der, inst.authority.Raw}, PrivateKey: key}},
		NextProtos:   []string{"http/1.1"}, Time: s.fleet.Now,
	}
	s.since, s.until = now, now.Add(serverLife/2)
	return s.made, nil
}

// backdated is how long before they are made certificates are good already: a
// clock that goes a day wrong, or is put right, on either side must not cut gateways
// off from revocations.
const backdated = 48 * time.Hour

// certify signs a gateway's request. Nothing of the request but its key is
// taken over.
func (i *installation) certify(request []byte, gateway, instance string, now time.Time) (*x509.Certificate, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, link.Errorf(400, "certificate request cannot be read: %v", err)
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, link.Errorf(400, "certificate request must be for an ECDSA key on P-256")
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: gateway + "/" + instance, Organization: []string{i.id}},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, i.authority, key, i.caKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
