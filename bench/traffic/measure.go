package traffic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"gatehouse/bench/results"
)

// A contender is a proxy under test.
type contender struct {
	name  string
	work  string // "plain" or "apim"
	start starter
}

// A starter runs a proxy in front of backend; dir is for its files.
type starter func(pin []string, dir, backend string) (*process, error)

var contenders = []contender{
	{"nginx", "plain", nginx("plain")},
	{"Gatehouse", "plain", own("plain")},
	{"Gatehouse, --fast-lane=false", "plain", own("plain-nethttp")},
	{"net/http and upstream half", "plain", own("half")},
	{"Go's ReverseProxy", "plain", own("stock")},
	{"nginx", "apim", nginx("apim")},
	{"Gatehouse", "apim", own("apim")},
}

// own starts this program in another role.
func own(role string) starter {
	return func(pin []string, dir, backend string) (*process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		return start(pin, addr, self, "role="+role, addr, backend, dir)
	}
}

// A sample is what one run gave.
type sample struct {
	cpu  float64 // milliseconds of CPU for 10,000 requests
	rate float64 // requests a second
	p50  time.Duration
	p99  time.Duration
}

// Measure runs all rounds and returns a table.
func Measure(ctx context.Context, quick bool) (string, error) {
	if !installed("nginx") || !installed("wrk") {
		return "", errors.New("nginx and wrk are needed; on Debian: apt-get install nginx-light wrk")
	}
	dir, err := workDir()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	n, d := rounds, duration
	if quick {
		n, d = 1, 2*time.Second
	}
	all := map[string][]sample{}
	for range n {
		for _, c := range contenders {
			if err := c.measure(ctx, dir, d, usual, all); err != nil {
				return "", err
			}
		}
	}
	return table(all, n, d), nil
}

func installed(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

// workDir is a folder that nginx's worker, another user, may look into.
func workDir() (string, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// A demand is what a proxy is asked to do.
type demand struct {
	backend     string // role of the backend
	connections []int
	warm, load  loader // warm comes first and does not count
}

var usual = demand{"backend", connections, wrk("http", script), wrk("http", script)}

// measure is one round of one proxy.
func (c *contender) measure(ctx context.Context, dir string, d time.Duration, on demand, all map[string][]sample) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s, %s: %w", c.name, c.work, err)
		}
	}()
	proxy, rest := cores()
	backend, err := own(on.backend)(rest, dir, "-")
	if err != nil {
		return err
	}
	defer backend.stop()
	p, err := c.start(proxy, dir, backend.addr)
	if err != nil {
		return err
	}
	defer p.stop()
	if _, _, err := on.warm(ctx, dir, rest, p.addr, 64, time.Second); err != nil {
		return err
	}
	for _, conns := range on.connections {
		before := p.cpu()
		s, n, err := on.load(ctx, dir, rest, p.addr, conns, d)
		if err != nil {
			return err
		}
		s.cpu = float64((p.cpu() - before).Milliseconds()) / n * 1e4
		k := key(c.name, c.work, conns)
		all[k] = append(all[k], s)
	}
	return nil
}

func key(name, work string, conns int) string { return fmt.Sprintf("%s|%s|%d", work, name, conns) }

// table shows medians, and the medians of the ratios to nginx in each round.
func table(all map[string][]sample, n int, d time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Traffic\n\n%s; load average while measuring %s, of which this bench makes about 2.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "nginx as Debian packages it, one worker. Each proxy on one core; wrk and backend on another. Medians of %d rounds of %v.\n", n, d)
	b.WriteString("CPU is the proxy's own, for 10,000 requests; ratios are to nginx doing the same work in the same round.\n\n")
	b.WriteString("| work | proxy | connections | CPU, ms | CPU to nginx | requests/s to nginx | p99 to nginx | goal |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range contenders {
		for _, conns := range connections {
			s, base := all[key(c.name, c.work, conns)], all[key("nginx", c.work, conns)]
			ratio := func(of figure) float64 { return median(each(s, base, of)) }
			fmt.Fprintf(&b, "| %s | %s | %d | %.0f | %.2f | %.2f | %.2f | %s |\n", c.work, c.name, conns, median(each(s, nil, cpuOf)),
				ratio(cpuOf), ratio(rateOf), ratio(p99Of), c.verdict(conns, ratio(cpuOf), ratio(rateOf)))
		}
	}
	return b.String()
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// A figure is one of those of a sample.
type figure func(sample) float64

func cpuOf(s sample) float64  { return s.cpu }
func rateOf(s sample) float64 { return s.rate }
func p50Of(s sample) float64  { return s.p50.Seconds() * 1e3 }
func p99Of(s sample) float64  { return s.p99.Seconds() * 1e3 }

// each takes a figure of every round, as a ratio to base's unless that is nil.
func each(s, base []sample, of figure) []float64 {
	var all []float64
	for i := range s {
		v := of(s[i])
		if base != nil {
			v /= of(base[i])
		}
		all = append(all, v)
	}
	return all
}
