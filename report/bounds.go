package report

import (
	"math/bits"
	"slices"
	"time"
)

// LatencyBounds are the upper bounds of the coarse histogram, which every
// program that ever counted knows. They double.
var LatencyBounds = []time.Duration{
	125 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 4 * time.Millisecond, 8 * time.Millisecond,
	16 * time.Millisecond, 32 * time.Millisecond, 64 * time.Millisecond, 128 * time.Millisecond,
	256 * time.Millisecond, 512 * time.Millisecond, 1024 * time.Millisecond,
	2048 * time.Millisecond, 4096 * time.Millisecond, 8192 * time.Millisecond, 16384 * time.Millisecond,
}

// BinBounds are the upper bounds of the fine histogram, from 10 µs to 60 s: the
// numbers that people promise. In each decade they go by 0.5 from 10 to 20, by
// 1 to 50 and by 2.5 to 100, so that no bin is wider than 5 % of what it begins
// at, and LatencyBounds are among them, so that each bin lies within one step of
// the coarse histogram.
var BinBounds = binBounds()

// NumBins is how many bins there are: one for each bound and one above all.
const NumBins = 485

func binBounds() []time.Duration {
	const last = 60 * time.Second
	all := slices.Clone(LatencyBounds)
	for decade := 10 * time.Microsecond; decade < last; decade *= 10 {
		// In fortieths, so that steps are whole: 10 is 400, 0.5 is 20.
		for n := time.Duration(400); n < 4000; {
			if d := decade / 400 * n; d <= last {
				all = append(all, d)
			}
			switch {
			case n < 800:
				n += 20
			case n < 2000:
				n += 40
			default:
				n += 100
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// The first bin that may hold a duration is looked up by where its highest bit
// is and the five bits below; at most a few bounds lie in so short a stretch.
const (
	lowest = 13 // bit of 8.192 µs: all below 10 µs is in the first bin
	depth  = 5
)

var firstBin = func() (at [(64 - lowest) << depth]uint16) {
	for i := range at {
		low := uint64(1<<depth|i&(1<<depth-1)) << (i>>depth + lowest - depth)
		bin, _ := slices.BinarySearch(BinBounds, time.Duration(min(low, 1<<62)))
		at[i] = uint16(bin)
	}
	return at
}()

// Bin is the place of d among BinBounds: the first that it does not pass.
func Bin(d time.Duration) int {
	if d <= BinBounds[0] {
		return 0
	}
	high := bits.Len64(uint64(d)) - 1
	i := int(firstBin[(high-lowest)<<depth|int(uint64(d)>>(high-depth))&(1<<depth-1)])
	for i < len(BinBounds) && d > BinBounds[i] {
		i++
	}
	return i
}

// coarse is the step of the coarse histogram that each bin lies in.
var coarse = func() (at [NumBins]uint8) {
	for i := range at {
		bound := time.Duration(1<<63 - 1)
		if i < len(BinBounds) {
			bound = BinBounds[i]
		}
		step, _ := slices.BinarySearch(LatencyBounds, bound)
		at[i] = uint8(step)
	}
	return at
}()

// Step is the place among LatencyBounds of what lies in a bin.
func Step(bin int) int { return int(coarse[bin]) }
