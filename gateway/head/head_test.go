package head

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/policy"
)

// fields reads "Name: value" lines.
func fields(lines ...string) policy.Header {
	var h policy.Header
	for _, l := range lines {
		n, v, _ := strings.Cut(l, ": ")
		h.Add(n, v)
	}
	return h
}

func text(h policy.Header) []string {
	var out []string
	for _, f := range h {
		out = append(out, f.Name+": "+f.Value)
	}
	return out
}

func TestClean(t *testing.T) {
	tests := []struct {
		name    string
		in      []string
		want    []string
		upgrade string
	}{
		{"ordinary stays", []string{"A: 1", "b: 2"}, []string{"A: 1", "b: 2"}, ""},
		{"of one connection", []string{"Keep-Alive: x", "A: 1", "te: trailers", "Proxy-Authorization: s", "PROXY-CONNECTION: x", "HTTP2-Settings: x", "Trailer: y"}, []string{"A: 1"}, ""},
		{"taken for framing by backends of the CGI kind", []string{"Content_Length: 5", "transfer_encoding: chunked", "Proxy: http://evil", "A: 1"}, []string{"A: 1"}, ""},
		{"named", []string{"Connection: close, X-A", "X-A: 1", "x-a: 2", "X-B: 3"}, []string{"X-B: 3"}, ""},
		{"named twice", []string{"Connection: X-A", "X-A: 1", "connection: X-B", "X-B: 3"}, nil, ""},
		{"key cannot be named", []string{"Connection: x-api-key", "X-API-Key: k"}, []string{"X-API-Key: k"}, ""},
		{"credentials cannot be named", []string{"Connection: authorization, cookie", "Authorization: b", "Cookie: c"}, []string{"Authorization: b", "Cookie: c"}, ""},
		{"identity cannot be named", []string{"Connection: X-Gatehouse-Plan, X-Forwarded-For", "X-Forwarded-For: 1"}, []string{"X-Forwarded-For: 1"}, ""},
		{"upgrade", []string{"Connection: keep-alive, Upgrade", "Upgrade: websocket"}, nil, "websocket"},
		{"upgrade without Connection", []string{"Upgrade: h2c", "A: 1"}, []string{"A: 1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := fields(tt.in...)
			upgrade := Clean(&h, "X-API-Key")
			if diff := cmp.Diff(tt.want, text(h)); diff != "" || upgrade != tt.upgrade {
				t.Errorf("upgrade %q, fields (-want +got):\n%s", upgrade, diff)
			}
		})
	}
}

