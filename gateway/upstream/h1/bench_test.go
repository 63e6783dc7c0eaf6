package h1

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"gatehouse/policy"
)

const answer = "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sun, 22 Nov 2026 20:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: keep-alive\r\nETag: \"5f3c\"\r\n\r\n{\"status\": \"ok\"}"

var fields = policy.Header{{Name: "User-Agent", Value: "bench/1"}, {Name: "Accept", Value: "*/*"},
	{Name: "X-Forwarded-For", Value: "192.0.2.1"}, {Name: "X-Request-Id", Value: "0123456789abcdef"}}

func BenchmarkParseHead(b *testing.B) {
	head := answer[:len(answer)-16]
	h := make(policy.Header, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		h = h[:0]
		if _, err := ParseHead(head, "GET", &h); err != nil {
			b.Fatal(err)
		}
	}
}

// pair is a connection over loopback whose other end answers each request.
func pair(tb testing.TB) *Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		for {
			line, err := br.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == 2 {
				io.WriteString(c, answer)
			}
		}
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { nc.Close(); l.Close(); <-done })
	return NewConn(nc)
}

func roundTrip(tb testing.TB, ctx context.Context, c *Conn, o *owner, h *policy.Header) {
	req := Request{Method: "GET", Host: "127.0.0.1:80", Path: "/things/1", Header: fields}
	*h = (*h)[:0]
	if !c.Quiet() {
		tb.Fatal("connection is not quiet")
	}
	r, err := c.RoundTrip(ctx, &req, Timing{Head: time.Second, Idle: time.Second}, h, o)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := r.WriteTo(io.Discard); err != nil {
		tb.Fatal(err)
	}
	r.Close()
}

func BenchmarkRoundTrip(b *testing.B) {
	c, o, h := pair(b), &owner{}, policy.Header{}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		roundTrip(b, ctx, c, o, &h)
	}
}

// A round trip costs the response, the head's one string and the watch on the
// context. More than that has crept in.
func TestRoundTripAllocations(t *testing.T) {
	c, o, h := pair(t), &owner{}, policy.Header{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	roundTrip(t, ctx, c, o, &h)
	if n := testing.AllocsPerRun(200, func() { roundTrip(t, ctx, c, o, &h) }); n > 6 {
		t.Errorf("a round trip makes %v allocations, want 6 at most", n)
	}
}
