package release

import (
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/report"
)

// Broken says which bound of the canary is broken by what was counted since
// its step began, and by how much; "" when none is. Before a step has seen the
// requests it waits for, nothing is judged.
func Broken(k *gatehouse.Canary, seen gatehouse.CanaryCount) string {
	if seen.Requests == 0 || seen.Requests < k.Requests {
		return ""
	}
	for _, b := range k.StopOn {
		value, unit := measure(b.Measure, seen)
		if value > b.Over {
			return fmt.Sprintf("%s %.4g%s is over %g%s (%d requests at %d %% of the callers)", b.Measure, value, unit, b.Over, unit, seen.Requests, k.Weight())
		}
	}
	return ""
}

func measure(name string, seen gatehouse.CanaryCount) (value float64, unit string) {
	switch name {
	case "errors":
		return 100 * float64(seen.Errors) / float64(seen.Requests), "%"
	case "p50":
		return quantile(seen.Latency, 0.50), "ms"
	case "p95":
		return quantile(seen.Latency, 0.95), "ms"
	}
	return quantile(seen.Latency, 0.99), "ms"
}

// quantile estimates a quantile of a latency histogram in milliseconds, evenly
// within the step it falls into: steps double, and to take their upper bound
// would stop a canary that is within its bound.
func quantile(histogram []int64, q float64) float64 {
	var total int64
	for _, n := range histogram {
		total += max(n, 0)
	}
	if total == 0 {
		return 0
	}
	rank, below := q*float64(total), 0.0
	for i, n := range histogram {
		if n <= 0 {
			continue
		}
		if next := below + float64(n); next >= rank || i == len(histogram)-1 {
			low, high := bounds(i)
			return milliseconds(low) + (milliseconds(high)-milliseconds(low))*min(1, (rank-below)/float64(n))
		}
		below += float64(n)
	}
	_, high := bounds(len(report.LatencyBounds))
	return milliseconds(high)
}

func bounds(i int) (low, high time.Duration) {
	if i > 0 {
		low = report.LatencyBounds[min(i, len(report.LatencyBounds))-1]
	}
	if i < len(report.LatencyBounds) {
		return low, report.LatencyBounds[i]
	}
	return low, 2 * low
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
