package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writePair writes a certificate for name, signed by itself, and its key.
func writePair(t *testing.T, p Pair, serial int64, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spec := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, spec, spec, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{p.Cert: {Type: "CERTIFICATE", Bytes: cert}, p.Key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func newPair(t *testing.T, serial int64, name string) Pair {
	dir := t.TempDir()
	p := Pair{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	writePair(t, p, serial, name)
	return p
}

// shown is the serial of the certificate that a caller who asks for name gets.
func shown(t *testing.T, c *Certificates, name string) int64 {
	t.Helper()
	cert, err := c.Get(&tls.ClientHelloInfo{ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf.SerialNumber.Int64()
}

func TestCertificateByName(t *testing.T) {
	c, err := LoadCertificates([]Pair{newPair(t, 1, "a.example.com"), newPair(t, 2, "*.b.example.com")}, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"a.example.com": 1, "x.b.example.com": 2, "elsewhere.example.com": 1, "": 1} {
		if got := shown(t, c, name); got != want {
			t.Errorf("%q: got certificate %d, want %d", name, got, want)
		}
	}
}

// Files that change are read again while Watch runs. What cannot be read, half a
// change among it, leaves what is in use and is reported.
func TestCertificatesAreReadAgain(t *testing.T) {
	p := newPair(t, 1, "a")
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var said []string
		c, err := LoadCertificates([]Pair{p}, func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, fmt.Sprintf(format, args...))
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Watch(ctx, time.Second)
		steps := []struct {
			name   string
			change func()
			want   int64
			says   string
		}{
			{"nothing", func() {}, 1, ""},
			{"both files", func() { writePair(t, p, 22, "a") }, 22, ""},
			{"half of a change", func() { os.WriteFile(p.Key, []byte("not a key at all"), 0o600) }, 22, "stay in use"},
			{"the files gone", func() { os.Remove(p.Cert); os.Remove(p.Key) }, 22, "stay in use"},
			{"both back", func() { writePair(t, p, 333, "a") }, 333, ""},
		}
		for _, s := range steps {
			s.change()
			mu.Lock()
			said = nil
			mu.Unlock()
			time.Sleep(1500 * time.Millisecond) // of the bubble's time
			synctest.Wait()
			if got := shown(t, c, "a"); got != s.want {
				t.Errorf("%s: got certificate %d, want %d", s.name, got, s.want)
			}
			mu.Lock()
			if text := strings.Join(said, "\n"); !strings.Contains(text, s.says) || (s.says == "") != (text == "") {
				t.Errorf("%s: said %q, want %q", s.name, text, s.says)
			}
			mu.Unlock()
		}
	})
}

func TestCertificatesRefused(t *testing.T) {
	if _, err := LoadCertificates(nil, t.Logf); err == nil {
		t.Error("no pair was taken")
	}
	a, b := newPair(t, 1, "a"), newPair(t, 2, "b")
	if _, err := LoadCertificates([]Pair{{Cert: a.Cert, Key: b.Key}}, t.Logf); err == nil || !strings.Contains(err.Error(), b.Key) {
		t.Errorf("a key of another certificate: got %v, want an error that names it", err)
	}
}
