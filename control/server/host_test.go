package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/adminapi"
)

// TestForeignHostsAtLoopback holds that a page whose name was made to resolve
// to this machine reaches nothing.
func TestForeignHostsAtLoopback(t *testing.T) {
	o := newOffice(t)
	o.server.TrustedOrigins = []string{"https://gatehouse.example.com"}
	tests := []struct {
		name, local, host string
		tls               bool
		want              int
	}{
		{"by address", "127.0.0.1:9080", "127.0.0.1:9080", false, 200},
		{"by name", "127.0.0.1:9080", "LocalHost:9080", false, 200},
		{"by a name below localhost", "127.0.0.1:9080", "gatehouse.localhost", false, 200},
		{"by IPv6", "[::1]:9080", "[::1]:9080", false, 200},
		{"rebound", "127.0.0.1:9080", "evil.example:9080", false, 421},
		{"rebound, IPv6", "[::1]:9080", "evil.example", false, 421},
		{"a name that ends alike", "127.0.0.1:9080", "evillocalhost", false, 421},
		{"a name that begins alike", "127.0.0.1:9080", "127.0.0.1.evil.example", false, 421},
		{"no name", "127.0.0.1:9080", "", false, 421},
		{"of a proxy that is named", "127.0.0.1:9080", "gatehouse.example.com", false, 200},
		{"with TLS the certificate decides", "127.0.0.1:9080", "gatehouse.example.org", true, 200},
		{"another listener", "192.0.2.1:9080", "gatehouse.example.org", false, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, err := net.ResolveTCPAddr("tcp", tt.local)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, addr), "GET", "/v1/whoami", nil)
			r.Host = tt.host
			if tt.tls {
				r.TLS = new(tls.ConnectionState)
			}
			r.Header.Set("Authorization", "Bearer "+o.admin)
			w := httptest.NewRecorder()
			o.h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("host %q at %s: got %d, want %d: %s", tt.host, tt.local, w.Code, tt.want, w.Body)
			}
		})
	}
}

// session opens one and returns its cookie, as asked for by change.
func (o *office) session(change func(*http.Request)) *http.Cookie {
	o.t.Helper()
	var code adminapi.LoginCode
	o.do(o.admin, "POST", "/v1/login-codes", map[string]string{}, 201, &code.Body)
	text, err := json.Marshal(map[string]string{"code": code.Body.Code})
	if err != nil {
		o.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(o.t.Context(), "POST", "/v1/login", strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	change(r)
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	if w.Code != 200 || len(cookies) != 1 {
		o.t.Fatalf("login: %d, %v: %s", w.Code, cookies, w.Body)
	}
	return cookies[0]
}

func TestSessionCookieIsSecureOverTLS(t *testing.T) {
	o := newOffice(t)
	tests := []struct {
		name   string
		change func(*http.Request)
		want   bool
	}{
		{"plain", func(*http.Request) {}, false},
		{"TLS", func(r *http.Request) { r.TLS = new(tls.ConnectionState) }, true},
		{"TLS at a proxy", func(r *http.Request) { r.Host = "g.example.com"; r.Header.Set("Origin", "https://g.example.com") }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := o.session(tt.change)
			if c.Secure != tt.want || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
				t.Errorf("got %v, want Secure %v, HttpOnly, Strict", c, tt.want)
			}
		})
	}
}

// TestCrossOriginChanges holds that no other page changes anything with the
// cookie of whoever looks at it, be the browser old or new.
func TestCrossOriginChanges(t *testing.T) {
	o := newOffice(t)
	cookie := o.session(func(*http.Request) {})
	tests := []struct {
		name    string
		headers map[string]string
		want    int
	}{
		{"same origin", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:9080"}, 201},
		{"cross-site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"same site, other origin", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8080"}, 403},
		{"old browser, same origin", map[string]string{"Origin": "http://127.0.0.1:9080"}, 201},
		{"old browser, other origin", map[string]string{"Origin": "https://evil.example"}, 403},
		{"old browser, other port", map[string]string{"Origin": "http://127.0.0.1:8080"}, 403},
		{"old browser, no origin to tell", map[string]string{"Origin": "null"}, 403},
		{"no browser", nil, 201},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/tokens", strings.NewReader(`{}`))
			r.Host = "127.0.0.1:9080"
			r.Header.Set("Content-Type", "application/json")
			r.AddCookie(cookie)
			for name, value := range tt.headers {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			o.h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("%v: got %d, want %d: %s", tt.headers, w.Code, tt.want, w.Body)
			}
			if w.Code == 403 && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("not a problem: %s", w.Body)
			}
		})
	}
}
