package report

import "time"

// A Distribution is what is known of latencies. Latency counts all of them by
// the steps of [LatencyBounds]; Bins tells more exactly of those that were
// counted by programs that know bins, and is nil where none was. Of what only
// Latency holds no more is known than its step.
type Distribution struct {
	Latency []int64
	Bins    Bins
}

// rest is what only Latency holds, by step.
func (d Distribution) rest() (rest [len(coarseEnds)]int64) {
	for i, n := range d.Latency {
		if i < len(rest) {
			rest[i] = n
		}
	}
	for _, c := range d.Bins {
		rest[Step(c.Bin)] -= c.N
	}
	for i := range rest {
		rest[i] = max(rest[i], 0)
	}
	return rest
}

// coarseEnds are the first and last bin of each step of the coarse histogram.
var coarseEnds = func() (ends [19]struct{ first, last int }) {
	for i := range ends {
		ends[i].first = -1
	}
	for bin := range NumBins {
		e := &ends[Step(bin)]
		if e.first < 0 {
			e.first = bin
		}
		e.last = bin
	}
	return ends
}()

// Total is how many latencies were counted.
func (d Distribution) Total() (n int64) {
	for _, c := range d.Bins {
		n += c.N
	}
	for _, c := range d.rest() {
		n += c
	}
	return n
}

// Quantile tells where the quantile lies: that of the request whose rank is
// percent of all, rounded up. It is above over and not above upTo, which is 0
// where it is above all bounds. Without latencies ok is false.
func (d Distribution) Quantile(percent float64) (over, upTo time.Duration, ok bool) {
	total := d.Total()
	if total == 0 {
		return 0, 0, false
	}
	rank := max(1, int64(float64(total)*percent/100+0.999999))
	// What is known by its step alone lies at the step's begin at the earliest,
	// and at its end at the latest.
	var early, late [NumBins]int64
	for _, c := range d.Bins {
		early[c.Bin] += c.N
		late[c.Bin] += c.N
	}
	for i, n := range d.rest() {
		early[coarseEnds[i].first] += n
		late[coarseEnds[i].last] += n
	}
	if bin := reach(&early, rank); bin > 0 {
		over = BinBounds[bin-1]
	}
	if bin := reach(&late, rank); bin < len(BinBounds) {
		upTo = BinBounds[bin]
	}
	return over, upTo, true
}

// reach is the bin in which a rank lies.
func reach(bins *[NumBins]int64, rank int64) int {
	for i, n := range bins {
		if rank -= n; rank <= 0 {
			return i
		}
	}
	return NumBins - 1
}

// Estimate is the most likely value of a quantile between 0 and 1: requests are
// taken to lie evenly within their bin, and where only a step is known, within
// that. What lies above all bounds is taken to reach to twice the last.
func (d Distribution) Estimate(quantile float64) time.Duration {
	var mass [NumBins]float64
	total := float64(d.Total())
	for _, c := range d.Bins {
		mass[c.Bin] += float64(c.N)
	}
	for i, n := range d.rest() {
		if n > 0 {
			strew(&mass, i, float64(n))
		}
	}
	rank, last := quantile*total, time.Duration(0)
	for i, n := range mass {
		if n == 0 {
			continue
		}
		low, high := binEnds(i)
		if rank <= n {
			return low + time.Duration(float64(high-low)*max(rank, 0)/n)
		}
		rank -= n
		last = high
	}
	return last // no more than what adding fractions lost
}

// strew lays requests evenly over the bins of a step.
func strew(mass *[NumBins]float64, step int, n float64) {
	begin, _ := binEnds(coarseEnds[step].first)
	end := 2 * begin
	if step < len(LatencyBounds) {
		end = LatencyBounds[step]
	}
	for bin := coarseEnds[step].first; bin <= coarseEnds[step].last; bin++ {
		low, high := binEnds(bin)
		if part := min(high, end) - low; part > 0 {
			mass[bin] += n * float64(part) / float64(end-begin)
		}
	}
}

// binEnds are between which bounds a bin lies.
func binEnds(bin int) (low, high time.Duration) {
	if bin > 0 {
		low = BinBounds[bin-1]
	}
	if bin < len(BinBounds) {
		return low, BinBounds[bin]
	}
	return low, 2 * low
}
