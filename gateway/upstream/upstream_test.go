package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"gatehouse/policy"
	"gatehouse/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A peer is one connection as a backend sees it.
type peer struct {
	net.Conn
	*bufio.Reader
	n int // which connection, from 0
}

func (p *peer) Read(b []byte) (int, error) { return p.Reader.Read(b) }

// request reads a request with its body; nil when the connection is over.
func (p *peer) request() *http.Request {
	r, err := http.ReadRequest(p.Reader)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return r
}

func (p *peer) say(text string) { io.WriteString(p.Conn, text) }

// reset ends the connection with RST instead of FIN.
func (p *peer) reset() {
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Conn.Close()
}

// wait stays silent until the gateway closes.
func (p *peer) wait() { io.Copy(io.Discard, p.Conn) }

// raw serves connections on loopback by hand and returns the URL.
func raw(t testing.TB, handle func(p *peer)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Add(1)
			go func() {
				defer all.Done()
				defer c.Close()
				handle(&peer{Conn: c, Reader: bufio.NewReader(c), n: n})
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); all.Wait() })
	return "http://" + l.Addr().String()
}

// answering serves the same bytes to every request.
func answering(t *testing.T, text string) string {
	return raw(t, func(p *peer) {
		for p.request() != nil {
			p.say(text)
		}
	})
}

// acquire makes a backend of one set, released when the test ends and before
// its servers stop.
func acquire(t *testing.T, o Options, spec snapshot.Backend, urls ...string) *Backend {
	t.Helper()
	for _, u := range urls {
		spec.Targets = append(spec.Targets, snapshot.Target{URL: u})
	}
	b := NewSet(o).Acquire(spec)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	return b
}

func exchange(method, path string) *policy.Exchange {
	return &policy.Exchange{Method: method, Host: "api.example.org", Upstream: path}
}

func withBody(x *policy.Exchange, body io.Reader, length int64) *policy.Exchange {
	x.Body = &policy.Body{Reader: body, Length: length}
	return x
}

// result is what came of one request.
type result struct {
	Status  int
	Body    string
	Failure string // type of the failure before the head
	Torn    string // type of the failure inside the body
	header  policy.Header
	answer  *Answer
	trailer policy.Header
}

func do(b *Backend, x *policy.Exchange) result { return doIn(context.Background(), b, x) }

func doIn(ctx context.Context, b *Backend, x *policy.Exchange) result {
	a, f := b.Do(ctx, x)
	if f != nil {
		return result{Status: f.Status, Failure: f.Type}
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	r := result{Status: x.Response.Status, Body: string(body), header: x.Response.Header, answer: a}
	if err != nil {
		r.Torn = err.(*Failure).Type
	}
	r.trailer = a.Trailer()
	return r
}
