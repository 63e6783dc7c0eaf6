package outbound

import (
	"net/netip"
	"testing"
)

func TestAddresses(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		addr string
		want bool
	}{
		{"93.184.216.34", true},
		{"2606:2800:220:1::1", true},
		{"10.1.2.3", true},  // allowed
		{"10.2.2.3", false}, // private
		{"127.0.0.1", false},
		{"::1", false},
		{"0.0.0.0", false},
		{"::", false},
		{"169.254.169.254", false}, // metadata, although the list has it
		{"fe80::1", false},
		{"fd00:ec2::254", false}, // metadata, although the list has it
		{"fd00::1", true},        // allowed
		{"fc00::1", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:169.254.169.254", false},
		{"64:ff9b::a9fe:a9fe", false}, // 169.254.169.254 through NAT64
		{"64:ff9b::7f00:1", false},
		{"2002:7f00:1::", false}, // 127.0.0.1 through 6to4
		{"::7f00:1", false},
		{"100.64.0.1", false},
		{"100.100.100.200", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"192.168.0.1", false},
		{"172.16.0.1", false},
	}
	for _, tt := range tests {
		address := netip.AddrPortFrom(netip.MustParseAddr(tt.addr), 443).String()
		if err := Guard(allow, false)("tcp", address, nil); (err == nil) != tt.want {
			t.Errorf("%s: got %v, want reached %t", tt.addr, err, tt.want)
		}
	}
	if err := Guard(allow, true)("tcp", "93.184.216.34:80", nil); err == nil {
		t.Error("a public address without TLS: reached")
	}
}
