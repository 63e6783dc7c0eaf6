package upstream

import (
	"bufio"
	"context"
	"io"
	"testing"

	"gatehouse/policy"
	"gatehouse/snapshot"
)

// quick answers each head that has no body, without allocating.
func quick(p *peer) {
	r := bufio.NewReader(p.Conn)
	answer := []byte("HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\": \"ok\"}")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) == 2 {
			p.Conn.Write(answer)
		}
	}
}

// once makes one request, as the pipeline does, with fields of its own kept.
func once(tb testing.TB, ctx context.Context, b *Backend, x *policy.Exchange) {
	a, f := b.Do(ctx, x)
	if f != nil {
		tb.Fatal(f)
	}
	if _, err := a.Body.(io.WriterTo).WriteTo(io.Discard); err != nil {
		tb.Fatal(err)
	}
	a.Body.Close()
}

func BenchmarkDo(b *testing.B) {
	l := acquireBench(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	x := benchExchange()
	b.ReportAllocs()
	for b.Loop() {
		once(b, ctx, l, x)
	}
}

// A request costs its answer, the connection's response, the head's one string
// and the watch on the caller. More than that has crept in.
func TestDoAllocations(t *testing.T) {
	b := acquireBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	x := benchExchange()
	once(t, ctx, b, x)
	if n := testing.AllocsPerRun(200, func() { once(t, ctx, b, x) }); n > 7 {
		t.Errorf("a request makes %v allocations, want 7 at most", n)
	}
}

func acquireBench(tb testing.TB) *Backend {
	b := NewSet(Options{}).Acquire(snapshot.Backend{Targets: []snapshot.Target{{URL: raw(tb, quick)}}})
	tb.Cleanup(b.Release)
	return b
}

func benchExchange() *policy.Exchange {
	x := exchange("GET", "/things/1")
	x.Header = policy.Header{{Name: "User-Agent", Value: "bench/1"}, {Name: "Accept", Value: "*/*"}, {Name: "X-Forwarded-For", Value: "192.0.2.1"}}
	x.Response.Header = make(policy.Header, 0, 32)
	return x
}
