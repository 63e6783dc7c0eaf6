package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"
)

func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spec := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(rand.Reader, spec, spec, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Where the name of the handshake chose a certificate, a request for another host
// is misdirected. Where there is one certificate, any host may be asked for.
func TestMisdirected(t *testing.T) {
	w := standard(t)
	a, b := certificate(t, "a.example.com"), certificate(t, "b.example.com")
	tests := []struct {
		name         string
		certificates []tls.Certificate
		sni, host    string
		want         int
	}{
		{"the same host", []tls.Certificate{a, b}, "b.example.com", "b.example.com", 200},
		{"with a port, in capitals", []tls.Certificate{a, b}, "b.example.com", "B.Example.com:8443", 200},
		{"the other's host", []tls.Certificate{a, b}, "a.example.com", "b.example.com", 421},
		{"no name in the handshake", []tls.Certificate{a, b}, "", "b.example.com", 200},
		{"one certificate", []tls.Certificate{a}, "a.example.com", "b.example.com", 200},
	}
	for _, tt := range tests {
		for _, two := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go w.g.Serve(l, TLS{Base: &tls.Config{Certificates: tt.certificates}})
			var p http.Protocols
			p.SetHTTP1(!two)
			p.SetHTTP2(two)
			client := &http.Client{Transport: &http.Transport{Protocols: &p,
				TLSClientConfig: &tls.Config{ServerName: tt.sni, InsecureSkipVerify: true}}}
			r, err := http.NewRequest("GET", "https://"+l.Addr().String()+"/open/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = tt.host
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text := readAll(resp.Body)
			resp.Body.Close()
			client.CloseIdleConnections()
			l.Close()
			if resp.StatusCode != tt.want || tt.want == 421 && (reply{resp, text}).problem() != "misdirected" {
				t.Errorf("%s over %s: got %d %s, want %d", tt.name, resp.Proto, resp.StatusCode, text, tt.want)
			}
		}
	}
}
