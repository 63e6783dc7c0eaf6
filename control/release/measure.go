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
		return quantile(seen, 0.50), "ms"
	case "p95":
		return quantile(seen, 0.95), "ms"
	}
	return quantile(seen, 0.99), "ms"
}

// quantile estimates a quantile of the latencies in milliseconds, evenly within
// the bounds it lies between: where they double, as they did for gateways of
// before, to take the upper one would stop a canary that is within its bound.
func quantile(seen gatehouse.CanaryCount, q float64) float64 {
	d := report.Distribution{Latency: seen.Latency, Bins: seen.Bins}.Estimate(q)
	return float64(d) / float64(time.Millisecond)
}
