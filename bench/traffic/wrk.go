package traffic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// A loader calls addr for d over some connections, and returns what it saw and
// the number of requests.
type loader func(ctx context.Context, dir string, pin []string, addr string, conns int, d time.Duration) (sample, float64, error)

// script makes wrk call as one consumer after the other.
const script = `
local n = 0
request = function()
  n = (n + 7) % 10000
  return wrk.format("GET", "/orders/v1/orders/5f3c9a", {["X-API-Key"] = string.format("gh_%056d", n)})
end
`

// done makes wrk say what wrkLine reads.
const done = `
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
`

var wrkLine = regexp.MustCompile(`RESULT (\d+) (\d+) (\d+) (\d+)`)

// wrk calls by a script in Lua, which finds the folder's name in "dir".
func wrk(scheme, script string) loader {
	return func(ctx context.Context, dir string, pin []string, addr string, conns int, d time.Duration) (sample, float64, error) {
		file := filepath.Join(dir, "load.lua")
		if err := os.WriteFile(file, fmt.Appendf(nil, "local dir = %q\n%s%s", dir, script, done), 0o644); err != nil {
			return sample{}, 0, err
		}
		v, err := numbers(ctx, wrkLine, pin, "wrk", "-t1", "-c", strconv.Itoa(conns), "-d", seconds(d),
			"--timeout", "10s", "-s", file, scheme+"://"+addr)
		if err != nil {
			return sample{}, 0, err
		}
		if v[3] > 0 {
			return sample{}, 0, fmt.Errorf("%v of %v requests failed", v[3], v[0])
		}
		return sample{rate: v[0] / (v[1] / 1e6), p99: time.Duration(v[2]) * time.Microsecond}, v[0], nil
	}
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }

// numbers runs a program and returns those that line finds in what it says; the
// first is how many requests were answered.
func numbers(ctx context.Context, line *regexp.Regexp, pin []string, args ...string) ([]float64, error) {
	args = append(append([]string{}, pin...), args...)
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%q: %w: %s", args, err, out)
	}
	m := line.FindSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("%q said %q", args, out)
	}
	v := make([]float64, len(m)-1)
	for i := range v {
		if v[i], err = strconv.ParseFloat(string(m[i+1]), 64); err != nil {
			return nil, err
		}
	}
	if v[0] == 0 {
		return nil, errors.New("no request was answered")
	}
	return v, nil
}
