package results

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Times are how long something took, each time that it was done.
type Times struct {
	What string
	All  []time.Duration
	Goal string
}

// Quantiles is a table of the median, the 99th percentile and the most of each.
func Quantiles(rows ...Times) string {
	var b strings.Builder
	b.WriteString("| what | p50 | p99 | most | goal |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		all := slices.Sorted(slices.Values(r.All))
		ms := func(i int) float64 { return float64(all[i].Microseconds()) / 1000 }
		fmt.Fprintf(&b, "| %s | %.1f ms | %.1f ms | %.1f ms | %s |\n", r.What, ms(len(all)/2), ms(len(all)*99/100), ms(len(all)-1), r.Goal)
	}
	return b.String()
}
