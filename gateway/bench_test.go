package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"gatehouse/policy"
	"gatehouse/snapshot"
)

// BenchmarkRequest is one request over loopback to a backend in the same process,
// with key, limit and counts: what it allocates includes the backend's share.
func BenchmarkRequest(b *testing.B) {
	l := connections(b, answerAll)
	g, addr := serveForBench(b)
	key := snapshot.KeyCredential(testKey)
	a := orders()
	a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: "http://" + l.Addr().String()}}}
	put(b, g, map[string]any{
		"environment dev":            &snapshot.Environment{Name: "dev"},
		"api " + a.ID():              a,
		"product p":                  &snapshot.Product{Name: "p", APIs: []string{a.ID()}, Plans: []snapshot.Plan{{Name: "gold", Policies: []policy.Use{use("rate-limit", `{"requests":1000000000,"per":"1h"}`)}}}},
		"credentials " + key.Shard(): &snapshot.Credentials{Subscriptions: []snapshot.Subscription{{Name: "a/b", Application: "a/b", Product: "p", Plan: "gold"}}, Keys: []snapshot.Key{{Hash: key}}},
	})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	req := []byte("GET /orders/v1/things/7 HTTP/1.1\r\nHost: h\r\nX-API-Key: " + testKey + "\r\n\r\n")
	r := bufio.NewReader(c)
	b.ReportAllocs()
	for b.Loop() {
		c.Write(req)
		status := 0
		length := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if len(line) == 2 {
				break
			}
			if status == 0 && len(line) > 12 {
				status = int(line[9]-'0')*100 + int(line[10]-'0')*10 + int(line[11]-'0')
			}
			if bytes.HasPrefix(line, []byte("Content-Length: ")) {
				length = int(line[16] - '0')
			}
		}
		r.Discard(length)
		if status != 200 {
			b.Fatal(status)
		}
	}
}

// answerAll is a backend that costs next to nothing.
func answerAll(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok")
	}
}

func serveForBench(b testing.TB) (*Gateway, string) {
	var o Options
	o.Listen.NoFastLane = noFastLane
	g, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go g.Serve(l, TLS{})
	b.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := g.Shutdown(ctx); err != nil && err != http.ErrServerClosed && err != context.Canceled {
			b.Log(err)
		}
	})
	return g, l.Addr().String()
}

var benchSerial int64

// put swaps in what is named "kind name".
func put(tb testing.TB, g *Gateway, what map[string]any) {
	chunks, m := pack(tb, what)
	aside, err := g.Swap(context.Background(), m, func(h snapshot.Hash) ([]byte, error) { return chunks[h], nil })
	if err != nil || len(aside) > 0 {
		tb.Fatal(err, aside)
	}
}

func pack(tb testing.TB, what map[string]any) (map[snapshot.Hash][]byte, *snapshot.Manifest) {
	benchSerial++
	m, chunks := &snapshot.Manifest{Serial: benchSerial}, map[snapshot.Hash][]byte{}
	for name, chunk := range what {
		data, hash, err := snapshot.Encode(chunk)
		if err != nil {
			tb.Fatal(err)
		}
		var kind string
		fmt.Sscan(name, &kind)
		chunks[hash] = data
		m.Entries = append(m.Entries, snapshot.Entry{Kind: kind, Name: name[len(kind)+1:], Hash: hash})
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	return chunks, m
}

// BenchmarkTenThousandAPIs measures the whole table: start, memory for a route with
// everything the gateway keeps of it, and one API changed among all.
func BenchmarkTenThousandAPIs(b *testing.B) {
	const apis = 10000
	what := map[string]any{"environment dev": &snapshot.Environment{Name: "dev"}}
	for i := range apis {
		what[fmt.Sprintf("api team%d/api%d@v1", i%97, i)] = tenOps(i, 0)
	}
	chunks, m := pack(b, what)
	get := func(h snapshot.Hash) ([]byte, error) { return chunks[h], nil }
	g, _ := serveForBench(b)
	before := heap()
	start := time.Now()
	if aside, err := g.Swap(context.Background(), m, get); err != nil || len(aside) > 0 {
		b.Fatal(err, aside)
	}
	took, kept := float64(time.Since(start).Microseconds())/1e3, float64(heap()-before)/(apis*10)
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		data, hash, _ := snapshot.Encode(tenOps(5, n))
		chunks[hash] = data
		i := slices.IndexFunc(m.Entries, func(e snapshot.Entry) bool { return e.Name == "team5/api5@v1" })
		m.Entries[i].Hash = hash
		m.Serial++
		b.StartTimer()
		if aside, err := g.Swap(context.Background(), m, get); err != nil || len(aside) > 0 {
			b.Fatal(err, aside)
		}
	}
	b.ReportMetric(took, "ms/start")
	b.ReportMetric(kept, "B/route")
}

func tenOps(i, revision int) *snapshot.API {
	a := &snapshot.API{Team: fmt.Sprintf("team%d", i%97), Name: fmt.Sprintf("api%d", i), Version: "v1", Revision: fmt.Sprint(revision),
		Path: fmt.Sprintf("/team%d/api%d/v1", i%97, i), Access: "subscription", Lifecycle: "published",
		Backend:  snapshot.Backend{Name: fmt.Sprintf("team%d/api%d", i%97, i), Targets: []snapshot.Target{{URL: fmt.Sprintf("http://api%d.internal:8080", i)}}},
		Policies: []policy.Use{use("rate-limit", `{"requests":100,"per":"1s"}`)}}
	for _, p := range []string{"/r", "/r/{id}", "/r/{id}/items", "/r/{id}/items/{item}", "/r/{id}:cancel"} {
		for _, method := range []string{"GET", "POST"} {
			a.Operations = append(a.Operations, snapshot.Operation{ID: method + p, Method: method, Path: p})
		}
	}
	return a
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
