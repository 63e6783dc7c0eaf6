package traffic

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var h2loadLine = regexp.MustCompile(`finished in [^,]*, ([0-9.]+) req/s[^\n]*\nrequests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded`)

// h2load calls by HTTP/2 over TLS, one request at a time on each connection.
func h2load(ctx context.Context, _ string, pin []string, addr string, conns int, d time.Duration) (sample, float64, error) {
	v, err := numbers(ctx, h2loadLine, pin, "h2load", "-t1", "-m1", "-c", strconv.Itoa(conns), "-D", seconds(d),
		"https://"+addr+"/orders/v1/orders/5f3c9a")
	if err != nil {
		return sample{}, 0, err
	}
	if v[2] == 0 || v[2] != v[3] {
		return sample{}, 0, fmt.Errorf("%v of %v requests succeeded", v[3], v[2])
	}
	return sample{rate: v[0]}, v[2], nil
}
