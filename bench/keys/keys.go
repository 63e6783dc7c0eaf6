// Package keys measures a gateway with 1,000,000 keys beside one with 1,000:
// the memory they add, what a request costs, and the lookup itself.
package keys

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/bench/load"
	"gatehouse/bench/process"
	"gatehouse/bench/results"
	"gatehouse/gateway/credential"
	"gatehouse/policy/apikey"
)

const (
	few    = 1000
	many   = 1_000_000
	rounds = 5
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
	from, to, err := lookups(n)
	if err != nil {
		return "", err
	}
	return table(n, small, big, from, to), nil
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

// lookups is the time of one lookup of a random key, its hash included, among
// few and among n. Both are measured in turn and in small parts, of which the
// medians count: what else the machine does is not the gateway's.
func lookups(n int) (from, to time.Duration, err error) {
	const part, parts = 256, 1000
	small, err := index(few)
	if err != nil {
		return 0, 0, err
	}
	big, err := index(n)
	if err != nil {
		return 0, 0, err
	}
	fewKeys, manyKeys := draw(few, part*parts), draw(n, part*parts)
	var a, b []time.Duration
	for range rounds {
		for at := 0; at < len(fewKeys); at += part * apikey.Length {
			one, err := lookup(small, fewKeys[at:][:part*apikey.Length])
			if err != nil {
				return 0, 0, err
			}
			other, err := lookup(big, manyKeys[at:][:part*apikey.Length])
			if err != nil {
				return 0, 0, err
			}
			a, b = append(a, one), append(b, other)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	return a[len(a)/2] / part, b[len(b)/2] / part, nil
}

// draw is that many keys among n at random, one behind the other, as memory is read
// ahead: what is timed is the gateway's own waiting.
func draw(n, times int) string {
	random := rand.New(rand.NewPCG(1, 2))
	var all strings.Builder
	for range times {
		all.WriteString(Key(random.IntN(n)))
	}
	return all.String()
}

func index(n int) (*credential.Index, error) {
	built := map[string]*credential.Shard{}
	for name, s := range shards("payments/commerce", n) {
		var err error
		if built[name], err = credential.NewShard(name, &s.credentials, s.tails.Keys); err != nil {
			return nil, err
		}
	}
	return new(credential.Index).With(built), nil
}

func lookup(x *credential.Index, keys string) (time.Duration, error) {
	var room [4]credential.Subscription
	begin := time.Now()
	for ; keys != ""; keys = keys[apikey.Length:] {
		if found := x.FindKey(keys[:apikey.Length], room[:0]); len(found) != 1 {
			return 0, fmt.Errorf("key %q proves %d subscriptions", keys[:apikey.Length], len(found))
		}
	}
	return time.Since(begin), nil
}

func table(n int, small, big sample, from, to time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %d keys on one gateway\n\n%s; load average %s.\n", n, results.Machine(), results.Load())
	fmt.Fprintf(&b, "A gateway process that starts from its disk, with %d subscriptions of a key each, beside one with %d. ", n, few)
	fmt.Fprintf(&b, "A lookup is the key's SHA-256 and finding it, keys at random; medians of %d parts of 256 in turn.\n\n", rounds*1000)
	b.WriteString("| what | measured | goal |\n|---|---|---|\n")
	mb := func(n int64) float64 { return float64(n) / 1e6 }
	fmt.Fprintf(&b, "| memory added: PSS, heap after GC | %.0f MB, %.0f MB | < 250 MB |\n", mb(big.PSS-small.PSS), mb(big.heap-small.heap))
	fmt.Fprintf(&b, "| lookup to that among %d | %.2f (%d to %d ns) | ≤ 1.5 |\n", few, float64(to)/float64(from), to.Nanoseconds(), from.Nanoseconds())
	fmt.Fprintf(&b, "| gateway CPU for a request, likewise | %.2f (%d to %d µs) | |\n", float64(big.cpu)/float64(small.cpu), big.cpu.Microseconds()/10_000, small.cpu.Microseconds()/10_000)
	fmt.Fprintf(&b, "| start from disk to the first answer | %.1f s (%.2f s with %d keys) | |\n", big.start.Seconds(), small.start.Seconds(), few)
	return b.String()
}
