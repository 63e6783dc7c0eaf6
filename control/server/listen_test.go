package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestOnePortTakesTLSAndPlain(t *testing.T) {
	tests := []struct {
		name   string
		plain  bool
		scheme string
		want   string
	}{
		{"TLS where plain is allowed", true, "https", "200 tls=true"},
		{"plain where it is allowed", true, "http", "200 tls=false"},
		{"TLS where plain is not", false, "https", "200 tls=true"},
		{"plain where it is not", false, "http", "400 this port speaks HTTPS\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "tls=%v", r.TLS != nil) })}
			go srv.Serve(&Either{Listener: l, TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}, Plain: tt.plain})
			defer srv.Close()

			c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 10 * time.Second}
			defer c.CloseIdleConnections()
			resp, err := c.Get(tt.scheme + "://" + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%d %s", resp.StatusCode, body); got != tt.want {
				t.Errorf("%s, plain allowed %v: got %q, want %q", tt.scheme, tt.plain, got, tt.want)
			}
		})
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
