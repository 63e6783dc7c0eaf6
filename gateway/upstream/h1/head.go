package h1

import (
	"strings"

	"gatehouse/policy"
)

// A Head is the start of an answer, with its framing decided.
type Head struct {
	Status int
	// Length of the body that follows: -1 when Chunked or UntilClose.
	Length int64
	// Stated is what Content-Length said, or -1. It differs from Length in
	// answers to HEAD and in 304, which have no body.
	Stated     int64
	Chunked    bool
	UntilClose bool   // the body ends with the connection
	Last       bool   // the connection takes no further request
	Upgrade    string // the protocol of a 101
}

// state gathers what the fields say about framing before it is judged.
type state struct {
	old      bool // HTTP/1.0
	length   int64
	lengths  int
	codings  int
	chunked  bool
	listed   string // Connection's value when it names fields
	upgrade  string
	upgrades bool // Connection: upgrade
	close    bool
}

// ParseHead reads a complete head, which ends with an empty line, as the
// answer to a request of the given method. Fields are appended to h, without
// those of framing and of the connection. The strings in h share one copy of
// the head.
func ParseHead(head, method string, h *policy.Header) (Head, *Error) {
	line, rest := cutLine(head)
	out, st := Head{}, state{length: -1}
	var err *Error
	if out.Status, st.old, err = parseStatus(line); err != nil {
		return out, err
	}
	if n := strings.Count(rest, "\n") - 1; n > MaxFields {
		return out, &Error{Type: ResponseHeadTooLarge, Detail: "answer has too many fields"}
	} else if cap(*h)-len(*h) < n {
		*h = append(make(policy.Header, 0, len(*h)+n), *h...)
	}
	for {
		if line, rest = cutLine(rest); line == "" {
			break
		}
		f, err := parseField(line)
		if err != nil {
			return out, err
		}
		if k := know(f.Name); k == ordinary || k == host || k == expect {
			*h = append(*h, f)
		} else if err = st.note(k, f.Value); err != nil {
			return out, err
		}
	}
	if rest != "" {
		return out, malformed("head goes on behind its end")
	}
	if st.listed != "" {
		dropListed(h, st.listed)
	}
	return out, st.judge(method, &out)
}

// parseStatus reads "HTTP/1.1 200 OK". The space before an absent reason may
// be absent too, as common servers have it.
func parseStatus(line string) (status int, old bool, err *Error) {
	const proto = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || line[:len(proto)] != proto || line[8] != ' ' {
		return 0, false, malformed("answer has a malformed status line")
	}
	switch line[7] {
	case '0':
		old = true
	case '1':
	default:
		return 0, false, malformed("answer is not in HTTP/1.0 or HTTP/1.1")
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return 0, false, malformed("answer has a malformed status")
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 || status > 599 { // RFC 9110 §15: others are invalid
		return 0, false, malformed("answer has a status outside of 100 to 599")
	}
	if len(line) > 12 && (line[12] != ' ' || !all(line[12:], classValue)) {
		return 0, false, malformed("answer has a malformed reason")
	}
	return status, old, nil
}

// note takes down one field of framing or connection.
func (st *state) note(k known, value string) *Error {
	switch k {
	case contentLength:
		n, ok := parseLength(value)
		if !ok {
			return malformed("answer has a malformed Content-Length")
		}
		st.length = n
		st.lengths++
	case transferEncoding:
		st.codings++
		st.chunked = policy.EqualName(value, "chunked")
	case upgrade:
		if st.upgrade != "" {
			value = st.upgrade + ", " + value
		}
		st.upgrade = value
	case connection:
		eachItem(value, func(item string) {
			switch {
			case policy.EqualName(item, "close"):
				st.close = true
			case policy.EqualName(item, "upgrade"):
				st.upgrades = true
			case policy.EqualName(item, "keep-alive"):
			default:
				st.listed += "," + item
			}
		})
	}
	return nil
}

// parseLength reads 1*DIGIT that fits an int64: no sign, no list, no space.
func parseLength(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// judge decides the framing by RFC 9112 §6.3 and refuses what it leaves to taste.
func (st *state) judge(method string, h *Head) *Error {
	switch {
	case st.lengths > 1:
		return malformed("answer has Content-Length more than once")
	case st.codings > 0 && st.lengths > 0:
		return malformed("answer has both Content-Length and Transfer-Encoding")
	case st.codings > 0 && st.old:
		return malformed("answer in HTTP/1.0 has Transfer-Encoding")
	case st.codings > 1 || st.codings == 1 && !st.chunked:
		return &Error{Type: ResponseCoding, Detail: "answer has a transfer coding other than chunked"}
	}
	h.Last = st.close || st.old
	h.Stated = st.length
	switch {
	case h.Status == 101:
		if !st.upgrades || st.upgrade == "" || st.old || st.codings > 0 || st.length > 0 {
			return &Error{Type: UpgradeFailed, Detail: "answer 101 does not say to what it switches"}
		}
		h.Upgrade = st.upgrade
	case h.Status < 200, h.Status == 204:
		// Never a body, whatever the fields say (RFC 9112 §6.3 rule 1). One
		// that says otherwise may well send it: nothing after it is believed.
		h.Last = h.Last || st.codings > 0 || st.length > 0
		h.Stated = -1
	case h.Status == 304 || method == "HEAD":
	case st.chunked:
		h.Chunked, h.Length = true, -1
	case st.lengths == 1:
		h.Length = st.length
	default:
		h.UntilClose, h.Last, h.Length = true, true, -1
	}
	return nil
}
