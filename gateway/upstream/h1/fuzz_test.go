package h1

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/policy"
)

// A tape is a connection that plays bytes and takes any, step bytes at a time.
type tape struct {
	io.Reader
	step int
}

func (t *tape) Read(p []byte) (int, error) {
	if t.step > 0 && len(p) > t.step {
		p = p[:t.step]
	}
	return t.Reader.Read(p)
}
func (*tape) Write(p []byte) (int, error)      { return len(p), nil }
func (*tape) Close() error                     { return nil }
func (*tape) LocalAddr() net.Addr              { return nil }
func (*tape) RemoteAddr() net.Addr             { return nil }
func (*tape) SetDeadline(time.Time) error      { return nil }
func (*tape) SetReadDeadline(time.Time) error  { return nil }
func (*tape) SetWriteDeadline(time.Time) error { return nil }

type owner struct{ kept, closed int }

func (o *owner) Return(_ *Conn, reusable bool) {
	if reusable {
		o.kept++
	} else {
		o.closed++
	}
}

// play makes one exchange whose answer is data.
func play(t testing.TB, data []byte, step int, method string) (h policy.Header, r *Response, body []byte, o *owner, err error) {
	o = &owner{}
	c := NewConn(&tape{bytes.NewReader(data), step})
	req := &Request{Method: method, Host: "a", Path: "/"}
	r, e := c.RoundTrip(t.Context(), req, Timing{}, &h, o)
	if e != nil {
		return h, nil, nil, o, e
	}
	if r.Status == 101 {
		t.Fatal("switched protocols unasked")
	}
	body, err = io.ReadAll(r)
	r.Close()
	return h, r, body, o, err
}

var seeds = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nT: v\r\n\r\n",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nuntil the end",
	"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
	"HTTP/1.1 200 OK\nA: b\n\n",
	"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
	"HTTP/1.1 200 OK\r\nConnection: a, close\r\nA: 1\r\nPragma: no-cache\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
}

// What we accept, net/http accepts too and reads the same: status, fields,
// framing, body, trailer. It is the looser reader, so this holds one way only.
func FuzzAnswer(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), uint8(i), i%2 == 1)
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8, head bool) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		h, r, body, o, err := play(t, data, int(step), method)
		if o.kept+o.closed != 1 {
			t.Fatalf("connection was given back %d times", o.kept+o.closed)
		}
		if err != nil {
			if _, ours := err.(*Error); !ours {
				t.Fatalf("error of another kind: %v", err)
			}
			if o.kept > 0 {
				t.Fatalf("connection was kept after %v", err)
			}
			return
		}
		br := bufio.NewReader(bytes.NewReader(data))
		req := &http.Request{Method: method}
		want, werr := http.ReadResponse(br, req)
		for werr == nil && want.StatusCode < 200 {
			want, werr = http.ReadResponse(br, req)
		}
		if werr != nil {
			t.Fatalf("we accept what net/http refuses: %v", werr)
		}
		wbody, werr := io.ReadAll(want.Body)
		if werr != nil || !bytes.Equal(body, wbody) {
			t.Fatalf("body %q; net/http reads %q, %v", body, wbody, werr)
		}
		if r.Status != want.StatusCode {
			t.Fatalf("status %d; net/http reads %d", r.Status, want.StatusCode)
		}
		if r.Status != 204 && r.Status != 304 && r.Stated >= 0 && want.ContentLength != r.Stated || r.Chunked != slices.Equal(want.TransferEncoding, []string{"chunked"}) && method == "GET" && r.Status != 304 && r.Status != 204 {
			t.Fatalf("framing %+v; net/http reads length %d, codings %v", r.Head, want.ContentLength, want.TransferEncoding)
		}
		if diff := cmp.Diff(comparable(want.Header, canonical(h), data), canonical(h)); diff != "" {
			t.Fatalf("fields (- net/http, + ours): %s", diff)
		}
		atOnce := step == 0 && len(data) < smallBuffer
		if o.kept > 0 && (atOnce && br.Buffered() > 0 || want.Close) {
			t.Fatalf("connection was kept with %d bytes left, close %v", br.Buffered(), want.Close)
		}
		for _, tf := range r.Trailer() {
			if !slices.Contains(want.Trailer.Values(tf.Name), tf.Value) {
				t.Fatalf("trailer %v; net/http reads %v", tf, want.Trailer)
			}
		}
	})
}

func canonical(h policy.Header) http.Header {
	out := http.Header{}
	for _, f := range h {
		out.Add(f.Name, f.Value)
	}
	return out
}

// comparable takes from net/http's fields what we never hand on, and what it
// adds itself.
func comparable(h, ours http.Header, data []byte) http.Header {
	out := h.Clone()
	if out["Pragma"] != nil && ours["Cache-Control"] == nil && out.Get("Cache-Control") == "no-cache" {
		out.Del("Cache-Control")
	}
	text := bytes.ToLower(data)
	for name := range out {
		// net/http does not keep Connection; what it listed stands twice.
		listed := ours[name] == nil && bytes.Count(text, bytes.ToLower([]byte(name))) > 1
		if listed || OfConnection(name) && name != "Host" && name != "Expect" {
			delete(out, name)
		}
	}
	return out
}
