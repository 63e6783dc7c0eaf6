// Package keys measures a gateway with 1,000,000 keys beside one with 1,000:
// the memory they add, what a request costs, and the lookup itself.
package keys

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/bench/load"
	"gatehouse/bench/process"
	"gatehouse/bench/results"
)

const (
	few  = 1000
	many = 1_000_000
)

// A sample is one gateway process with some number of keys.
type sample struct {
	process.Memory
	heap  int64
	start time.Duration // until the first answer
	cpu   time.Duration // for 10,000 requests
}

// Measure returns a table.
func Measure(_ context.Context, quick bool) (string, error) {
	n := many
	if quick {
		n = many / 10
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := process.Build(dir); err != nil {
		return "", err
	}
	small, err := measure(dir, few)
	if err != nil {
		return "", err
	}
	big, err := measure(dir, n)
	if err != nil {
		return "", err
	}
	l, err := lookups(n)
	if err != nil {
		return "", err
	}
	return table(n, small, big, l), nil
}

func measure(dir string, n int) (s sample, err error) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	defer backend.Close()
	go load.Backend(backend)
	data := filepath.Join(dir, fmt.Sprint("keys", n))
	if err := writeDisk(data, "http://"+backend.Addr().String(), n); err != nil {
		return s, err
	}
	addrs, err := process.Free(3)
	if err != nil {
		return s, err
	}
	traffic, ops, nobody := addrs[0], addrs[1], addrs[2]
	p, err := process.Start(filepath.Join(dir, "gateway.log"), os.Environ(), filepath.Join(dir, "gatehouse-gateway"),
		"--control", "https://"+nobody, "--data", data, "--traffic-addr", traffic, "--ops-addr", ops, "--log-level", "error")
	if err != nil {
		return s, err
	}
	defer p.Kill()
	if err := p.Until(time.Minute, func() bool { return answers(traffic, n-1) }); err != nil {
		return s, err
	}
	s.start = time.Since(p.Began)
	time.Sleep(3 * time.Second)
	if s.heap, err = process.Heap(ops); err != nil {
		return s, err
	}
	if s.Memory, err = p.Memory(); err != nil {
		return s, err
	}
	l := load.Load{Addr: traffic, Conn: 8, Next: func(i int) (string, string) { return "/orders/v1/orders/7", Key(i * 7919 % n) }}
	r, before := l.Start(), p.CPU()
	time.Sleep(4 * time.Second)
	samples, failed := r.Stop()
	if len(failed) > 0 || len(samples) == 0 {
		return s, fmt.Errorf("%d requests failed: %.500s", len(failed), strings.Join(failed, "; "))
	}
	s.cpu = (p.CPU() - before) * 10_000 / time.Duration(len(samples))
	return s, nil
}

func answers(addr string, key int) bool {
	c, err := load.Dial(addr)
	if err != nil {
		return false
	}
	defer c.Close()
	a, err := c.Get("/orders/v1/orders/7", Key(key), "")
	return err == nil && a.Status == 200
}

func table(n int, small, big sample, l *times) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %d keys on one gateway\n\n%s; load average %s.\n", n, results.Machine(), results.Load())
	fmt.Fprintf(&b, "A gateway process that starts from its disk, with %d subscriptions of a key each, beside one with %d. ", n, few)
	b.WriteString("A lookup is what a request spends on its key, drawn at random: saying that it will be looked for, its SHA-256, finding it. Between the first and the others it is routed as the gateway routes; ")
	fmt.Fprintf(&b, "what that takes without a key, %d ns, is taken off. Medians of %d parts of %d, few and many in turn.\n\n", l.routing.Nanoseconds(), parts, part)
	b.WriteString("| what | measured | goal |\n|---|---|---|\n")
	mb := func(n int64) float64 { return float64(n) / 1e6 }
	fmt.Fprintf(&b, "| memory added: PSS, heap after GC | %.0f MB, %.0f MB | < 250 MB |\n", mb(big.PSS-small.PSS), mb(big.heap-small.heap))
	fmt.Fprintf(&b, "| lookup to that among %d | %s | ≤ 1.5 |\n", few, ratio(l.many-l.routing, l.few-l.routing))
	fmt.Fprintf(&b, "| the same with nothing in between, one lookup right after the other | %s | |\n", ratio(l.manyBare, l.fewBare))
	fmt.Fprintf(&b, "| gateway CPU for a request, likewise | %.2f (%d to %d µs) | |\n", float64(big.cpu)/float64(small.cpu), big.cpu.Microseconds()/10_000, small.cpu.Microseconds()/10_000)
	fmt.Fprintf(&b, "| start from disk to the first answer | %.1f s (%.2f s with %d keys) | |\n", big.start.Seconds(), small.start.Seconds(), few)
	return b.String()
}

func ratio(to, from time.Duration) string {
	return fmt.Sprintf("%.2f (%d to %d ns)", float64(to)/float64(from), to.Nanoseconds(), from.Nanoseconds())
}
