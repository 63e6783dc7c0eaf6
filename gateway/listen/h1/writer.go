package h1

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/listen/strict"
	"gatehouse/policy"
)

// A writer puts a call's answer on the connection. What is small leaves in one
// write, when the answer is at its end.
type writer struct {
	c     *conn
	body  *body // of the request
	head  bool  // the request is HEAD
	close bool  // the connection ends with this answer

	room    *[outRoom]byte // what out is part of, as long as it fits
	out     []byte
	fresh   bool // the connection knows the time
	begun   bool
	bare    bool  // the answer has no content
	length  int64 // of the content that is to come; -1 when unknown
	framed  bool  // the head is at its end
	chunked bool
	ended   bool
	aborted bool
	err     error
	both    [2][]byte
}

// Interim implements pipeline.Writer.
func (w *writer) Interim(status int, h policy.Header) {
	if w.begun || w.aborted || w.err != nil || status <= http.StatusSwitchingProtocols || status > 199 {
		return
	}
	w.open()
	w.out = appendFields(appendStatus(w.out, status), status, h)
	w.out = append(w.out, "\r\n"...)
	w.writable()
	_, w.err = w.c.nc.Write(w.out)
	w.sent()
}

// Head implements pipeline.Writer.
func (w *writer) Head(status int, h policy.Header, length int64) {
	if status < 200 || status > 999 {
		w.Abort() // nothing that is an answer
		return
	}
	w.begun, w.length = true, length
	w.bare = w.head || status == http.StatusNoContent || status == http.StatusNotModified
	w.c.now, w.fresh = time.Now(), true
	w.open()
	b := appendFields(appendStatus(w.out, status), status, h)
	if h.Count("Date") == 0 {
		b = append(append(append(b, "Date: "...), date(w.c.now)...), "\r\n"...)
	}
	if w.close = w.close || w.c.lane.o.Closing() || w.body != nil && !w.body.settled(); w.close {
		b = append(b, "Connection: close\r\n"...)
	}
	w.out = b
	if w.bare || length >= 0 {
		w.frame(length, status)
	}
}

func appendStatus(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if text := http.StatusText(status); text != "" {
		b = append(b, text...)
	} else {
		b = strconv.AppendInt(append(b, "status code "...), int64(status), 10)
	}
	return append(b, "\r\n"...)
}

// appendFields writes fields without those of framing and connection.
func appendFields(b []byte, status int, h policy.Header) []byte {
	for i := range h {
		f := &h[i]
		if head.OfConnection(f.Name) || !strict.Token(f.Name) || status == http.StatusNotModified && policy.EqualName(f.Name, "Content-Type") {
			continue
		}
		b = append(append(b, f.Name...), ": "...)
		b = append(appendValue(b, f.Value), "\r\n"...)
	}
	return b
}

// open takes a buffer, and sent gives it back.
func (w *writer) open() {
	if w.room == nil {
		w.room = outputs.Get().(*[outRoom]byte)
		w.out = w.room[:0]
	}
}

func (w *writer) sent() {
	if w.out = nil; w.room != nil {
		outputs.Put(w.room)
		w.room = nil
	}
}

// frame ends the head.
func (w *writer) frame(length int64, status int) {
	w.framed = true
	switch {
	case length >= 0 && status != http.StatusNoContent && status != http.StatusNotModified:
		w.out = strconv.AppendInt(append(w.out, "Content-Length: "...), length, 10)
		w.out = append(w.out, "\r\n"...)
	case !w.bare:
		w.chunked = true
		w.out = append(w.out, "Transfer-Encoding: chunked\r\n"...)
	}
	w.out = append(w.out, "\r\n"...)
}

