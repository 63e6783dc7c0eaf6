package upstream

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

func TestGuard(t *testing.T) {
	check := guard(func(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.1") })
	tests := []struct {
		address string
		refused bool
	}{
		{"127.0.0.1:80", false},
		{"10.0.0.1:80", false},
		{"[::1]:80", false},
		{"[fd00::1]:80", false},
		{"192.0.2.1:80", true}, // by deny
		{"169.254.169.254:80", true},
		{"169.254.0.1:443", true},
		{"[::ffff:169.254.169.254]:80", true},
		{"[64:ff9b::a9fe:a9fe]:80", true},
		{"[fe80::1%eth0]:80", true},
		{"[fe80::1]:80", true},
		{"[fd00:ec2::254]:80", true},
		{"100.100.100.200:80", true},
		{"168.63.129.16:80", true},
		{"0.0.0.0:80", true},
		{"[::]:80", true},
		{"224.0.0.1:80", true},
		{"not an address", true},
	}
	for _, tt := range tests {
		if err := check("tcp", tt.address, nil); (err != nil) != tt.refused {
			t.Errorf("%s: got %v, want refused %v", tt.address, err, tt.refused)
		}
	}
}

func TestUnreachable(t *testing.T) {
	tests := []struct {
		name, url string
		status    int
		kind      string
	}{
		{"refused", refusing(t), 502, ConnectionRefused},
		{"metadata service", "http://169.254.169.254", 502, DestinationProhibited},
		{"plain text where TLS is spoken", strings.Replace(answering(t, "HTTP/1.1 400 Bad\r\n\r\n"), "http:", "https:", 1), 502, TLSProtocolError},
	}
	for _, tt := range tests {
		b := acquire(t, Options{}, snapshot.Backend{}, tt.url)
		if got := do(b, exchange("GET", "/")); got.Status != tt.status || got.Failure != tt.kind {
			t.Errorf("%s: got %+v, want %d %s", tt.name, got, tt.status, tt.kind)
		}
	}
}

// A black hole takes the SYN and never answers; a full accept queue on
// loopback is one.
func TestBlackHole(t *testing.T) {
	silent := raw(t, func(p *peer) { p.wait() })
	b := acquire(t, Options{}, snapshot.Backend{Connect: jsonx.Duration(30 * time.Millisecond)}, strings.Replace(silent, "http:", "https:", 1))
	if got := do(b, exchange("GET", "/")); got.Status != 504 || got.Failure != ConnectionTimeout {
		t.Errorf("a handshake that is not answered: got %+v, want 504 connection_timeout", got)
	}
	_, f := b.members[0].target.dial(context.Background(), time.Nanosecond)
	if f == nil || f.Type != ConnectionTimeout {
		t.Errorf("a connection that takes too long: got %v, want connection_timeout", f)
	}
}

func TestDialFailures(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&net.DNSError{IsNotFound: true}, DNSError},
		{&net.DNSError{IsTimeout: true}, DNSTimeout},
		{errors.Join(errTLS, tls.AlertError(40)), TLSAlertReceived},
		{io.EOF, "connection_terminated"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, "proxy_internal_error"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}, "proxy_internal_error"},
	}
	for _, tt := range tests {
		if got := dialFailure(t.Context(), tt.err).Type; got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}

// TestOwnShortage holds that no target is left out, by requests or by its health
// path, for what the gateway itself has none left of.
func TestOwnShortage(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	b := acquire(t, Options{}, snapshot.Backend{}, s.URL)
	target := b.members[0].target
	c := newCheck("", target, snapshot.Health{Path: "/"}, func(string, ...any) {})
	allowing := target.dialer.Control
	target.dialer.Control = func(string, string, syscall.RawConn) error { return os.NewSyscallError("socket", syscall.EMFILE) }
	for range 2 * defaultUnhealthy {
		if got := do(b, exchange("GET", "/")); got.Status != 503 || got.Failure != "proxy_internal_error" {
			t.Fatalf("without descriptors: got %+v, want 503 proxy_internal_error", got)
		}
		if reason, told := c.ask(t.Context()); told {
			t.Fatalf("without descriptors the health path is said to be %q", reason)
		}
	}
	if !target.healthy(time.Now()) {
		t.Error("the target is left out")
	}
	target.dialer.Control = allowing
	if got := do(b, exchange("GET", "/")); got.Status != 200 {
		t.Errorf("with descriptors again: got %+v", got)
	}
}

