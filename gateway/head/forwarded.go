package head

import (
	"net/netip"
	"strings"

	"gatehouse/policy"
)

// A Peer is the other end of a connection, read once for all its requests.
type Peer struct {
	Addr    netip.Addr
	Text    string // Addr written out
	TLS     bool
	Trusted bool // a proxy whose account of the way here is believed
	// Name is the host that the handshake named where that chose among several
	// certificates, in lower case; requests for another host came the wrong way.
	Name string
}

// NewPeer reads a peer's address; trusted are the proxies that are believed.
func NewPeer(addr netip.Addr, tls bool, trusted []netip.Prefix) Peer {
	addr = addr.Unmap().WithZone("")
	return Peer{Addr: addr, Text: addr.String(), TLS: tls, Trusted: within(addr, trusted)}
}

func within(a netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

func (p *Peer) proto() string {
	if p.TLS {
		return "https"
	}
	return "http"
}

// Caller is the address a request comes from: the peer's, or, behind trusted
// proxies, the last one in X-Forwarded-For that is not a trusted proxy's. What
// lies beyond an entry that is no address is not believed.
func (p *Peer) Caller(h policy.Header, trusted []netip.Prefix) netip.Addr {
	caller := p.Addr
	if !p.Trusted || h.Count("X-Forwarded-For") == 0 {
		return caller
	}
	list := strings.Join(h.Values("X-Forwarded-For"), ",")
	for list != "" && within(caller, trusted) {
		var last string
		if i := strings.LastIndexByte(list, ','); i >= 0 {
			list, last = list[:i], list[i+1:]
		} else {
			list, last = "", list
		}
		a, err := netip.ParseAddr(strings.Trim(last, " \t"))
		if err != nil {
			break
		}
		caller = a.Unmap().WithZone("")
	}
	return caller
}

// Forward says how the request came here, for the backend: Forwarded (RFC 7239)
// and the X-Forwarded fields. The host stands there with the port it was asked
// with, so that a backend can write links that lead back here. What a trusted proxy said stays before it; from
// others nothing is left by [Strip].
func (p *Peer) Forward(h *policy.Header, host string) {
	element := p.element(host)
	before := p.Trusted && len(h.Get("Forwarded")) > 0
	if before {
		element = strings.Join(h.Values("Forwarded"), ", ") + ", " + element
	}
	h.Set("Forwarded", element)
	if !p.Trusted {
		h.Add("X-Forwarded-For", p.Text)
		h.Add("X-Forwarded-Host", host)
		h.Add("X-Forwarded-Proto", p.proto())
		return
	}
	list := p.Text
	if v := h.Values("X-Forwarded-For"); len(v) > 0 {
		list = strings.Join(v, ", ") + ", " + list
	}
	h.Set("X-Forwarded-For", list)
	if h.Count("X-Forwarded-Host") != 1 {
		h.Set("X-Forwarded-Host", host)
	}
	if h.Count("X-Forwarded-Proto") != 1 {
		h.Set("X-Forwarded-Proto", p.proto())
	}
}

func (p *Peer) element(host string) string {
	from := p.Text
	if p.Addr.Is6() {
		from = `"[` + from + `]"`
	}
	switch {
	case host == "":
		return "for=" + from + ";proto=" + p.proto()
	case strings.IndexByte(host, ':') >= 0: // RFC 7239 §4: no token has a colon
		return "for=" + from + `;host="` + host + `";proto=` + p.proto()
	}
	return "for=" + from + ";host=" + host + ";proto=" + p.proto()
}

// Pseudonym is the name by which the gateway goes in Via and Proxy-Status.
const Pseudonym = "gatehouse"

// MaxHops is how often a request may come by: more is taken for a loop.
const MaxHops = 8

// Hops counts how often Via says that the request came by a gateway of ours.
func Hops(h policy.Header) int {
	n := 0
	for i := range h {
		if policy.EqualName(h[i].Name, "Via") {
			n += strings.Count(h[i].Value, Pseudonym)
		}
	}
	return n
}

// Via is what the gateway adds to Via for a message received with proto
// (RFC 9110 §7.6.3).
func Via(proto string) string {
	switch proto {
	case "HTTP/1.0":
		return "1.0 " + Pseudonym
	case "HTTP/2.0":
		return "2.0 " + Pseudonym
	}
	return "1.1 " + Pseudonym
}
