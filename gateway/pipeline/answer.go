package pipeline

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"

	"gatehouse/gateway/head"
	"gatehouse/policy"
)

// ProblemBase begins the type of every problem (RFC 9457 §3.1.1).
const ProblemBase = "https://gatehouse.dev/problems/"

// refuse answers with a denial, after the response halves had their say.
func (c *Call) refuse(d *policy.Denial) {
	r := &c.Response
	r.Status, r.Denial, r.Header = d.Status, d, r.Header[:0]
	body, kind := d.Body, d.ContentType
	if !d.Answer {
		body, kind = c.problem(d), "application/problem+json"
		r.Header.Add("Cache-Control", "no-store")
		if d.Header.Count("Proxy-Status") == 0 {
			r.Header.Add("Proxy-Status", head.Pseudonym+"; error="+proxyError(d))
		}
		if c.denied = d.Policy; c.denied == "" {
			c.denied = problemType(d)
		}
	} else if d.Policy != "" {
		c.denied = d.Policy
	}
	if kind != "" {
		r.Header.Add("Content-Type", kind)
	}
	r.Header = append(r.Header, d.Header...)
	c.back()
	length := int64(len(body))
	if r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		length, body = -1, nil
	}
	c.begin(length)
	if c.Method != http.MethodHead {
		c.write(body)
	}
}

// problem writes the denial as application/problem+json (RFC 9457).
func (c *Call) problem(d *policy.Denial) []byte {
	b := make([]byte, 0, 384)
	b = append(b, `{"type":"`...)
	b = appendText(append(b, ProblemBase...), problemType(d))
	b = append(b, `","title":"`...)
	b = appendText(b, http.StatusText(d.Status))
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(d.Status), 10)
	if d.Detail != "" {
		b = append(b, `,"detail":"`...)
		b = append(appendText(b, d.Detail), '"')
	}
	if d.Policy != "" {
		b = append(b, `,"policy":"`...)
		b = append(appendText(b, d.Policy), '"')
	}
	b = append(b, `,"instance":"urn:gatehouse:request:`...)
	b = append(b, c.id...)
	return append(b, '"', '}', '\n')
}

// problemType is the denial's own or, where it names none, its status.
func problemType(d *policy.Denial) string {
	if d.Type != "" {
		return d.Type
	}
	return "status-" + strconv.Itoa(d.Status)
}

// proxyError is the error type of RFC 9209 §2.3 for a denial.
func proxyError(d *policy.Denial) string {
	switch {
	case d.Policy != "":
		return "http_request_denied"
	case d.Type == "api-unknown":
		return "destination_not_found"
	case d.Type == "internal":
		return "proxy_internal_error"
	case d.Type == "not-ready":
		return "destination_unavailable"
	case d.Status == http.StatusLoopDetected:
		return "proxy_loop_detected"
	case d.Status == http.StatusUnauthorized || d.Status == http.StatusForbidden:
		return "http_request_denied"
	}
	return "http_request_error"
}

// begin sends the answer's head with the fields that every answer has.
func (c *Call) begin(length int64) {
	h := &c.Response.Header
	c.own(h)
	c.status, c.started = c.Response.Status, true
	c.Writer.Head(c.Response.Status, *h, length)
}

func (c *Call) own(h *policy.Header) {
	h.Set(head.RequestID, c.id)
	if c.api != nil {
		*h = append(*h, c.api.fields...)
	}
}

func (c *Call) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n, err := c.Writer.Write(p)
	c.out += int64(n)
	if err != nil {
		c.abort()
	}
	return err
}

func (c *Call) abort() {
	if c.status == 0 {
		c.status = statusClosed
	}
	if !c.aborted {
		c.aborted = true
		c.Writer.Abort()
	}
}

// statusClosed is what a call is counted as whose caller left before there was
// an answer (as nginx logs it).
const statusClosed = 499

var (
	process = rand.Uint64()
	serial  atomic.Uint64
)

// newID names a request: 128 bits, of the process and of a counter.
func newID() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], process)
	binary.BigEndian.PutUint64(raw[8:], serial.Add(1)*0x9E3779B97F4A7C15^process)
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

// appendText appends s as the inside of a JSON string.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