func authority(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto+" "+r.TLS.ServerName)
	}))
	s.Config.ErrorLog = discard()
	s.StartTLS()
	defer s.Close()
	ca := authority(s)
	tests := []struct {
		name  string
		trust snapshot.TLS
		want  string
	}{
		{"unknown authority", snapshot.TLS{}, TLSCertificateError},
		{"trusted", snapshot.TLS{CA: ca}, "HTTP/1.1 "},
		{"by reference", snapshot.TLS{CA: "${file:ca.pem}"}, "HTTP/1.1 "},
		{"another name", snapshot.TLS{CA: ca, ServerName: "other.example.net"}, TLSCertificateError},
		{"its name", snapshot.TLS{CA: ca, ServerName: "example.com"}, "HTTP/1.1 example.com"},
		{"insecure", snapshot.TLS{Insecure: true}, "HTTP/1.1 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret := func(ref string) (string, error) {
				if ref == "${file:ca.pem}" {
					return ca, nil
				}
				return ref, nil
			}
			b := acquire(t, Options{Secret: secret}, snapshot.Backend{TLS: tt.trust}, s.URL)
			for range 3 {
				r := do(b, exchange("GET", "/"))
				if got := r.Body + r.Failure; got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
			if n := len(b.members[0].pool.idle); n != 1 && strings.HasPrefix(tt.want, "HTTP") {
				t.Errorf("%d connections are kept, want 1", n)
			}
		})
	}
}

func TestClientCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200 + len(r.TLS.PeerCertificates))
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = discard()
	s.StartTLS()
	defer s.Close()
	cert, key := selfSigned(t)
	b := acquire(t, Options{}, snapshot.Backend{TLS: snapshot.TLS{CA: authority(s), Cert: cert, Key: key}}, s.URL)
	if got := do(b, exchange("GET", "/")); got.Status != 201 {
		t.Errorf("got %+v, want 201: one certificate seen", got)
	}
}

func TestBackendThatCannotBeMade(t *testing.T) {
	tests := []struct {
		name string
		spec snapshot.Backend
		url  []string
		want string
	}{
		{"no target", snapshot.Backend{}, nil, "no target"},
		{"scheme", snapshot.Backend{}, []string{"ftp://a"}, `target "ftp://a" is neither http nor https`},
		{"no host", snapshot.Backend{}, []string{"/a"}, `target "/a" is not a URL`},
		{"authority without certificate", snapshot.Backend{TLS: snapshot.TLS{CA: "x"}}, []string{"https://a"}, "tls.ca: there is no certificate"},
		{"unresolved reference", snapshot.Backend{TLS: snapshot.TLS{CA: "${file:x}"}}, []string{"https://a"}, "tls.ca: references cannot"},
		{"broken pair", snapshot.Backend{TLS: snapshot.TLS{Cert: "x", Key: "y"}}, []string{"https://a"}, "tls.cert and tls.key"},
	}
	for _, tt := range tests {
		for _, u := range tt.url {
			tt.spec.Targets = append(tt.spec.Targets, snapshot.Target{URL: u})
		}
		b := NewSet(Options{}).Acquire(tt.spec)
		if b.Err() == nil || !strings.Contains(b.Err().Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, b.Err(), tt.want)
		}
		if got := do(b, exchange("GET", "/")); got.Status != 502 || got.Failure != ConfigurationError {
			t.Errorf("%s: got %+v, want 502 proxy_configuration_error", tt.name, got)
		}
		b.Release()
	}
}
