// Package outbound says which addresses a process of ours may reach on behalf
// of a document: public ones, and private ones that were allowed. The address
// is checked when the connection is made, after names are resolved, so that no
// name leads where no address may (SAFETY.md 2, SSRF). Both wings use it.
package outbound

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// A Refused error is of an address that may not be reached.
type Refused struct {
	Addr string
	Why  string
}

// Error names the address and the reason.
func (r *Refused) Error() string { return fmt.Sprintf("address %s is refused: %s", r.Addr, r.Why) }

// Guard checks each address at the moment of connecting. plain connections,
// which are not encrypted, go to loopback only.
func Guard(allow []netip.Prefix, plain bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &Refused{address, "it is not an IP address"}
		}
		a := embedded(ap.Addr().WithZone(""))
		if plain && !a.IsLoopback() {
			return &Refused{a.String(), "without TLS only loopback may be reached"}
		}
		return Check(a, allow)
	}
}

// Check tells why a may not be reached; nil when it may.
func Check(a netip.Addr, allow []netip.Prefix) error {
	if a.IsLinkLocalUnicast() || slices.Contains(metadata, a) {
		return &Refused{a.String(), "link-local addresses and metadata services are never reached"}
	}
	for _, p := range allow {
		if p.Contains(a) {
			return nil
		}
	}
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || slices.ContainsFunc(inner, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return &Refused{a.String(), "it is not a public address, and no allowed network has it"}
	}
	return nil
}

// metadata services that do not live on link-local addresses.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS, IPv6
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud, IPv6
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure, platform channel
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud, classic
}

// inner are networks that are not public and that netip does not know as such
// (IANA special-purpose address registries).
var inner = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // RFC 6598, shared by carriers
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b:1::/48"), // RFC 8215
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 §2.1
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056 §2
	compat = netip.MustParsePrefix("::/96")        // RFC 4291 §2.5.5.1
)

// embedded is the IPv4 address that an IPv6 one stands for, or a itself.
func embedded(a netip.Addr) netip.Addr {
	a = a.Unmap()
	b := a.As16()
	switch {
	case a.Is4() || a == netip.IPv6Loopback() || a.IsUnspecified():
		return a
	case nat64.Contains(a), compat.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixTo4.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}
