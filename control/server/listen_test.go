package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
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

// A short listener is out of descriptors for a while.
type short struct {
	net.Listener
	fails atomic.Int64
}

func (s *short) Accept() (net.Conn, error) {
	if s.fails.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return s.Listener.Accept()
}

// TestNoDescriptorsForAWhile holds that the management API takes connections again
// once there are descriptors: it was gone until a restart.
func TestNoDescriptorsForAWhile(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &short{Listener: l}
	out.fails.Store(3)
	srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go srv.Serve(&Either{Listener: out, Plain: true})
	defer srv.Close()
	c := &http.Client{Timeout: 10 * time.Second}
	defer c.CloseIdleConnections()
	resp, err := c.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// TestCallersWhoTakeNothing holds that a connection whose caller reads nothing of
// its answer ends, and gives its place to the next.
func TestCallersWhoTakeNothing(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			large := bytes.Repeat([]byte("x"), 32<<20) // more than the system keeps for a caller
			ended := make(chan error, 1)
			srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/large" {
					_, err := w.Write(large)
					ended <- err
				}
			})}
			e := &Either{Listener: l, TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}, Plain: true, MaxConnections: 1, WriteTime: 50 * time.Millisecond}
			go srv.Serve(e)
			defer srv.Close()

			var idle net.Conn
			if scheme == "http" {
				idle, err = net.Dial("tcp", l.Addr().String())
			} else {
				idle, err = tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
			}
			if err == nil {
				_, err = io.WriteString(idle, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("writing to who takes nothing ended with %v", err)
			}
			c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 10 * time.Second}
			defer c.CloseIdleConnections()
			for try := range 100 { // its place is free once the server has closed it
				resp, err := c.Get(scheme + "://" + l.Addr().String())
				if err == nil {
					resp.Body.Close()
					return
				}
				if try == 99 {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Millisecond)
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
