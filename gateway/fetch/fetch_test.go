package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s, &tls.Config{RootCAs: pool}
}

func TestFetch(t *testing.T) {
	release := make(chan struct{})
	s, trust := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/keys":
			w.Header().Set("Cache-Control", "max-age=60")
			fmt.Fprint(w, `{"keys":[]}`)
		case "/redirect":
			http.Redirect(w, r, "/keys", http.StatusFound)
		case "/large":
			w.Write(make([]byte, 101))
		case "/streamed":
			for range 101 {
				w.Write([]byte{'x'})
				w.(http.Flusher).Flush()
			}
		case "/hang":
			select {
			case <-r.Context().Done():
			case <-release:
			}
		case "/drip":
			for r.Context().Err() == nil {
				w.Write([]byte{'x'})
				w.(http.Flusher).Flush()
				select {
				case <-release:
				case <-time.After(10 * time.Millisecond):
				}
			}
		default:
			http.Error(w, "no", http.StatusInternalServerError)
		}
	})
	defer close(release)
	get := New(Options{MaxBytes: 100, Timeout: 300 * time.Millisecond, Allow: loopback, TLS: trust})
	body, header, err := get(t.Context(), s.URL+"/keys")
	if err != nil || string(body) != `{"keys":[]}` || header("Cache-Control") != "max-age=60" {
		t.Fatalf("got %q, %v", body, err)
	}
	for path, want := range map[string]string{
		"/redirect": "the answer is 302, not 200",
		"/large":    "101 bytes are more than 100",
		"/streamed": "the document is larger than 100 bytes",
		"/broken":   "the answer is 500, not 200",
		"/hang":     "deadline exceeded",
		"/drip":     "", // by size or by time, whichever comes first
	} {
		if _, _, err := get(t.Context(), s.URL+path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	if _, _, err := New(Options{TLS: trust})(t.Context(), s.URL+"/keys"); err == nil {
		t.Error("loopback without leave: fetched")
	} else if _, ok := errors.AsType[*outbound.Refused](err); !ok {
		t.Errorf("loopback without leave: got %v, want it refused", err)
	}
	if _, _, err := New(Options{Allow: loopback})(t.Context(), s.URL+"/keys"); err == nil {
		t.Error("a server that nobody trusts: fetched")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := get(ctx, s.URL+"/keys"); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: got %v", err)
	}
}

func TestPlainOnlyOnLoopback(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "{}") }))
	defer s.Close()
	if _, _, err := New(Options{Allow: loopback})(t.Context(), s.URL); err == nil {
		t.Error("http without leave: fetched")
	}
	if _, _, err := New(Options{Allow: loopback, PlainLoopback: true})(t.Context(), s.URL); err != nil {
		t.Errorf("http on loopback with leave: %v", err)
	}
}

func TestParse(t *testing.T) {
	for _, address := range []string{"", "id.example.com", "ftp://id.example.com/", "https:///keys", "https://:443/",
		"https://user:secret@id.example.com/", "https://id.example.com/#k", "http://id.example.com/", "https://[::1", "file:///etc/passwd"} {
		if _, err := Parse(address, false); err == nil {
			t.Errorf("%q: parsed", address)
		}
	}
	if _, _, err := New(Options{})(t.Context(), "https://user:hidden@id.example.com/?token=hidden"); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a URL with secrets: got %v", err)
	}
}
