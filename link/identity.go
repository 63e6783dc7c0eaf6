package link

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// An Identity is what an instance is after it joined: its certificate and key,
// whom it trusts, and whose signature makes a manifest good.
type Identity struct {
	Welcome
	Key []byte `json:"key"` // ECDSA P-256, PKCS #8 in DER; never leaves the machine
	// JoinedWith is the public id of the token it joined with, so that the
	// same token found again at the next start is not tried again.
	JoinedWith string `json:"joinedWith,omitempty"`

	leaf *x509.Certificate
	key  crypto.Signer
}

// identityFile holds an Identity, mode 0600.
const identityFile = "identity.json"

// LoadIdentity reads the identity kept in dir; an error that is
// [os.ErrNotExist] when the instance has not joined.
func LoadIdentity(dir string) (*Identity, error) {
	data, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		return nil, err
	}
	id := new(Identity)
	if err := json.Unmarshal(data, id); err != nil {
		return nil, fmt.Errorf("reading identity in %q: %w", dir, err)
	}
	if err := id.parse(); err != nil {
		return nil, fmt.Errorf("reading identity in %q: %w", dir, err)
	}
	return id, nil
}

// Save keeps the identity in dir.
func (id *Identity) Save(dir string) error {
	data, err := json.Marshal(id)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return writeFile(dir, identityFile, data)
}

func (id *Identity) parse() error {
	key, err := x509.ParsePKCS8PrivateKey(id.Key)
	if err != nil {
		return errors.New("private key cannot be read")
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return errors.New("private key is not an ECDSA key")
	}
	leaf, err := x509.ParseCertificate(id.Certificate)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if !signer.PublicKey.Equal(leaf.PublicKey) {
		return errors.New("certificate is for another key")
	}
	if _, err := x509.ParseCertificate(id.Authority); err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	for name, k := range id.Keys {
		if len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("signing key %q has %d bytes", name, len(k))
		}
	}
	id.leaf, id.key = leaf, signer
	return nil
}

// Expires is when the certificate ends.
func (id *Identity) Expires() time.Time { return id.leaf.NotAfter }

// RenewAt is when two thirds of its life are over.
func (id *Identity) RenewAt() time.Time {
	return id.leaf.NotBefore.Add(id.leaf.NotAfter.Sub(id.leaf.NotBefore) * 2 / 3)
}

// Client is the TLS configuration to reach the control plane with.
func (id *Identity) Client() *tls.Config {
	c := pinned(sha256.Sum256(id.Authority))
	c.Certificates = []tls.Certificate{{Certificate: [][]byte{id.Certificate}, PrivateKey: id.key, Leaf: id.leaf}}
	return c
}

// pinned trusts one authority, known by its fingerprint, and in its name only
// the link's server.
func pinned(authority [sha256.Size]byte) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: ServerName,
		// The checks below stand in for the system's roots, which know
		// nothing of the installation's authority.
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			for _, cert := range c.PeerCertificates {
				sum := sha256.Sum256(cert.Raw)
				if !bytes.Equal(sum[:], authority[:]) {
					continue
				}
				roots := x509.NewCertPool()
				roots.AddCert(cert)
				_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: ServerName, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
				return err
			}
			return errors.New("the server is not the control plane that this gateway joined: its certificate has another authority")
		},
	}
}

// newRequest makes a fresh key and a certificate request for it.
func newRequest() (key, request []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if key, err = x509.MarshalPKCS8PrivateKey(k); err != nil {
		return nil, nil, err
	}
	request, err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "gatehouse"}}, k)
	return key, request, err
}
