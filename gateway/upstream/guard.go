package upstream

import (
	"fmt"
	"net/netip"
	"syscall"
)

// A prohibited error refuses an address at the moment of connecting, after
// names were resolved, so that no name can lead where no address may.
type prohibited struct{ addr string }

func (p *prohibited) Error() string {
	return fmt.Sprintf("address %s is not one a backend may have", p.addr)
}

// guard makes a net.Dialer.Control that refuses what never is a backend:
// link-local addresses and the clouds' metadata services. Loopback and private
// addresses are where backends live. deny, if set, refuses more.
func guard(deny func(netip.Addr) bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &prohibited{address}
		}
		a := embedded(ap.Addr().WithZone(""))
		if never(a) || deny != nil && deny(a) {
			return &prohibited{a.String()}
		}
		return nil
	}
}

func never(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || metadata[a]
}

// metadata services that do not live on link-local addresses.
var metadata = map[netip.Addr]bool{
	netip.MustParseAddr("fd00:ec2::254"):   true, // AWS, IPv6
	netip.MustParseAddr("fd20:ce::254"):    true, // Google Cloud, IPv6
	netip.MustParseAddr("100.100.100.200"): true, // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"):   true, // Azure, platform channel
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 §2.1

// embedded is the IPv4 address that an IPv6 one stands for, or a itself.
func embedded(a netip.Addr) netip.Addr {
	if a = a.Unmap(); nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}
