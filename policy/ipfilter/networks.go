package ipfilter

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// maxNetworks bounds a list; longer ones belong into a firewall.
const maxNetworks = 10_000

// networks is a set of prefixes. Looking one up costs a map access for each
// distinct prefix length, however many prefixes there are.
type networks struct {
	lengths4, lengths6 []int
	prefixes           map[netip.Prefix]struct{}
}

// parse reads a list; field is its name as the user wrote it.
func parse(field string, list []string) (*networks, error) {
	if len(list) > maxNetworks {
		return nil, fmt.Errorf("%s: %d networks are more than %d", field, len(list), maxNetworks)
	}
	n := &networks{prefixes: make(map[netip.Prefix]struct{}, len(list))}
	for i, text := range list {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", field, i, err)
		}
		n.add(p)
	}
	return n, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is neither a network such as \"10.0.0.0/8\" nor an address", text)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither a network such as \"10.0.0.0/8\" nor an address", text)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%q mixes IPv4 and IPv6; the IPv4 form would do", text)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set behind its length; %q would do", text, p.Masked())
	}
	return p, nil
}

func (n *networks) add(p netip.Prefix) {
	n.prefixes[p] = struct{}{}
	lengths := &n.lengths6
	if p.Addr().Is4() {
		lengths = &n.lengths4
	}
	if !slices.Contains(*lengths, p.Bits()) {
		*lengths = append(*lengths, p.Bits())
	}
}

// contain tells whether any network holds a, which is unmapped and has no zone.
func (n *networks) contain(a netip.Addr) bool {
	lengths := n.lengths6
	if a.Is4() {
		lengths = n.lengths4
	}
	for _, bits := range lengths {
		p, err := a.Prefix(bits)
		if err != nil {
			return false
		}
		if _, ok := n.prefixes[p]; ok {
			return true
		}
	}
	return false
}
