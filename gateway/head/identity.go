package head

import "gatehouse/policy"

// Fields by which the gateway tells backends who calls.
const (
	Subscription = "X-Gatehouse-Subscription"
	Application  = "X-Gatehouse-Application"
	Product      = "X-Gatehouse-Product"
	Plan         = "X-Gatehouse-Plan"
	Subject      = "X-Gatehouse-Subject"
	RequestID    = "X-Request-Id"
)

// ours tells the names in which only the gateway speaks, in any spelling that
// some server takes for the same.
func ours(name string) bool {
	if len(name) < 11 || name[0]|0x20 != 'x' {
		return hasPrefix(name, "Client-Cert") // RFC 9440
	}
	return hasPrefix(name, "X-Gatehouse-") || same(name, RequestID) || hasPrefix(name, "X-SSL-Client")
}

// forwarded tells the names that say how a request came here.
func forwarded(name string) bool {
	return same(name, "Forwarded") || hasPrefix(name, "X-Forwarded-") || same(name, "X-Real-IP")
}

// Strip removes what the caller says in the gateway's name: identity, request
// id, client certificate, and, unless the peer is a trusted proxy, how the
// request came here. Spellings with underscores go too, those of keyHeader and of
// the forwarding fields even when the peer is trusted.
func Strip(h *policy.Header, keyHeader string, trusted bool) {
	drop(h, func(name string) bool {
		if ours(name) {
			return true
		}
		if forwarded(name) {
			return !trusted || underscore(name)
		}
		return same(name, keyHeader) && !policy.EqualName(name, keyHeader)
	})
}

func underscore(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] == '_' {
			return true
		}
	}
	return false
}

// Identify writes who calls for the backend to see. Empty values are left out.
func Identify(x *policy.Exchange) {
	for _, f := range [...]policy.Field{{Name: Subscription, Value: x.Subscription}, {Name: Application, Value: x.Application},
		{Name: Product, Value: x.Product}, {Name: Plan, Value: x.Plan}, {Name: Subject, Value: x.Subject}} {
		if f.Value == "" {
			continue
		}
		f.Value = visible(f.Value)
		x.Header.Add(f.Name, f.Value)
	}
}

// visible writes v so that it can stand in a field: everything but visible
// ASCII, and "%" itself, becomes an escape of RFC 3986.
func visible(v string) string {
	plain := true
	for i := 0; i < len(v); i++ {
		plain = plain && v[i] > 0x20 && v[i] < 0x7f && v[i] != '%'
	}
	if plain {
		return v
	}
	const hex = "0123456789ABCDEF"
	var b []byte
	for i := 0; i < len(v); i++ {
		if c := v[i]; c > 0x20 && c < 0x7f && c != '%' {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
