package gateway

import (
	"net/http"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	w := standard(t)
	key := "X-API-Key: " + testKey
	tests := []struct {
		name, method, path string
		header             []string
		status             int
		problem            string
	}{
		{"with key", "GET", "/orders/v1/things", []string{key}, 200, ""},
		{"path parameter", "GET", "/orders/v1/things/7?x=1", []string{key}, 200, ""},
		{"HEAD by GET", "HEAD", "/orders/v1/things", []string{key}, 200, ""},
		{"without key", "GET", "/orders/v1/things", nil, 401, "key-missing"},
		{"unknown key", "GET", "/orders/v1/things", []string{"X-API-Key: gh_wrong"}, 401, "key-unknown"},
		{"two keys", "GET", "/orders/v1/things", []string{key, key}, 400, "key-repeated"},
		{"key under an underscore", "GET", "/orders/v1/things", []string{"X_API_KEY: " + testKey}, 401, "key-missing"},
		{"unknown operation", "GET", "/orders/v1/none", []string{key}, 404, "operation-unknown"},
		{"unknown API", "GET", "/none", []string{key}, 404, "api-unknown"},
		{"not at a segment's border", "GET", "/orders/v12/things", []string{key}, 404, "api-unknown"},
		{"unknown method", "DELETE", "/orders/v1/things", []string{key}, 405, "method-not-allowed"},
		{"TRACE", "TRACE", "/open/x", nil, 405, "method-not-allowed"},
		{"OPTIONS", "OPTIONS", "/orders/v1/things", nil, 204, ""},
		{"open", "PUT", "/open/any/thing", nil, 200, ""},
		{"encoded slash", "GET", "/open/a%2fb", nil, 400, "path-malformed"},
		{"out of the base", "GET", "/open/%2e%2e/orders/v1/things", nil, 401, "key-missing"},
		{"double slash", "GET", "/open//x", nil, 400, "path-malformed"},
		{"semicolon", "GET", "/open/..;/x", nil, 400, "path-malformed"},
		{"semicolon where nothing is known of the path", "GET", "/open/a;b", nil, 400, "path-malformed"},
		{"semicolon where no API is", "GET", "/none;a", nil, 400, "path-malformed"},
		{"semicolon in a simple parameter", "GET", "/orders/v1/things/7;a=1", []string{key}, 400, "path-malformed"},
		{"matrix parameter", "GET", "/orders/v1/trips/;from=a;to=b", []string{key}, 200, ""},
		{"matrix parameter, plain", "GET", "/orders/v1/trips/7", []string{key}, 200, ""},
		{"matrix parameter behind something", "GET", "/orders/v1/trips/7;from=a", []string{key}, 400, "path-malformed"},
		{"matrix parameter, other method", "POST", "/orders/v1/trips/;from=a", []string{key}, 400, "path-malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := w.do(tt.method, tt.path, tt.header...)
			if r.StatusCode != tt.status || tt.method != "HEAD" && r.problem() != tt.problem {
				t.Errorf("got %d %q, want %d %q\n%s", r.StatusCode, r.problem(), tt.status, tt.problem, r.text)
			}
			if gateway := r.Header.Get("X-Backend") == ""; gateway && tt.status >= 400 && !strings.HasPrefix(r.Header.Get("Proxy-Status"), "gatehouse; error=") {
				t.Errorf("Proxy-Status: got %q", r.Header.Get("Proxy-Status"))
			}
			if r.Header.Get("X-Request-Id") == "" {
				t.Error("there is no request id")
			}
			if tt.status == 401 && r.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if tt.status == 405 && tt.path != "/open/x" && r.Header.Get("Allow") != "GET, POST, HEAD, OPTIONS" {
				t.Errorf("Allow: got %q", r.Header.Get("Allow"))
			}
		})
	}
}

func TestWhatTheBackendSees(t *testing.T) {
	w := standard(t)
	r := w.do("GET", "/orders/v1/things/a%2db?q=%20", "X-API-Key: "+testKey, "X-Gatehouse-Plan: platinum", "x_gatehouse_plan: platinum",
		"X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "Connection: X-Drop, X-Gatehouse-Application", "X-Drop: 1", "Traceparent: 00-1-2-01", "Accept: a", "Accept: b")
	if r.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", r.StatusCode, r.text)
	}
	got := w.last()
	if got.RequestURI != "/things/a-b?q=%20" {
		t.Errorf("target: got %q", got.RequestURI)
	}
	host := r.Request.Host // with its port: a backend may write links with it
	for name, want := range map[string]string{
		"X-Api-Key": "", "X-Drop": "", "Traceparent": "00-1-2-01", "X_gatehouse_plan": "",
		"X-Gatehouse-Plan": "gold", "X-Gatehouse-Application": "billing/app", "X-Gatehouse-Product": "payments/commerce", "X-Gatehouse-Subscription": "billing/app-commerce",
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": host, "Forwarded": `for=127.0.0.1;host="` + host + `";proto=http`,
		"Via": "1.1 gatehouse", "Accept": "a|b", "X-Request-Id": r.Header.Get("X-Request-Id"),
	} {
		if v := strings.Join(got.Header.Values(name), "|"); v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
	if r.Header.Get("Via") != "1.1 gatehouse" || r.Header.Get("X-Backend") != "yes" {
		t.Errorf("answer's fields: %v", r.Header)
	}
}
