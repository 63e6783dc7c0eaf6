// Package head puts a request's head in order before anything trusts it: the
// host is read one way, fields of one connection go, fields in which the
// gateway speaks are the gateway's alone.
//
// It works on policy.Header so that every engine beneath shares it. Whether the
// bytes of a head are well formed is settled before, by package listen.
package head

import (
	"strings"

	"gatehouse/policy"
)

// Clean removes from a request's header the fields that belong to one
// connection (RFC 9110 §7.6.1): those of the standard and those that Connection
// names. A name in Connection cannot take away what the gateway itself reads or
// writes, such as Authorization or keyHeader. It returns the protocol that the
// caller asks to switch to, when Connection says so too.
func Clean(h *policy.Header, keyHeader string) (upgrade string) {
	var asked string
	listed := false
	for i := range *h {
		switch f := &(*h)[i]; {
		case policy.EqualName(f.Name, "Connection"):
			listed = true
		case policy.EqualName(f.Name, "Upgrade"):
			asked = f.Value
		}
	}
	if listed {
		for _, line := range h.Values("Connection") {
			for name := range strings.SplitSeq(line, ",") {
				switch name = strings.Trim(name, " \t"); {
				case policy.EqualName(name, "upgrade"):
					upgrade = asked
				case name != "" && !kept(name) && !same(name, keyHeader):
					h.Del(name)
				}
			}
		}
	}
	drop(h, hop)
	return upgrade
}

// hop tells the names that belong to one connection, or frame one message.
// Framing is known by its underscore variants too, and "Proxy" is among them:
// backends of the CGI kind (RFC 3875 §4.1.18) take both for their own.
func hop(name string) bool {
	switch len(name) {
	case 2:
		return policy.EqualName(name, "TE")
	case 4:
		return policy.EqualName(name, "Host")
	case 5:
		return policy.EqualName(name, "Proxy")
	case 7:
		return policy.EqualName(name, "Upgrade") || policy.EqualName(name, "Trailer")
	case 10:
		return policy.EqualName(name, "Connection") || policy.EqualName(name, "Keep-Alive")
	case 14:
		return same(name, "Content-Length") || policy.EqualName(name, "HTTP2-Settings")
	case 16:
		return policy.EqualName(name, "Proxy-Connection")
	case 17:
		return same(name, "Transfer-Encoding")
	case 18:
		return policy.EqualName(name, "Proxy-Authenticate")
	case 19:
		return policy.EqualName(name, "Proxy-Authorization")
	}
	return false
}

// kept tells the names that Connection may list without effect: what they say
// is for the gateway or for the backend, not for this connection.
func kept(name string) bool {
	if ours(name) || forwarded(name) {
		return true
	}
	for _, k := range []string{"Authorization", "Cookie", "Origin", "Content-Type", "Content-Encoding", "Expect", "Via",
		"Traceparent", "Tracestate", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		if policy.EqualName(name, k) {
			return true
		}
	}
	return false
}

func drop(h *policy.Header, which func(string) bool) {
	at := 0
	for at < len(*h) && !which((*h)[at].Name) {
		at++
	}
	if at == len(*h) {
		return
	}
	keep := (*h)[:at]
	for _, f := range (*h)[at:] {
		if !which(f.Name) {
			keep = append(keep, f)
		}
	}
	clear((*h)[len(keep):])
	*h = keep
}

// same compares names as servers do that turn "-" and "_" into one (CGI,
// RFC 3875 §4.1.18), without regard to case.
func same(a, b string) bool {
	return len(a) == len(b) && hasPrefix(a, b)
}

func hasPrefix(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		if fold(name[i]) != fold(prefix[i]) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	switch {
	case c == '_':
		return '-'
	case c >= 'A' && c <= 'Z':
		return c | 0x20
	}
	return c
}

// OfConnection tells whether a field frames a message or speaks of one
// connection only, so that it is never copied from one message to another.
func OfConnection(name string) bool { return hop(name) }
