package cors

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

const listed = `{"origins": ["https://app.example.com", "https://*.example.org", "http://localhost:3000"], "credentials": true, "exposeHeaders": ["ETag"], "methods": ["GET", "PUT"], "headers": ["X-API-Key", "Content-Type"]}`

func TestPreflight(t *testing.T) {
	tests := []struct {
		name, config   string
		origin, method string
		headers        string
		want           int
		allowed        string // Access-Control-Allow-Headers
	}{
		{"listed", listed, "https://app.example.com", "PUT", "content-type, x-api-key", 204, "X-API-Key, Content-Type"},
		{"without headers", listed, "https://app.example.com", "GET", "", 204, "X-API-Key, Content-Type"},
		{"below a wildcard", listed, "https://a.b.example.org", "GET", "", 204, "X-API-Key, Content-Type"},
		{"the wildcard's own domain", listed, "https://example.org", "GET", "", 403, ""},
		{"a suffix without its dot", listed, "https://evilexample.org", "GET", "", 403, ""},
		{"an origin with the listed one inside", listed, "https://app.example.com.evil.example", "GET", "", 403, ""},
		{"user info before the domain", listed, "https://evil.example@a.example.org", "GET", "", 403, ""},
		{"a path before the domain", listed, "https://evil.example/.example.org", "GET", "", 403, ""},
		{"another scheme", listed, "http://app.example.com", "GET", "", 403, ""},
		{"another port", listed, "https://app.example.com:8443", "GET", "", 403, ""},
		{"null", listed, "null", "GET", "", 403, ""},
		{"letter case", listed, "https://APP.example.com", "GET", "", 403, ""},
		{"another method", listed, "https://app.example.com", "DELETE", "", 403, ""},
		{"method in lower case", listed, "https://app.example.com", "put", "", 403, ""},
		{"another header", listed, "https://app.example.com", "GET", "x-evil", 403, ""},
		{"any origin, headers as asked", `{"origins": ["*"]}`, "https://a.example", "GET", "x-a, x-b", 204, "x-a, x-b"},
		{"headers that are none", `{"origins": ["*"]}`, "https://a.example", "GET", "x-a: b", 403, ""},
		{"very many headers", `{"origins": ["*"]}`, "https://a.example", "GET", strings.Repeat("x,", 1000), 403, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := policytest.New(t, policytest.Decode(t, Kind, tt.config))
			fields := []string{"Origin: " + tt.origin, "Access-Control-Request-Method: " + tt.method}
			if tt.headers != "" {
				fields = append(fields, "Access-Control-Request-Headers: "+tt.headers)
			}
			x := policytest.Request("OPTIONS", "/orders", fields...)
			d := u.Run(x)
			h := x.Response.Header
			if d.Code() != tt.want || h.Get("Access-Control-Allow-Headers") != tt.allowed {
				t.Fatalf("got %d, headers %q; want %d, %q", d.Code(), h.Get("Access-Control-Allow-Headers"), tt.want, tt.allowed)
			}
			if !strings.Contains(h.Get("Vary"), "Origin") {
				t.Errorf("got Vary %q", h.Get("Vary"))
			}
			if d.Answer != (tt.want == http.StatusNoContent) {
				t.Errorf("got Answer %t for %d", d.Answer, d.Status)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, config, origin             string
		allow, credentials, vary, expose string
	}{
		{"listed", listed, "https://app.example.com", "https://app.example.com", "true", "Origin", "ETag"},
		{"not listed", listed, "https://evil.example", "", "", "Origin", ""},
		{"no origin", listed, "", "", "", "Origin", ""},
		{"any", `{"origins": ["*"]}`, "https://a.example", "*", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := policytest.New(t, policytest.Decode(t, Kind, tt.config))
			var fields []string
			if tt.origin != "" {
				fields = append(fields, "Origin: "+tt.origin)
			}
			x := policytest.Request("GET", "/orders", fields...)
			d := u.Run(x, policy.Field{Name: "Access-Control-Allow-Origin", Value: "https://evil.example"},
				policy.Field{Name: "access-control-allow-credentials", Value: "true"})
			h := x.Response.Header
			if d != nil || h.Get("Access-Control-Allow-Origin") != tt.allow || h.Count("Access-Control-Allow-Origin") > 1 ||
				h.Get("Access-Control-Allow-Credentials") != tt.credentials || h.Get("Vary") != tt.vary || h.Get("Access-Control-Expose-Headers") != tt.expose {
				t.Errorf("got %+v, %+v", d, h)
			}
		})
	}
}

// An OPTIONS request that is no preflight is the API's own.
func TestOrdinaryOptionsGoesOn(t *testing.T) {
	u := policytest.New(t, policytest.Decode(t, Kind, listed))
	for _, fields := range [][]string{nil, {"Origin: https://app.example.com"}, {"Access-Control-Request-Method: GET"}} {
		if d := u.Step(policytest.Request("OPTIONS", "/orders", fields...)); d != nil {
			t.Errorf("%q: got %+v", fields, d)
		}
	}
}

func TestValidate(t *testing.T) {
	for config, want := range map[string]string{
		`{}`: "origins: is empty",
		`{"origins": ["*"], "credentials": true}`:      "credentials: true cannot stand",
		`{"origins": ["app.example.com"]}`:             "origins[0]",
		`{"origins": ["https://app.example.com/"]}`:    "origins[0]",
		`{"origins": ["https://app.example.com:443"]}`: "origins[0]",
		`{"origins": ["https://App.example.com"]}`:     "origins[0]",
		`{"origins": ["null"]}`:                        "origins[0]",
		`{"origins": ["https://*"]}`:                   "origins[0]",
		`{"origins": ["https://*.com"]}`:               "origins[0]",
		`{"origins": ["https://a.*.com"]}`:             "origins[0]",
		`{"origins": ["*"], "methods": []}`:            "methods: is empty",
		`{"origins": ["*"], "methods": ["GET, PUT"]}`:  "methods[0]",
		`{"origins": ["*"], "headers": ["*"]}`:         "headers[0]",
		`{"origins": ["*"], "maxAge": "2d"}`:           "maxAge",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("https://a.example.org")
	f.Add("https://x@a.example.org")
	o, err := parseOrigins([]string{"https://*.example.org"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if !o.match(origin) {
			return
		}
		host := strings.TrimPrefix(origin, "https://")
		if host == origin || strings.ContainsAny(host, "/@?#\\: \r\n") || !strings.HasSuffix(host, ".example.org") {
			t.Errorf("%q is taken for a host below example.org", origin)
		}
	})
}
