package telemetry

import "gatehouse/report"

// A window is the part of the fine histogram that one cell needs: what is alike
// takes about as long, so it holds the bins from the first to the last in use
// and no others. It grows by whole blocks, never beyond all bins: 2 KB.
type window struct {
	counts []uint32 // of bins from first on; within room while they fit
	first  uint16
	room   [block]uint32
}

// block is how many bins a window grows by; aligned, so that growing both ways
// comes to few steps.
const block = 16

// add counts one request. Between two roll-ups no bin sees as many as a count
// holds; if one did, it would stay at the most rather than begin anew.
func (w *window) add(bin int) {
	i := bin - int(w.first)
	if uint(i) >= uint(len(w.counts)) {
		i = w.grow(bin)
	}
	if w.counts[i]++; w.counts[i] == 0 {
		w.counts[i]--
	}
}

// grow makes the window reach to a bin and tells where that is in it.
func (w *window) grow(bin int) int {
	from, to := bin/block*block, bin/block*block+block
	if len(w.counts) == 0 {
		w.first, w.counts = uint16(from), w.room[:]
		return bin - from
	}
	from, to = min(from, int(w.first)), max(to, int(w.first)+len(w.counts))
	wider := make([]uint32, to-from)
	copy(wider[int(w.first)-from:], w.counts)
	w.first, w.counts = uint16(from), wider
	return bin - from
}

// bins appends what was counted.
func (w *window) bins(to report.Bins) report.Bins {
	for i, n := range w.counts {
		if n > 0 {
			to = append(to, report.BinCount{Bin: int(w.first) + i, N: int64(n)})
		}
	}
	return to
}
