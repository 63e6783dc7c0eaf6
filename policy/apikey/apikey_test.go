package apikey

import (
	"strings"
	"testing"

	"gatehouse/policy/policytest"
)

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		k := New()
		if !Valid(k) || len(k) != Length || !strings.HasPrefix(k, Prefix) || seen[k] {
			t.Fatalf("made %q", k)
		}
		seen[k] = true
		bad := []byte(k)
		for i := range bad {
			was := bad[i]
			for _, c := range []byte{'0', 'z', was ^ 1, was ^ 0x20, 0, '-'} {
				if bad[i] = c; c != was && Valid(string(bad)) {
					t.Fatalf("%q with byte %d changed is taken for a key", k, i)
				}
			}
			bad[i] = was
		}
	}
	for _, k := range []string{"", "gh_", strings.Repeat("g", Length), New() + "x", " " + New(), New()[1:]} {
		if Valid(k) {
			t.Errorf("%q is taken for a key", k)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Valid("gh_0000000000000000000000000000000000000000000000000") }); n != 0 {
		t.Errorf("checking a key allocates %v times", n)
	}
}

// The form is a promise: keys made by one version are keys to the next.
func TestFormStays(t *testing.T) {
	const k = "gh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3JpFH3"
	if !Valid(k) {
		t.Errorf("%q is no key any more; its sum is %q now", k, appendSum([]byte(k[:Length-checkDigits]))[Length-checkDigits:])
	}
}

func TestTakingAKey(t *testing.T) {
	tests := []struct {
		name, config, target string
		fields               []string
		key, query           string
		want                 int
	}{
		{"environment's header", ``, "/o", []string{"X-API-Key: k1"}, "k1", "", 0},
		{"none", ``, "/o", nil, "", "", 0},
		{"header twice", ``, "/o", []string{"X-API-Key: k1", "x-api-key: k2"}, "", "", 400},
		{"query", `{"in": "query", "name": "api_key"}`, "/o?a=1&api_key=k1&b=%2f", nil, "k1", "a=1&b=%2f", 0},
		{"query name in another spelling", `{"in": "query", "name": "api_key"}`, "/o?api%5Fkey=k1", nil, "k1", "", 0},
		{"query twice", `{"in": "query", "name": "api_key"}`, "/o?api_key=k1&api_key=k2", nil, "", "", 400},
		{"query and header", `{"in": "query", "name": "api_key"}`, "/o?api_key=k1", []string{"X-API-Key: k1"}, "", "", 400},
		{"environment's header still", `{"in": "query", "name": "api_key"}`, "/o?a=1", []string{"X-API-Key: k1"}, "k1", "a=1", 0},
		{"another header", `{"name": "X-Partner"}`, "/o", []string{"X-Partner: k1"}, "k1", "", 0},
		{"scheme", `{"name": "Authorization", "scheme": "ApiKey"}`, "/o", []string{"Authorization: apikey k1"}, "k1", "", 0},
		{"another scheme is left alone", `{"name": "Authorization", "scheme": "ApiKey"}`, "/o", []string{"Authorization: Bearer x"}, "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := policytest.Request("GET", tt.target, tt.fields...)
			before := len(x.Header)
			if tt.config != "" {
				if d := policytest.Build(t, policytest.Decode(t, Kind, tt.config))(x); d != nil {
					if d.Code() != tt.want {
						t.Errorf("got %d, want %d", d.Code(), tt.want)
					}
					return
				}
			}
			key, d := Take(x, "X-API-Key")
			if key != tt.key || d.Code() != tt.want || d == nil && x.Query != tt.query {
				t.Errorf("got key %q, %d, query %q; want %q, %d, %q", key, d.Code(), x.Query, tt.key, tt.want, tt.query)
			}
			if x.Key != "" || key != "" && tt.query == "" && strings.Contains(x.Query, key) {
				t.Error("the key is still in the request")
			}
			if key != "" && len(tt.fields) > 0 && len(x.Header) == before {
				t.Errorf("the key's header is still there: %v", x.Header)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                            "name: is missing",
		`{"in": "cookie", "name": "k"}`: `in: "cookie" is not`,
		`{"name": "Host"}`:              `name: "Host" has a meaning`,
		`{"name": "Cookie"}`:            `name: "Cookie" has a meaning`,
		`{"name": "a b"}`:               `name: "a b" is not a name`,
		`{"in": "query", "name": "k", "scheme": "Bearer"}`: "scheme:",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("a=1&api_key=k&b")
	f.Add("api%5fkey=%zz&&api_key")
	f.Fuzz(func(t *testing.T, query string) {
		_, rest, n := cutQuery(query, "api_key")
		if n == 0 && rest != query {
			t.Errorf("%q: nothing found, yet %q is left", query, rest)
		}
		if _, _, again := cutQuery(rest, "api_key"); again != 0 {
			t.Errorf("%q: the parameter is still in %q", query, rest)
		}
	})
}
