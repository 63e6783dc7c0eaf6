package h1

import (
	"strings"

	"gatehouse/policy"
)

// A known name is one that means something to framing or to one connection.
type known uint8

const (
	ordinary known = iota
	contentLength
	transferEncoding
	connection
	upgrade
	trailer
	host
	expect
	hop // belongs to one connection and says nothing we act on
)

// know tells the names that are never copied from the rest, by length first.
func know(name string) known {
	switch len(name) {
	case 2:
		return is(name, "te", hop)
	case 4:
		return is(name, "host", host)
	case 6:
		return is(name, "expect", expect)
	case 7:
		return is(name, "upgrade", upgrade) | is(name, "trailer", trailer)
	case 10:
		return is(name, "connection", connection) | is(name, "keep-alive", hop)
	case 14:
		return is(name, "content-length", contentLength) | is(name, "http2-settings", hop)
	case 16:
		return is(name, "proxy-connection", hop)
	case 17:
		return is(name, "transfer-encoding", transferEncoding)
	case 18:
		return is(name, "proxy-authenticate", hop)
	case 19:
		return is(name, "proxy-authorization", hop)
	}
	return ordinary
}

func is(name, want string, k known) known {
	if policy.EqualName(name, want) {
		return k
	}
	return ordinary
}

// cutLine takes the line up to CRLF off s; s is known to end in CRLF and to
// hold no LF without a CR.
func cutLine(s string) (line, rest string) {
	i := strings.IndexByte(s, '\n')
	return s[:i-1], s[i+1:]
}

// parseField reads one field line (RFC 9112 §5). Whitespace before the colon,
// folding, controls and bare CR all fail.
func parseField(line string) (policy.Field, *Error) {
	i := 0
	for i < len(line) && class[line[i]]&classToken != 0 {
		i++
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return policy.Field{}, malformed("answer has a malformed field name")
	}
	value := trim(line[i+1:])
	if !all(value, classValue) {
		return policy.Field{}, malformed("answer has a control character in a field")
	}
	return policy.Field{Name: line[:i], Value: value}, nil
}

// dropListed removes the fields that Connection names (RFC 9110 §7.6.1).
func dropListed(h *policy.Header, list string) {
	eachItem(list, func(item string) {
		if !policy.EqualName(item, "close") && !policy.EqualName(item, "keep-alive") {
			h.Del(item)
		}
	})
}

// OfConnection tells whether a field frames a message or speaks of one
// connection, Host and Expect among them; such fields are never copied.
func OfConnection(name string) bool { return know(name) != ordinary }