func TestStrip(t *testing.T) {
	in := []string{"X-Gatehouse-Plan: gold", "x_gatehouse_plan: gold", "X-GATEHOUSE_Application: a", "X-Request-Id: 1", "x_request_id: 2",
		"X-Forwarded-For: 1.1.1.1", "X_Forwarded_For: 1.1.1.1", "Forwarded: for=1.1.1.1", "X-Real-IP: 1.1.1.1", "Client-Cert: :x:", "X-SSL-Client-Verify: SUCCESS",
		"X_API_KEY: k", "x-api_key: k", "x-api-key: k", "X-Gate: kept", "Accept: */*"}
	tests := []struct {
		name    string
		trusted bool
		want    []string
	}{
		{"stranger", false, []string{"x-api-key: k", "X-Gate: kept", "Accept: */*"}},
		{"trusted proxy", true, []string{"X-Forwarded-For: 1.1.1.1", "Forwarded: for=1.1.1.1", "X-Real-IP: 1.1.1.1", "x-api-key: k", "X-Gate: kept", "Accept: */*"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := fields(in...)
			Strip(&h, "X-API-Key", tt.trusted)
			if diff := cmp.Diff(tt.want, text(h)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	x := &policy.Exchange{Application: "billing/invoices", Plan: "gold", Subject: "jürgen\r\nX-Evil: 1"}
	Identify(x)
	want := []string{"X-Gatehouse-Application: billing/invoices", "X-Gatehouse-Plan: gold", "X-Gatehouse-Subject: j%C3%BCrgen%0D%0AX-Evil:%201"}
	if diff := cmp.Diff(want, text(x.Header)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHost(t *testing.T) {
	for in, want := range map[string]string{
		"api.example.com": "api.example.com", "API.Example.COM:8080": "api.example.com", "api.example.com.": "api.example.com", "a:": "a",
		"127.0.0.1:80": "127.0.0.1", "[::1]:80": "[::1]", "[0:0::1]": "[::1]", "my_host": "my_host",
		"": "", "a b": "", "user@host": "", "a,b": "", "a:b": "", "a:80:80": "", "a:99999": "", "a/b": "", "a..b": "", ".a": "", "[::1": "",
		"[::1%25eth0]": "", "[1.2.3.4]": "", "a\x00": "", "é.example": "", "a%2e": "", ":80": "", "a?b": "", "[::1]x": "", ".": "",
	} {
		got, ok := Host(in)
		if got != want && ok || ok != (want != "") {
			t.Errorf("Host(%q): got %q, %t, want %q", in, got, ok, want)
		}
	}
}

func TestForward(t *testing.T) {
	nets := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		name, peer string
		in         []string
		caller     string
		want       []string
	}{
		{"stranger", "192.0.2.1", nil, "192.0.2.1",
			[]string{"Forwarded: for=192.0.2.1;host=h;proto=https", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: h", "X-Forwarded-Proto: https"}},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", nil, "192.0.2.1",
			[]string{"Forwarded: for=192.0.2.1;host=h;proto=https", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: h", "X-Forwarded-Proto: https"}},
		{"IPv6", "2001:db8::1", nil, "2001:db8::1",
			[]string{`Forwarded: for="[2001:db8::1]";host=h;proto=https`, "X-Forwarded-For: 2001:db8::1", "X-Forwarded-Host: h", "X-Forwarded-Proto: https"}},
		{"trusted proxy", "10.0.0.1", []string{"X-Forwarded-For: 6.6.6.6, 192.0.2.1", "X-Forwarded-For: 10.0.0.2", "X-Forwarded-Proto: http", "X-Forwarded-Host: pub"}, "192.0.2.1",
			[]string{"X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2, 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: pub", "Forwarded: for=10.0.0.1;host=h;proto=https"}},
		{"trusted proxy, nonsense", "10.0.0.1", []string{"X-Forwarded-For: 192.0.2.1, evil"}, "10.0.0.1",
			[]string{"X-Forwarded-For: 192.0.2.1, evil, 10.0.0.1", "Forwarded: for=10.0.0.1;host=h;proto=https", "X-Forwarded-Host: h", "X-Forwarded-Proto: https"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPeer(netip.MustParseAddr(tt.peer), true, nets)
			h := fields(tt.in...)
			if got := p.Caller(h, nets); got.String() != tt.caller {
				t.Errorf("caller: got %v, want %s", got, tt.caller)
			}
			p.Forward(&h, "h")
			if diff := cmp.Diff(tt.want, text(h)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithPort(t *testing.T) {
	for text, want := range map[string]string{
		"a.b": "a.b", "a.b:": "a.b", "a.b:8080": "a.b:8080", "A.b.:8080": "a.b:8080", "": "",
		"[::1]": "[::1]", "[::1]:1": "[::1]:1", "[0:0::1]:1": "[::1]:1",
	} {
		host, _ := Host(text)
		if got := WithPort(host, text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	p := NewPeer(netip.MustParseAddr("192.0.2.1"), false, nil)
	var h policy.Header
	p.Forward(&h, "a.b:8080")
	if got, want := string(h.Get("Forwarded")), `for=192.0.2.1;host="a.b:8080";proto=http`; got != want {
		t.Errorf("Forwarded: got %s, want %s", got, want)
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"a.b:80", "[::1]:1", "A.", "a@b", "a\r\nb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, ok := Host(s)
		if !ok {
			return
		}
		if again, ok := Host(h); !ok || again != h {
			t.Fatalf("Host(%q) = %q, and again %q, %t", s, h, again, ok)
		}
		if strings.ContainsAny(h, "@/ \r\n,?#%") || h != strings.ToLower(h) {
			t.Fatalf("Host(%q) = %q", s, h)
		}
	})
}
