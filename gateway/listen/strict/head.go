package strict

import (
	"bytes"
	"net/http"

	"gatehouse/policy"
)

// A Message is what a head says about what follows it.
type Message struct {
	Length  int64 // of the body; when chunked it is not known
	Chunked bool
	// Last is set when nothing but the body may follow as HTTP: the caller
	// asks to switch protocols.
	Last bool
	// Preface is set when this is the start of HTTP/2 by prior knowledge.
	Preface bool

	// Plain is set for the requests that most are: HTTP/1.1, a path as target,
	// and no field that asks something of this connection but to close it.
	Plain bool
	// Close is set when the caller asks that the connection be closed.
	Close bool
	// Method, Target and Host are set by [Fields] only.
	Method, Target, Host string
}

func bad(detail string) *policy.Denial {
	return policy.Deny(http.StatusBadRequest, "message-malformed", detail)
}

// HeadEnd finds where the head that b begins with ends. line is where the
// current line begins, from an earlier call or 0. end is -1 while the head is not
// whole.
func HeadEnd(b []byte, line int) (end, next int, d *policy.Denial) {
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

// Head reads a whole head, with its empty line, as strictly as RFC 9112 allows
// and SAFETY asks.
func Head(b []byte, maxFields int) (Message, *policy.Denial) {
	return parse(b, "", maxFields, nil)
}

// Fields does what Head does and adds the fields to h, all but Host, in the order
// they came. text is b over again: names and values are parts of it.
func Fields(b []byte, text string, maxFields int, h *policy.Header) (Message, *policy.Denial) {
	return parse(b, text, maxFields, h)
}

func parse(b []byte, text string, maxFields int, h *policy.Header) (m Message, d *policy.Denial) {
	line, rest := cutLine(b)
	minor, target, method, d := requestLine(line)
	if d != nil {
		return m, d
	}
	if minor == preface {
		if m.Preface = len(rest) == 2; !m.Preface {
			return m, policy.Deny(http.StatusHTTPVersionNotSupported, "version-unsupported", "the preface of HTTP/2 has no fields")
		}
		return m, nil
	}
	var f framing
	at := len(b) - len(rest)
	for n := 0; len(rest) > 2; n++ {
		if n == maxFields {
			return m, policy.Deny(http.StatusRequestHeaderFieldsTooLarge, "fields-too-many", "the request has too many header fields")
		}
		line, rest = cutLine(rest)
		colon, from, to, d := f.field(line)
		if d != nil {
			return m, d
		}
		switch {
		case h == nil:
		case is(line[:colon], "host"):
			m.Host = text[at+from : at+to]
		default:
			*h = append(*h, policy.Field{Name: text[at : at+colon], Value: text[at+from : at+to]})
		}
		at = len(b) - len(rest)
	}
	if d := f.settle(minor, target); d != nil {
		return m, d
	}
	if h != nil {
		m.Method = text[:len(method)]
		m.Target = text[len(method)+1 : len(method)+1+len(target)]
	}
	m.Length, m.Chunked, m.Close = f.length, f.chunked, f.closes
	m.Last = f.websocket && f.upgrades && string(method) == "GET"
	m.Plain = minor == 1 && target[0] == '/' && !f.unusual
	return m, nil
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	return b[:i-1], b[i+1:]
}
