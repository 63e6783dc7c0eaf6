package traffic

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"gatehouse/bench/load"
)

const (
	paceRate     = 2500 // requests a second
	paceDuration = 3 * time.Second
)

var paceLine = regexp.MustCompile(`RESULT (\d+) (\d+) (\d+)`)

// paced calls at a steady rate, which leaves the proxy idle most of the time.
func paced(ctx context.Context, dir string, pin []string, addr string, _ int, _ time.Duration) (sample, float64, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, 0, err
	}
	v, err := numbers(ctx, paceLine, pin, self, "role=pace", "-", addr, dir)
	if err != nil {
		return sample{}, 0, err
	}
	return sample{rate: v[0] / paceDuration.Seconds(), p50: time.Duration(v[1]), p99: time.Duration(v[2])}, v[0], nil
}

// pace is the process that does so. A time counts from when a request was due.
func pace(addr string) error {
	r := load.Load{Addr: addr, Rate: paceRate, Conn: 16, Exact: true, Next: func(n int) (string, string) {
		return "/orders/v1/orders/5f3c9a", Key(n * 7 % consumers)
	}}.Start()
	time.Sleep(paceDuration)
	samples, failed := r.Stop()
	if len(failed) > 0 {
		return fmt.Errorf("%d requests failed, the first: %s", len(failed), failed[0])
	}
	times := load.Times(samples)
	fmt.Printf("RESULT %d %d %d\n", len(times), load.Percentile(times, 50), load.Percentile(times, 99))
	return nil
}
