package h1

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"gatehouse/gateway/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A wire is a connection that gives what it was made with.
type wire struct {
	net.Conn
	r io.Reader
}

func (w *wire) Read(p []byte) (int, error)       { return w.r.Read(p) }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
func (w *wire) Close() error                     { return nil }

// options are for tests without a pipeline.
func options() Options {
	return Options{MaxHead: 32 << 10, MaxFields: 128, HeadTimeout: time.Minute, BodyTimeout: time.Minute, BodyPace: 4096,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute, Closing: func() bool { return false }}
}

func wired(r io.Reader) *conn { return newConn(New(options(), nil), &wire{r: r}, nil) }

// FuzzAccept holds that whatever the lane accepts http.ReadRequest accepts too, with
// the same method, target, fields, framing, content and rest, however the bytes come.
func FuzzAccept(f *testing.F) {
	for _, s := range []string{
		"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nA:  b \r\nA: c\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nA: b\r\nc:\t d \r\nA:\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET // HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET /:\x80 HTTP/1.1\r\nHost: h\r\nConnection: close, keep-alive\r\n\r\n",
		"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		compare(t, text, strings.NewReader(text))
		compare(t, text, iotest.OneByteReader(strings.NewReader(text)))
	})
}

func compare(t *testing.T, text string, r io.Reader) {
	c := wired(r)
	theirs := bufio.NewReader(strings.NewReader(text))
	for {
		if c.in == nil && c.await() != nil {
			return
		}
		call := pipeline.NewCall()
		m, outcome := c.accept(call)
		if outcome != answered {
			return
		}
		req, err := http.ReadRequest(theirs)
		if err != nil {
			t.Fatalf("%q: net/http says %v", text, err)
		}
		if m.Method != req.Method || m.Target != req.RequestURI || m.Host != req.Host || m.Close != req.Close {
			t.Fatalf("%q: got %s %q of %q, close %v; net/http: %s %q of %q, close %v", text, m.Method, m.Target, m.Host, m.Close, req.Method, req.RequestURI, req.Host, req.Close)
		}
		if m.Chunked != (req.ContentLength < 0) || !m.Chunked && m.Length != req.ContentLength {
			t.Fatalf("%q: got length %d, chunked %v; net/http: %d", text, m.Length, m.Chunked, req.ContentLength)
		}
		compareFields(t, text, call, req.Header)
		if m.Chunked || m.Length > 0 {
			b := newBody(c, &m)
			got, err := io.ReadAll(b)
			want, theirErr := io.ReadAll(req.Body)
			if err == nil && (theirErr != nil || !bytes.Equal(got, want)) {
				t.Fatalf("%q: got content %q; net/http: %q, %v", text, got, want, theirErr)
			}
			if err != nil {
				return
			}
			late := http.Header{}
			for _, f := range b.Trailer() {
				late.Add(f.Name, f.Value)
			}
			if len(late) != len(req.Trailer) || !maps.EqualFunc(late, req.Trailer, slices.Equal) {
				t.Fatalf("%q: got trailer %q; net/http: %q", text, late, req.Trailer)
			}
		}
		c.spent()
	}
}

func compareFields(t *testing.T, text string, call *pipeline.Call, theirs http.Header) {
	ours := http.Header{}
	for _, f := range call.Header {
		ours.Add(f.Name, f.Value)
	}
	if ours["Pragma"] != nil && ours["Cache-Control"] == nil {
		delete(theirs, "Cache-Control") // net/http adds it
	}
	ours.Del("Transfer-Encoding") // net/http takes it out
	for name, values := range ours {
		if !slices.Equal(values, theirs[name]) {
			t.Fatalf("%q: %s: got %q; net/http: %q", text, name, values, theirs[name])
		}
	}
	if len(ours) != len(theirs) {
		t.Fatalf("%q: got fields %q; net/http: %q", text, ours, theirs)
	}
}
