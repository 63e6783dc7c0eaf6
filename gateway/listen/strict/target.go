package strict

import (
	"bytes"
	"net/http"
	"strings"

	"gatehouse/gateway/head"
	"gatehouse/policy"
)

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
	case !escapes(target):
		return bad("the request target has a \"%\" that begins no escape")
	case target[0] == '/':
		return nil
	case string(target) == "*":
		if string(method) == "OPTIONS" {
			return nil
		}
	default:
		if authority, _, ok := Absolute(string(target)); ok {
			if _, ok := head.Host(authority); ok {
				return nil
			}
			return bad("the request target does not name a host, or names a user")
		}
	}
	return bad("the request target is neither a path nor an http URL")
}

// Absolute splits a target in absolute form.
func Absolute(target string) (authority, rest string, ok bool) {
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

// escapes tells whether each "%" in the path of a target begins an escape (RFC
// 3986 §2.1).
func escapes(target []byte) bool {
	for i := 0; i < len(target) && target[i] != '?'; i++ {
		if target[i] != '%' {
			continue
		}
		if i+2 >= len(target) || !hex(target[i+1]) || !hex(target[i+2]) {
			return false
		}
	}
	return true
}

func hex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }
