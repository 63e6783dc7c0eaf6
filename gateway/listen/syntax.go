package listen

import (
	"bytes"
	"net/http"
	"strings"

	"gatehouse/gateway/head"
	"gatehouse/policy"
)

// Bytes of a token (RFC 9110 §5.6.2), of a field's value (§5.5) and of a request
// target, as bits.
const (
	inToken = 1 << iota
	inValue
	inTarget
)

var class = func() (t [256]uint8) {
	for c := 0x21; c < 256; c++ {
		if c == 0x7f {
			continue
		}
		t[c] |= inValue | inTarget
	}
	t[' '] |= inValue
	t['\t'] |= inValue
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		t[c] |= inToken
	}
	return t
}()

func all(b []byte, bit uint8) bool {
	for _, c := range b {
		if class[c]&bit == 0 {
			return false
		}
	}
	return true
}

// A message is what a head says about what follows it.
type message struct {
	length  int64 // of the body; when chunked it is not known
	chunked bool
	// last is set when nothing but the body may follow as HTTP: the caller
	// asks to switch protocols.
	last bool
	// preface is set when this is the start of HTTP/2 by prior knowledge.
	preface bool
}

func bad(detail string) *policy.Denial {
	return policy.Deny(http.StatusBadRequest, "message-malformed", detail)
}

// headEnd finds where the head that b begins with ends. line is where the
// current line begins, from an earlier call or 0. end is -1 while the head is not
// whole.
func headEnd(b []byte, line int) (end, next int, d *policy.Denial) {
	for {
		i := bytes.IndexByte(b[line:], '\n')
		if i < 0 {
			return -1, line, nil
		}
		text := b[line : line+i]
		if i == 0 || text[i-1] != '\r' {
			return 0, 0, bad("a line ends in a bare line feed")
		}
		line += i + 1
		if i == 1 {
			return line, line, nil
		}
	}
}

// parseHead reads a whole head, with its empty line, as strictly as RFC 9112
// allows and SAFETY asks.
func parseHead(b []byte, maxFields int) (m message, d *policy.Denial) {
	line, rest := cutLine(b)
	minor, target, method, d := requestLine(line)
	if d != nil {
		return m, d
	}
	if minor == preface {
		m.preface = len(rest) == 2
		return m, nil
	}
	var f framing
	for n := 0; len(rest) > 2; n++ {
		if n == maxFields {
			return m, policy.Deny(http.StatusRequestHeaderFieldsTooLarge, "fields-too-many", "the request has too many header fields")
		}
		line, rest = cutLine(rest)
		if d := f.field(line); d != nil {
			return m, d
		}
	}
	if d := f.settle(minor, target); d != nil {
		return m, d
	}
	m.length, m.chunked = f.length, f.chunked
	m.last = f.websocket && f.upgrades && string(method) == "GET"
	return m, nil
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	return b[:i-1], b[i+1:]
}

// preface stands for the version of HTTP/2's connection preface.
const preface = -1

func requestLine(line []byte) (minor int, target, method []byte, d *policy.Denial) {
	method, rest, ok := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	switch {
	case string(line) == "PRI * HTTP/2.0":
		return preface, nil, nil, nil
	case !ok || !ok2 || len(method) == 0 || len(method) > 32 || !all(method, inToken):
		return 0, nil, nil, bad("the request line is not a method, a target and a version with single spaces")
	case len(target) == 0 || !all(target, inTarget):
		return 0, nil, nil, bad("the request target has a byte that none may have")
	}
	switch {
	case string(version) == "HTTP/1.1":
		minor = 1
	case string(version) == "HTTP/1.0":
	case len(version) == 8 && bytes.HasPrefix(version, []byte("HTTP/")) && version[6] == '.':
		return 0, nil, nil, policy.Deny(http.StatusHTTPVersionNotSupported, "version-unsupported", "the version of HTTP is not one of 1.0, 1.1 and 2")
	default:
		return 0, nil, nil, bad("the request line does not end in a version of HTTP")
	}
	return minor, target, method, checkTarget(method, target)
}

// checkTarget allows the origin form, the absolute form, and "*" for OPTIONS
// (RFC 9112 §3.2).
func checkTarget(method, target []byte) *policy.Denial {
	switch {
	case string(method) == "CONNECT":
		return policy.Deny(http.StatusNotImplemented, "connect-unsupported", "the gateway makes no tunnels to places a caller names")
	case bytes.IndexByte(target, '#') >= 0:
		return bad("the request target has a fragment")
	case target[0] == '/':
		return nil
	case string(target) == "*":
		if string(method) == "OPTIONS" {
			return nil
		}
	default:
		if authority, _, ok := absolute(string(target)); ok {
			if _, ok := head.Host(authority); ok {
				return nil
			}
			return bad("the request target does not name a host, or names a user")
		}
	}
	return bad("the request target is neither a path nor an http URL")
}

// absolute splits a target in absolute form.
func absolute(target string) (authority, rest string, ok bool) {
	i := strings.Index(target, "://")
	if i < 0 || !strings.EqualFold(target[:i], "http") && !strings.EqualFold(target[:i], "https") {
		return "", "", false
	}
	target = target[i+3:]
	if i = strings.IndexAny(target, "/?"); i < 0 {
		return target, "", true
	}
	return target[:i], target[i:], true
}