// Write implements pipeline.Writer.
func (w *writer) Write(p []byte) (int, error) {
	switch {
	case w.err != nil:
		return 0, w.err
	case !w.begun || w.ended || w.aborted:
		return 0, errors.New("an answer is written out of its turn")
	case w.bare || len(p) == 0:
		return len(p), nil
	case !w.framed:
		w.frame(-1, 0)
	}
	w.open()
	if w.chunked {
		w.out = strconv.AppendInt(w.out, int64(len(p)), 16)
		w.out = append(w.out, "\r\n"...)
		if w.emit(p); w.err == nil {
			w.out = append(w.out, "\r\n"...)
		}
		return w.result(len(p))
	}
	n := int(min(int64(len(p)), w.length))
	w.length -= int64(n)
	if w.emit(p[:n]); w.err == nil && n < len(p) {
		w.err = http.ErrContentLength
	}
	return w.result(n)
}

func (w *writer) result(n int) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	return n, nil
}

// emit adds p to what is to be sent, or sends both.
func (w *writer) emit(p []byte) {
	if len(w.out)+len(p) <= outRoom-64 {
		w.out = append(w.out, p...)
		return
	}
	w.both = [2][]byte{w.out, p}
	both := net.Buffers(w.both[:])
	w.writable()
	_, w.err = both.WriteTo(w.c.nc)
	w.both = [2][]byte{}
	w.out = w.out[:0]
}

// Flush implements pipeline.Writer.
func (w *writer) Flush() error {
	if w.begun && !w.framed {
		w.frame(-1, 0)
	}
	if w.err == nil && len(w.out) > 0 && !w.aborted {
		w.writable()
		_, w.err = w.c.nc.Write(w.out)
		w.sent()
	}
	return w.err
}

func (w *writer) writable() {
	if !w.fresh {
		w.c.now = time.Now()
	}
	w.fresh = false
	w.c.writable()
}

// Trailer implements pipeline.Writer.
func (w *writer) Trailer(h policy.Header) {
	if w.begun && !w.framed {
		w.frame(-1, 0)
	}
	if !w.chunked || w.ended {
		return
	}
	w.ended = true
	w.open()
	b := append(w.out, "0\r\n"...)
	for i := range h {
		if f := &h[i]; !head.OfConnection(f.Name) && strict.Token(f.Name) {
			b = append(append(b, f.Name...), ": "...)
			b = append(appendValue(b, f.Value), "\r\n"...)
		}
	}
	w.out = append(b, "\r\n"...)
}

// Abort implements pipeline.Writer.
func (w *writer) Abort() {
	w.aborted, w.close = true, true
	w.sent()
}

// Switch implements pipeline.Writer: who asks for it is in the other lane.
func (w *writer) Switch(policy.Header) (io.ReadWriteCloser, error) {
	return nil, errors.New("this lane does not switch protocols")
}

// finish ends the answer and tells whether the connection can be kept.
func (w *writer) finish() bool {
	switch {
	case w.aborted || !w.begun:
		return false
	case !w.framed:
		w.frame(0, 0)
	case w.chunked && !w.ended:
		w.open()
		w.out = append(w.out, "0\r\n\r\n"...)
	}
	w.ended = true
	torn := !w.bare && !w.chunked && w.length > 0
	kept := w.Flush() == nil && !torn
	w.sent()
	return kept
}

// appendValue appends a field's value; bytes that none may have become spaces.
func appendValue(b []byte, v string) []byte {
	if strict.Value(v) {
		return append(b, v...)
	}
	for i := 0; i < len(v); i++ {
		if strict.Value(v[i : i+1]) {
			b = append(b, v[i])
		} else {
			b = append(b, ' ')
		}
	}
	return b
}

type stamp struct {
	second int64
	text   string
}

var today atomic.Pointer[stamp]

// date is the Date field's value (RFC 9110 §6.6.1), made once a second.
func date(t time.Time) string {
	if s := today.Load(); s != nil && s.second == t.Unix() {
		return s.text
	}
	s := &stamp{t.Unix(), t.UTC().Format(http.TimeFormat)}
	today.Store(s)
	return s.text
}
