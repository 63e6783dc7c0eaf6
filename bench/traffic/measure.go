package traffic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/bench/results"
)

// A contender is a proxy under test.
type contender struct {
	name  string
	work  string // "plain" or "apim"
	start func(pin []string, dir, backend string) (*process, error)
}

var contenders = []contender{
	{"nginx", "plain", func(pin []string, dir, backend string) (*process, error) { return startNginx(pin, dir, backend, false) }},
	{"Gatehouse", "plain", own("plain")},
	{"Gatehouse, --fast-lane=false", "plain", own("plain-nethttp")},
	{"net/http and upstream half", "plain", own("half")},
	{"Go's ReverseProxy", "plain", own("stock")},
	{"nginx", "apim", func(pin []string, dir, backend string) (*process, error) { return startNginx(pin, dir, backend, true) }},
	{"Gatehouse", "apim", own("apim")},
}

// own starts this program in another role.
func own(role string) func(pin []string, dir, backend string) (*process, error) {
	return func(pin []string, _, backend string) (*process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		return start(pin, addr, self, "role="+role, addr, backend)
	}
}

// A sample is what one run gave.
type sample struct {
	cpu  float64 // milliseconds of CPU for 10,000 requests
	rate float64 // requests a second
	p99  time.Duration
}

// Measure runs all rounds and returns a table.
func Measure(ctx context.Context, quick bool) (string, error) {
	for _, tool := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%s is needed; on Debian: apt-get install nginx-light wrk", tool)
		}
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	n, d := rounds, duration
	if quick {
		n, d = 1, 2*time.Second
	}
	all := map[string][]sample{}
	for range n {
		for _, c := range contenders {
			if err := c.measure(ctx, dir, d, all); err != nil {
				return "", fmt.Errorf("%s, %s: %w", c.name, c.work, err)
			}
		}
	}
	return table(all, n, d), nil
}

func (c *contender) measure(ctx context.Context, dir string, d time.Duration, all map[string][]sample) error {
	proxy, rest := cores()
	backend, err := own("backend")(rest, dir, "-")
	if err != nil {
		return err
	}
	defer backend.stop()
	p, err := c.start(proxy, dir, backend.addr)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := c.warm(ctx, dir, rest, p); err != nil {
		return err
	}
	for _, conns := range connections {
		before := p.cpu()
		s, n, err := load(ctx, dir, rest, p.addr, conns, d)
		if err != nil {
			return err
		}
		s.cpu = float64((p.cpu() - before).Milliseconds()) / n * 1e4
		k := key(c.name, c.work, conns)
		all[k] = append(all[k], s)
	}
	return nil
}

// warm lets the proxy reach its steady state before anything is counted.
func (c *contender) warm(ctx context.Context, dir string, rest []string, p *process) error {
	_, _, err := load(ctx, dir, rest, p.addr, 64, time.Second)
	return err
}

func key(name, work string, conns int) string { return fmt.Sprintf("%s|%s|%d", work, name, conns) }

// script makes wrk call as one consumer after the other.
const script = `
local n = 0
request = function()
  n = (n + 7) % ` + "10000" + `
  return wrk.format("GET", "/orders/v1/orders/5f3c9a", {["X-API-Key"] = string.format("gh_%056d", n)})
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
`

var resultLine = regexp.MustCompile(`RESULT (\d+) (\d+) (\d+) (\d+)`)

// load runs wrk and returns what it saw, and the number of requests.
func load(ctx context.Context, dir string, pin []string, addr string, conns int, d time.Duration) (sample, float64, error) {
	file := filepath.Join(dir, "load.lua")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		return sample{}, 0, err
	}
	args := append(append([]string{}, pin...), "wrk", "-t1", "-c", strconv.Itoa(conns), "-d", fmt.Sprintf("%ds", int(d.Seconds())), "--timeout", "10s", "-s", file, "http://"+addr)
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return sample{}, 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	m := resultLine.FindSubmatch(out)
	if m == nil {
		return sample{}, 0, fmt.Errorf("wrk said %q", out)
	}
	var v [4]float64
	for i := range v {
		v[i], _ = strconv.ParseFloat(string(m[i+1]), 64)
	}
	if v[3] > 0 {
		return sample{}, 0, fmt.Errorf("%v of %v requests failed", v[3], v[0])
	}
	if v[0] == 0 {
		return sample{}, 0, errors.New("no request was answered")
	}
	return sample{rate: v[0] / (v[1] / 1e6), p99: time.Duration(v[2]) * time.Microsecond}, v[0], nil
}

// table shows medians, and the medians of the ratios to nginx in each round.
func table(all map[string][]sample, n int, d time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Traffic\n\n%s; load average while measuring %s, of which this bench makes about 2.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "nginx as Debian packages it, one worker. Each proxy on one core; wrk and backend on another. Medians of %d rounds of %v.\n", n, d)
	b.WriteString("CPU is the proxy's own, for 10,000 requests; ratios are to nginx doing the same work in the same round.\n\n")
	b.WriteString("| work | proxy | connections | CPU, ms | CPU to nginx | requests/s to nginx | p99 to nginx |\n|---|---|---|---|---|---|---|\n")
	for _, c := range contenders {
		for _, conns := range connections {
			s, base := all[key(c.name, c.work, conns)], all[key("nginx", c.work, conns)]
			ratio := func(of func(sample) float64) float64 {
				var r []float64
				for i := range s {
					r = append(r, of(s[i])/of(base[i]))
				}
				return median(r)
			}
			var cpu []float64
			for i := range s {
				cpu = append(cpu, s[i].cpu)
			}
			fmt.Fprintf(&b, "| %s | %s | %d | %.0f | %.2f | %.2f | %.2f |\n", c.work, c.name, conns, median(cpu),
				ratio(func(s sample) float64 { return s.cpu }), ratio(func(s sample) float64 { return s.rate }),
				ratio(func(s sample) float64 { return float64(s.p99) }))
		}
	}
	return b.String()
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
