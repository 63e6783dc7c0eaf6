package listen

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A wire is a connection that gives what it was made with, in pieces of a size.
type wire struct {
	net.Conn
	r io.Reader
}

func (w *wire) Read(p []byte) (int, error)       { return w.r.Read(p) }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
func (w *wire) Close() error                     { return nil }

func newConn(text string, one bool) *conn {
	var r io.Reader = strings.NewReader(text)
	if one {
		r = iotest.OneByteReader(r)
	}
	o := Options{}
	o.defaults()
	return &conn{Conn: &wire{r: r}, server: &Server{o: o}}
}

// through is what the reader in front lets pass, in reads of a size.
func through(c *conn, size int) string {
	var out bytes.Buffer
	buf := make([]byte, size)
	for {
		n, err := c.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			return out.String()
		}
	}
}

// FuzzReader holds that what passes the reader in front is HTTP as net/http reads
// it, the same number of messages with the same framing, however the bytes come.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
		"\r\nGET / HTTP/1.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n",
		"GET http://a/b HTTP/1.1\r\nHost: c\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := newConn(text, false)
		whole := through(c, 4096)
		cut := c.state == inBody || c.state == inChunks || c.inside.Load() != nil
		for _, size := range []int{1, 7, 1024} {
			if got := through(newConn(text, size == 1), size); got != whole {
				t.Fatalf("%q: in reads of %d got %q, else %q", text, size, got, whole)
			}
		}
		if strings.HasPrefix(whole, "PRI ") {
			return
		}
		r := bufio.NewReader(strings.NewReader(whole))
		for {
			req, err := http.ReadRequest(r)
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return
			}
			if err != nil {
				t.Fatalf("%q passed as %q, and net/http says %v", text, whole, err)
			}
			if req.ContentLength > 0 && len(req.TransferEncoding) > 0 {
				t.Fatalf("%q passed with two framings", text)
			}
			if strings.EqualFold(req.Header.Get("Upgrade"), "websocket") {
				return // what follows is not HTTP
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				if !cut {
					t.Fatalf("%q passed as %q, and net/http says of its body: %v", text, whole, err)
				}
				return // the body ends before its time
			}
		}
	})
}

func TestPressure(t *testing.T) {
	for used, want := range map[int64]Pressure{0: Relaxed, 949: Relaxed, 950: Closing, 989: Closing, 990: Refusing, 2000: Refusing} {
		if got := pressure(used, 1000); got != want {
			t.Errorf("pressure(%d, 1000): got %v, want %v", used, got, want)
		}
	}
}

func TestParkedConnectionHoldsNoBuffer(t *testing.T) {
	c := newConn("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true)
	through(c, 64)
	if c.buf != nil {
		t.Errorf("a buffer of %d bytes is held", cap(c.buf))
	}
}
