package head

import (
	"net/netip"
	"strings"
)

// Host reads the value of a Host field, or the authority of a target: a name or
// an address, then perhaps a port. It returns the host in lower case, without
// the port and without the dot that may end a name. ok is false when the text is
// anything else: user information, several hosts, an empty host.
func Host(text string) (host string, ok bool) {
	host = text
	if strings.HasPrefix(text, "[") {
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return "", false
		}
		a, err := netip.ParseAddr(text[1:end])
		if err != nil || !a.Is6() || a.Zone() != "" || !portOK(text[end+1:]) {
			return "", false
		}
		return "[" + a.String() + "]", true
	}
	if i := strings.IndexByte(text, ':'); i >= 0 {
		if host = text[:i]; !portOK(text[i:]) {
			return "", false
		}
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > 253 {
		return "", false
	}
	upper, label := false, 0
	for i := 0; i < len(host); i++ {
		switch c := host[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_':
			label++
		case c >= 'A' && c <= 'Z':
			upper = true
			label++
		case c == '.' && label > 0:
			label = 0
		default:
			return "", false
		}
	}
	if upper {
		host = strings.ToLower(host)
	}
	return host, label > 0
}

// WithPort is host with the port that text names, if any; text is what [Host]
// read it from.
func WithPort(host, text string) string {
	i := strings.LastIndexByte(text, ':')
	if i < 0 || i == len(text)-1 || text[len(text)-1] == ']' {
		return host
	}
	if text[:i] == host {
		return text
	}
	return host + text[i:]
}

// portOK reads "", ":" (RFC 3986 §3.2.3 lets the port be empty) or ":8080".
func portOK(text string) bool {
	if text == "" {
		return true
	}
	if text[0] != ':' || len(text) > 6 {
		return false
	}
	n := 0
	for _, c := range []byte(text[1:]) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}
