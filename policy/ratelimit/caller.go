package ratelimit

import (
	"crypto/sha256"
	"net/netip"
	"strings"

	"gatehouse/policy"
	"gatehouse/policy/template"
)

// maxKey bounds what a stranger's header or claim puts into a counter's name;
// longer values are counted by their SHA-256.
const maxKey = 128

// who finds what one caller is; "" when the exchange lacks it.
type who func(x *policy.Exchange) string

func callers(by string) who {
	switch by {
	case "", BySubscription:
		return func(x *policy.Exchange) string { return x.Subscription }
	case ByApplication:
		return func(x *policy.Exchange) string { return x.Application }
	case ByAddress:
		return func(*policy.Exchange) string { return "" } // the fallback is by address
	case ByAPI:
		return func(*policy.Exchange) string { return "*" }
	}
	if name, ok := strings.CutPrefix(by, byHeader); ok {
		return func(x *policy.Exchange) string { return bounded(x.Header.Get(name)) }
	}
	name := strings.TrimPrefix(by, byClaim)
	return func(x *policy.Exchange) string { return bounded(template.Claim(x.Claims[name])) }
}

func bounded(v string) string {
	if len(v) <= maxKey {
		return v
	}
	sum := sha256.Sum256([]byte(v))
	return string(sum[:])
}

// network is a caller's address as a counter's name: IPv6 by its /64.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			a = p.Addr()
		}
	}
	return a.String()
}
