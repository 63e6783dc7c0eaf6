package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// http2Server serves HTTP/2 alone: h2c on plain connections.
func http2Server(t *testing.T, secure bool, h http.HandlerFunc) (*httptest.Server, snapshot.TLS) {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = discard()
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP2(secure)
	s.Config.Protocols.SetUnencryptedHTTP2(!secure)
	trust := snapshot.TLS{}
	if secure {
		s.EnableHTTP2 = true
		s.StartTLS()
		trust.CA = authority(s)
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, trust
}

func TestHTTP2(t *testing.T) {
	for _, secure := range []bool{true, false} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			s, trust := http2Server(t, secure, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Trailer", "Grpc-Status")
				fmt.Fprintf(w, "%s %s %s %s te=%s ua=%s %d", r.Proto, r.Method, r.Host, r.RequestURI, r.Header.Get("Te"), r.UserAgent(), len(body))
				w.Header().Set("Grpc-Status", "0")
			})
			b := acquire(t, Options{}, snapshot.Backend{HTTP2: true, TLS: trust, PassHost: true}, s.URL+"/base")
			for _, length := range []int64{5, -1, 100_000} {
				x := withBody(exchange("POST", "/orders%7C/a%2Fb"), zeros(max(length, 5)), length)
				x.Query = "a=%20|"
				x.Header.Add("content-type", "application/grpc+proto")
				x.Header.Add("Connection", "close")
				got := do(b, x)
				want := fmt.Sprintf("HTTP/2.0 POST api.example.org /base/orders%%7C/a%%2Fb?a=%%20| te=trailers ua= %d", max(length, 5))
				if got.Status != 200 || got.Body != want {
					t.Errorf("got %+v\nwant %q", got, want)
				}
				if got.trailer.Get("grpc-status") != "0" {
					t.Errorf("got trailer %v", got.trailer)
				}
			}
			if n := b.members[0].pool.load(); n != 0 {
				t.Errorf("%d places are still taken", n)
			}
		})
	}
}

func TestHTTP2Faults(t *testing.T) {
	s, _ := http2Server(t, false, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/silent":
			<-r.Context().Done()
		case "/torn":
			w.Header().Set("Content-Length", "9")
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/stands":
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	tests := []struct {
		url, path, want string
	}{
		{s.URL, "/silent", "504  http_response_timeout"},
		{s.URL, "/torn", "200 half http_response_incomplete"},
		{s.URL, "/stands", "200 half connection_read_timeout"},
		{s.URL, "//twice", "502  proxy_internal_error"},
		{refusing(t), "/", "502  connection_refused"},
		{answering(t, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "/", "502  "},
		{s.URL, "/abort", "502  "},
	}
	for _, tt := range tests {
		b := acquire(t, Options{BodyIdle: 100 * time.Millisecond}, snapshot.Backend{HTTP2: true, Timeout: jsonx.Duration(200 * time.Millisecond)}, tt.url)
		r := do(b, exchange("GET", tt.path))
		if got := fmt.Sprint(r.Status, " ", r.Body, " ", r.Failure+r.Torn); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
		if n := b.members[0].pool.load(); n != 0 {
			t.Errorf("%s: %d places are still taken", tt.path, n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := acquire(t, Options{}, snapshot.Backend{HTTP2: true}, s.URL)
	if _, f := b.Do(ctx, exchange("GET", "/silent")); f == nil || f.held() {
		t.Errorf("a caller that left: got %v", f)
	}
}

func TestHTTP2HealthCheck(t *testing.T) {
	asked := make(chan string, 9)
	s, _ := http2Server(t, false, func(w http.ResponseWriter, r *http.Request) { asked <- r.Proto })
	b := acquire(t, Options{}, snapshot.Backend{HTTP2: true, Health: snapshot.Health{Path: "/h", Interval: jsonx.Duration(time.Millisecond)}}, s.URL)
	if got := <-asked; got != "HTTP/2.0" || !b.members[0].check.up() {
		t.Errorf("asked over %s", got)
	}
}
