package landscape

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/bench/estate"
	"gatehouse/bench/load"
	"gatehouse/bench/results"
)

const mib = 1 << 20

// table shows all figures, good or bad, beside what was wanted.
func (m *measurement) table() string {
	var b strings.Builder
	routes := int64(m.apis * estate.Operations)
	fmt.Fprintf(&b, "## %s APIs, %s routes\n\n%s; load average %s, of which this bench makes about 2.\n", thousands(m.apis), thousands(int(routes)), results.Machine(), results.Load())
	b.WriteString("Control plane (SQLite) and gateway are processes of their own; load, backend and both share all cores, the control plane at nice 15. ")
	fmt.Fprintf(&b, "Every request has a key, a subscription and a plan's limit. Filling by %d bundles took %.0f s.\n\n", m.apis/m.bundle, m.applied.Seconds())
	b.WriteString("| what | measured | goal |\n|---|---|---|\n")
	row := func(what, goal, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", what, fmt.Sprintf(format, args...), goal)
	}
	c := &m.change
	row("one API changed: from the apply's answer to enforced, p50 / p99 / most", "p99 < 300 ms", "%s / %s / %s (%d changes)", ms(c.enforced, 50), ms(c.enforced, 99), ms(c.enforced, 100), len(c.enforced))
	row("the same: the apply itself, p50 / p99", "", "%s / %s", ms(c.answer, 50), ms(c.answer, 99))
	row("requests meanwhile, failed", "≥ 100,000, 0", "%s, %d", thousands(c.samples), len(c.failed))
	row(fmt.Sprintf("p99 of answers at %d/s: calm, while a change is on its way", m.rate), "ratio ≤ 2", "%s, %s: %.2f", ms(c.calm, 99), ms(c.during, 99), ratio(load.Percentile(c.during, 99), load.Percentile(c.calm, 99)))
	row("p50 of the same", "", "%s, %s: %.2f", ms(c.calm, 50), ms(c.during, 50), ratio(load.Percentile(c.during, 50), load.Percentile(c.calm, 50)))
	row("resident memory under load: calm (least, median, most), at its highest while swapping", "≤ 1.3", "%d, %d, %d MiB, %d MiB: %.2f of the median, %.2f of the most", c.calmLeast/mib, c.calmRSS/mib, c.calmMost/mib, c.peakRSS/mib, float64(c.peakRSS)/float64(c.calmRSS), float64(c.peakRSS)/float64(c.calmMost))
	row("memory for a route at rest: heap after GC, PSS", "< 2.5 KB", "%d B, %d B", m.rest.heap/routes, m.rest.PSS/routes)
	row("PSS at rest after filling / started from disk", "≤ 100 MiB", "%d MiB / %d MiB (%d MiB at its highest)", m.rest.PSS/mib, m.start.PSS/mib, m.start.max/mib)
	row("heap after GC started from disk", "", "%d MiB, %d B for a route", m.start.heap/mib, m.start.heap/routes)
	row("PSS just started, no API", "≤ 40 MiB", "%d MiB", m.empty.PSS/mib)
	row("a parked connection", "≤ 25 KiB", "%.1f KiB (of %d)", float64(m.parkedTo.PSS-m.parkedFrom.PSS)/float64(m.parked)/1024, m.parked)
	row("start from disk without control plane, to the first answer: median, most", "≤ 1 s, < 2 s", "%s, %s (%d starts)", ms(m.start.first, 50), ms(m.start.first, 100), len(m.start.first))
	row(fmt.Sprintf("gateway CPU for the same request among %s APIs to that among %s", thousands(m.apis), thousands(m.bundle)), "≤ 1.05", "%.2f (%d to %d µs)", ratio(m.cpuAll, m.cpuFew), m.cpuAll.Microseconds()/10_000, m.cpuFew.Microseconds()/10_000)
	row("all APIs changed at once (a policy of the environment): enforced after, p99 of answers meanwhile, failed", "p99 ≤ 20 ms, 0", "%.1f s, %s, %d (%d MiB at its highest)", m.resync.took.Seconds(), ms(m.resync.during, 99), len(m.resync.failed), m.resync.peakRSS/mib)
	row("a revoked key refused after the answer: p50 / p99 / most", "p99 < 1 s", "%s / %s / %s (%d keys)", ms(m.revoke, 50), ms(m.revoke, 99), ms(m.revoke, 100), len(m.revoke))
	for _, f := range slices.Concat(c.failed, m.resync.failed)[:min(5, len(c.failed)+len(m.resync.failed))] {
		fmt.Fprintf(&b, "\nFailed: %.200s\n", f)
	}
	return b.String()
}

func ms(times []time.Duration, p float64) string {
	return fmt.Sprintf("%.1f ms", float64(load.Percentile(times, p).Microseconds())/1000)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// thousands writes n with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
