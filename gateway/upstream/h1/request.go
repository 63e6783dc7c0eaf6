package h1

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"gatehouse/policy"
)

// A Request is one request as it goes on the wire.
type Request struct {
	Method string
	Host   string // the Host field's value
	// Base and Path make the request target, with Query behind a "?" when it
	// is not empty.
	Base, Path, Query string
	// Header's fields are sent as they are, save those of framing and of the
	// connection, which are made here.
	Header policy.Header

	// Whole is a body sent with the head in one write. Stream is one that is
	// sent as it comes, Length bytes of it, or chunked when Length is -1.
	// With neither there is no body.
	Whole  []byte
	Stream io.Reader
	Length int64
	// Trailers gives what goes behind a chunked Stream, once that has been read;
	// nil for nothing. Fields whose name Header has are left out: a server that
	// takes both for one must not be told otherwise behind the content. Announced
	// names what may come.
	Trailers  policy.Trailers
	Announced []string

	// Early takes interim answers other than 100 and 101; may be nil.
	Early policy.Early
	// Expect asks the peer for 100 Continue before Stream is read.
	Expect bool
	// Upgrade asks for a switch to this protocol; only with GET and no body.
	Upgrade string
	// Close tells the peer that this is the connection's last request.
	Close bool
}

// appendTo writes the head, and Whole behind it, to b. What could break out of
// its place on the wire is refused: policies make header values of what
// callers send.
func (r *Request) appendTo(b []byte) ([]byte, *Error) {
	if !token(r.Method) || r.Method == "CONNECT" {
		return b, unwritable("method")
	}
	if !all(r.Base, classTarget) || !all(r.Path, classTarget) || !all(r.Query, classTarget) {
		return b, unwritable("request target")
	}
	if r.Host == "" || !all(r.Host, classTarget) {
		return b, unwritable("host")
	}
	b = append(b, r.Method...)
	b = append(b, ' ')
	// In origin form, whatever it is made of (RFC 9112 §3.2.1): what begins
	// otherwise could be read as an absolute one, with a host of its own.
	if !strings.HasPrefix(r.Base, "/") && (r.Base != "" || !strings.HasPrefix(r.Path, "/")) {
		b = append(b, '/')
	}
	b = append(b, r.Base...)
	b = append(b, r.Path...)
	if r.Query != "" {
		b = append(b, '?')
		b = append(b, r.Query...)
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	b = append(b, "\r\n"...)
	for i := range r.Header {
		f := &r.Header[i]
		if know(f.Name) != ordinary {
			continue
		}
		if !token(f.Name) || !all(f.Value, classValue) {
			return b, unwritable("header field")
		}
		b = append(b, f.Name...)
		b = append(b, ": "...)
		b = append(b, f.Value...)
		b = append(b, "\r\n"...)
	}
	b, err := r.appendFraming(b)
	return append(b, r.Whole...), err
}

func (r *Request) appendFraming(b []byte) ([]byte, *Error) {
	switch {
	case r.Upgrade != "":
		if !token(r.Upgrade) || r.Stream != nil || len(r.Whole) > 0 {
			return b, unwritable("upgrade")
		}
		b = append(b, "Connection: Upgrade\r\nUpgrade: "...)
		b = append(b, r.Upgrade...)
		b = append(b, "\r\n"...)
	case r.Close:
		b = append(b, "Connection: close\r\n"...)
	}
	switch {
	case r.Stream != nil && r.Length < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		if names := r.Announces(); len(names) > 0 { // RFC 9110 §6.6.2
			b = append(append(append(b, "Trailer: "...), strings.Join(names, ", ")...), "\r\n"...)
		}
	case r.Stream != nil:
		b = appendLength(b, r.Length)
	case len(r.Whole) > 0 || expectsBody(r.Method):
		b = appendLength(b, int64(len(r.Whole)))
	}
	if r.Expect && r.Stream != nil {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	return append(b, "\r\n"...), nil
}

// Announces are those of the announced fields that may go behind the body.
func (r *Request) Announces() []string {
	r.Announced = slices.DeleteFunc(r.Announced, func(name string) bool { return !r.mayTrail(name) })
	return r.Announced
}

// lastChunk ends a chunked Stream, with what goes behind it.
func (r *Request) lastChunk(b []byte) []byte {
	b = append(b, "0\r\n"...)
	for _, f := range r.Trailer() {
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// Trailer are the fields that go behind the Stream, which has been read to its end.
func (r *Request) Trailer() policy.Header {
	if r.Trailers == nil {
		return nil
	}
	var out policy.Header
	for _, f := range r.Trailers.Trailer() {
		if r.mayTrail(f.Name) && all(f.Value, classValue) {
			out = append(out, f)
		}
	}
	return out
}

func (r *Request) mayTrail(name string) bool {
	if !token(name) || know(name) != ordinary {
		return false
	}
	for i := range r.Header {
		if alike(r.Header[i].Name, name) {
			return false
		}
	}
	return true
}

// alike compares names as servers do that turn "-" and "_" into one.
func alike(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(strings.ReplaceAll(a, "_", "-"), strings.ReplaceAll(b, "_", "-"))
}

func appendLength(b []byte, n int64) []byte {
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, n, 10)
	return append(b, "\r\n"...)
}

// expectsBody: methods that say "Content-Length: 0" when they have none
// (RFC 9110 §8.6).
func expectsBody(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

func unwritable(what string) *Error {
	return &Error{Type: InternalError, Detail: what + " cannot be written to the wire", Unsent: true, Silent: true}
}
