package ipfilter

import (
	"net/netip"
	"strings"
	"testing"

	"gatehouse/policy/policytest"
)

func TestFilter(t *testing.T) {
	tests := []struct {
		name, config, caller string
		want                 int // 0 means admitted
	}{
		{"inside", `{"allow": ["10.0.0.0/8"]}`, "10.1.2.3", 0},
		{"outside", `{"allow": ["10.0.0.0/8"]}`, "11.0.0.1", 403},
		{"bare address", `{"allow": ["192.0.2.7"]}`, "192.0.2.7", 0},
		{"IPv4 seen through an IPv6 socket", `{"allow": ["10.0.0.0/8"]}`, "::ffff:10.1.2.3", 0},
		{"IPv4 network written as IPv6", `{"allow": ["::ffff:10.0.0.0/104"]}`, "10.1.2.3", 0},
		{"with a zone", `{"allow": ["fe80::/10"]}`, "fe80::1%eth0", 0},
		{"denied", `{"deny": ["192.0.2.0/24"]}`, "192.0.2.7", 403},
		{"only deny, outside of it", `{"deny": ["192.0.2.0/24"]}`, "198.51.100.1", 0},
		{"deny wins", `{"allow": ["10.0.0.0/8"], "deny": ["10.9.0.0/16"]}`, "10.9.1.1", 403},
		{"everything of IPv4 is not IPv6", `{"allow": ["0.0.0.0/0"]}`, "2001:db8::1", 403},
		{"IPv6", `{"allow": ["2001:db8::/32"]}`, "2001:db8:1::1", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := policytest.Request("GET", "/", "X-Forwarded-For: 10.1.2.3")
			x.Caller = netip.MustParseAddr(tt.caller)
			if got := policytest.Build(t, policytest.Decode(t, Kind, tt.config))(x).Code(); got != tt.want {
				t.Errorf("caller %s through %s: got %d, want %d", tt.caller, tt.config, got, tt.want)
			}
		})
	}
	x := policytest.Request("GET", "/")
	x.Caller = netip.Addr{}
	if got := policytest.Build(t, policytest.Decode(t, Kind, `{"allow": ["0.0.0.0/0", "::/0"]}`))(x).Code(); got != 403 {
		t.Errorf("a caller without an address: got %d, want 403", got)
	}
}

func TestRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                               "neither allow nor deny",
		`{"allow": ["10.0.0/8"]}`:          `allow[0]: "10.0.0/8" is neither a network`,
		`{"deny": ["10.0.0.1", "x"]}`:      `deny[1]: "x" is neither`,
		`{"allow": ["10.1.2.3/8"]}`:        `"10.0.0.0/8" would do`,
		`{"allow": ["fe80::1%eth0"]}`:      "is neither",
		`{"allow": ["::ffff:0.0.0.0/90"]}`: "mixes IPv4 and IPv6",
		`{"allow": ["010.0.0.1"]}`:         "is neither",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}
