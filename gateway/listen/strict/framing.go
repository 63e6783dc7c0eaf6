package strict

import (
	"bytes"
	"net/http"
	"strings"

	"gatehouse/gateway/head"
	"gatehouse/policy"
)

// framing gathers what the fields of a head say about its message.
type framing struct {
	hosts     int
	host      []byte
	lengths   int
	length    int64
	codings   int
	chunked   bool
	misled    bool // Trailer: a field that frames
	upgrades  bool // Connection: upgrade
	websocket bool
	closes    bool // Connection: close
	unusual   bool // something is asked of this connection
}

// field reads one field line (RFC 9112 §5). It returns where the name ends and
// the value lies.
func (f *framing) field(line []byte) (colon, from, to int, d *policy.Denial) {
	i := bytes.IndexByte(line, ':')
	switch {
	case line[0] == ' ' || line[0] == '\t':
		return 0, 0, 0, bad("a header field is folded")
	case i <= 0 || !all(line[:i], inToken):
		return 0, 0, 0, bad("a header field has no name, or one that is not a token")
	}
	from, to = i+1, len(line)
	for from < to && blank(line[from]) {
		from++
	}
	for from < to && blank(line[to-1]) {
		to--
	}
	name, value := line[:i], line[from:to]
	if !all(value, inValue) {
		return 0, 0, 0, bad("a header field has a control character in its value")
	}
	return i, from, to, f.known(name, value)
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// known takes note of the fields that frame a message or speak of a connection.
func (f *framing) known(name, value []byte) *policy.Denial {
	switch len(name) {
	case 2:
		f.unusual = f.unusual || is(name, "te")
	case 4:
		if is(name, "host") {
			f.hosts++
			f.host = value
		}
	case 6:
		f.unusual = f.unusual || is(name, "expect")
	case 7:
		if is(name, "upgrade") {
			f.websocket, f.unusual = is(value, "websocket"), true
		}
		if is(name, "trailer") {
			f.unusual = true
			f.trailer(value)
		}
	case 10:
		if is(name, "connection") {
			f.connection(value)
		}
	case 14:
		if is(name, "content-length") {
			f.lengths++
			n, ok := digits(value)
			if !ok {
				return bad("Content-Length is not a number")
			}
			f.length = n
		}
	case 17:
		if is(name, "transfer-encoding") {
			f.codings++
			if !is(value, "chunked") {
				return policy.Deny(http.StatusNotImplemented, "coding-unsupported", `the only transfer coding is "chunked", alone`)
			}
			f.chunked = true
		}
	}
	return nil
}

func (f *framing) connection(value []byte) {
	for item := range bytes.SplitSeq(value, []byte(",")) {
		switch item = bytes.Trim(item, " \t"); {
		case is(item, "close"):
			f.closes = true
		case is(item, "upgrade"):
			f.upgrades, f.unusual = true, true
		case !is(item, "keep-alive"):
			f.unusual = true
		}
	}
}

// trailer looks for fields that must not stand behind the content (RFC 9110 §6.5.1).
func (f *framing) trailer(value []byte) {
	for item := range bytes.SplitSeq(value, []byte(",")) {
		item = bytes.Trim(item, " \t")
		f.misled = f.misled || is(item, "content-length") || is(item, "transfer-encoding") || is(item, "trailer")
	}
}

// settle judges the fields together (RFC 9112 §3.2, §6.1, §6.3).
func (f *framing) settle(minor int, target []byte) *policy.Denial {
	switch {
	case f.lengths > 1:
		return bad("Content-Length is there twice")
	case f.codings > 1:
		return bad("Transfer-Encoding is there twice")
	case f.chunked && f.lengths > 0:
		return bad("Content-Length and Transfer-Encoding are there together")
	case f.chunked && minor == 0:
		return bad("Transfer-Encoding is there in HTTP/1.0")
	case f.chunked && f.misled:
		return bad("Trailer announces a field that frames the message")
	case f.hosts > 1:
		return bad("Host is there twice")
	case f.hosts == 0 && minor == 1:
		return bad("Host is missing")
	case f.hosts == 1:
		// In absolute form the target's host holds and Host must be ignored,
		// but not every byte string is a Host.
		if _, ok := head.Host(string(f.host)); !ok && (len(f.host) > 0 || target[0] == '/') {
			return bad("Host is not a name or an address with a port")
		}
	}
	return nil
}

func is(b []byte, name string) bool {
	return len(b) == len(name) && strings.EqualFold(string(b), name)
}

// digits reads 1*DIGIT that fits in an int64 with room to spare.
func digits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
