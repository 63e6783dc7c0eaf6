package report

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestBinsAreFine holds what reports of service levels rest on: no bin is wider
// than 6 % of its lower bound, what people promise is a bound, and each bin lies
// within one step of the coarse histogram.
func TestBinsAreFine(t *testing.T) {
	if len(BinBounds)+1 != NumBins || !slices.IsSorted(BinBounds) {
		t.Fatalf("%d bounds for %d bins", len(BinBounds), NumBins)
	}
	for i := 1; i < len(BinBounds); i++ {
		if w := float64(BinBounds[i]-BinBounds[i-1]) / float64(BinBounds[i-1]); w > 0.0501 || w <= 0 {
			t.Errorf("bin %d from %s to %s is %.1f %% wide", i, BinBounds[i-1], BinBounds[i], 100*w)
		}
	}
	for _, text := range []string{"50us", "100us", "500us", "1ms", "2ms", "5ms", "10ms", "20ms", "25ms", "30ms", "40ms", "50ms", "75ms", "80ms", "100ms", "120ms", "150ms", "200ms",
		"250ms", "300ms", "350ms", "400ms", "450ms", "500ms", "600ms", "700ms", "750ms", "800ms", "900ms", "1s", "1200ms", "1500ms", "2s", "2500ms", "3s", "4s", "5s", "8s", "10s", "12s", "15s",
		"20s", "25s", "30s", "45s", "1m"} {
		if d, err := time.ParseDuration(text); err != nil || !slices.Contains(BinBounds, d) {
			t.Errorf("%s is no bound: %v", text, err)
		}
	}
	for _, b := range LatencyBounds {
		if !slices.Contains(BinBounds, b) {
			t.Errorf("%s, a bound of before, is none now", b)
		}
	}
}

// TestBinIsTheFirstBound compares the quick look-up with a search.
func TestBinIsTheFirstBound(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, d time.Duration) {
		want, _ := slices.BinarySearch(BinBounds, d)
		if got := Bin(d); got != want {
			t.Errorf("Bin(%s): got %d, want %d", d, got, want)
		}
		if step, _ := slices.BinarySearch(LatencyBounds, d); Step(Bin(d)) != step {
			t.Errorf("%s is in step %d, its bin in step %d", d, step, Step(Bin(d)))
		}
	}
	for _, b := range BinBounds {
		for _, d := range []time.Duration{b - 1, b, b + 1} {
			check(t, d)
		}
	}
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, math.MaxInt64} {
		check(t, d)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, time.Duration(rapid.Int64().Draw(t, "d"))) })
}

var someBins = rapid.Custom(func(t *rapid.T) Bins {
	var b Bins
	for bin, n := range rapid.MapOfN(rapid.IntRange(0, NumBins-1), rapid.Int64Range(1, maxInBin/1000), 0, 20).Draw(t, "bins") {
		b = append(b, BinCount{bin, n})
	}
	slices.SortFunc(b, func(a, b BinCount) int { return a.Bin - b.Bin })
	return b
})

func dense(b Bins) (d [NumBins]int64) {
	for _, c := range b {
		d[c.Bin] += c.N
	}
	return d
}

func TestBinsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := someBins.Draw(t, "a"), someBins.Draw(t, "b")
		before := slices.Clone(b)
		want := dense(a)
		for _, c := range b {
			want[c.Bin] += c.N
		}
		sum := slices.Clone(a).Add(b)
		if dense(sum) != want || !slices.IsSortedFunc(sum, func(a, b BinCount) int { return a.Bin - b.Bin }) || !slices.Equal(b, before) {
			t.Fatalf("%v and %v: got %v", a, b, sum)
		}
		if back := sum.Less(b); dense(back) != dense(a) {
			t.Fatalf("%v less %v: got %v, want %v", sum, b, back, a)
		}
		raw, err := json.Marshal(struct {
			B Bins `json:"b,omitempty"`
		}{sum})
		if err != nil {
			t.Fatal(err)
		}
		var read struct{ B Bins }
		if err := json.Unmarshal(raw, &read); err != nil || dense(read.B) != want {
			t.Fatalf("%s: got %v, %v", raw, read.B, err)
		}
	})
}

func TestBinsThatAreNone(t *testing.T) {
	for _, data := range [][]byte{{binsForm, 0}, {binsForm, 0, 0}, {binsForm, 0xE5, 3, 1}, {binsForm, 0x80}, {binsForm, 1, 0x80},
		append([]byte{binsForm, 1}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)} {
		if b, err := DecodeBins(data); err == nil {
			t.Errorf("%v: got %v, want an error", data, b)
		}
	}
	// A younger peer may tell by other bounds: then the coarse histogram must do.
	if b, err := DecodeBins([]byte{2, 99, 99}); b != nil || err != nil {
		t.Errorf("a form that is not known: got %v, %v", b, err)
	}
}

func FuzzDecodeBins(f *testing.F) {
	f.Add([]byte{binsForm, 3, 1, 0, 200, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBins(data)
		if err != nil {
			return
		}
		again, err := DecodeBins(b.Encode())
		if diff := cmp.Diff(b, again); err != nil || len(b) > NumBins || diff != "" && len(b) > 0 {
			t.Fatalf("%v: %v\n%s", data, err, diff)
		}
		Distribution{b.Steps(), b}.Quantile(95)
	})
}

// TestQuantileHolds compares with sorted latencies, some of which were counted
// by a program of before: the quantile lies where it is said to, and within 5 %
// where all were counted finely.
func TestQuantileHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		took := rapid.SliceOfN(rapid.Int64Range(1, int64(100*time.Second)), 1, 60).Draw(t, "took")
		old := rapid.SliceOfN(rapid.Int64Range(1, int64(100*time.Second)), 0, 10).Draw(t, "old")
		d := Distribution{Latency: make([]int64, len(LatencyBounds)+1)}
		for _, n := range took {
			d.Bins = d.Bins.Add(Bins{{Bin(time.Duration(n)), 1}})
		}
		all := slices.Concat(took, old)
		for _, n := range all {
			d.Latency[Step(Bin(time.Duration(n)))]++
		}
		slices.Sort(all)
		for _, percent := range []int{50, 95, 99, 100} {
			exact := time.Duration(all[(len(all)*percent+99)/100-1])
			over, upTo, ok := d.Quantile(float64(percent))
			if !ok || exact <= over && over > 0 || upTo > 0 && exact > upTo {
				t.Fatalf("p%d is %s, and said to be in (%s, %s]", percent, exact, over, upTo)
			}
			if len(old) == 0 && over >= BinBounds[0] && upTo > 0 && float64(upTo-over) > 0.0501*float64(over) {
				t.Fatalf("p%d: (%s, %s] is wider than 5 %%", percent, over, upTo)
			}
			if e := d.Estimate(float64(percent) / 100); len(old) == 0 && (e < over || upTo > 0 && e > upTo) {
				t.Fatalf("p%d is estimated as %s, outside of (%s, %s]", percent, e, over, upTo)
			}
		}
		if d.Total() != int64(len(all)) {
			t.Fatalf("total: got %d, want %d", d.Total(), len(all))
		}
	})
}

func TestQuantileOfNothing(t *testing.T) {
	if _, _, ok := (Distribution{}).Quantile(50); ok {
		t.Error("nothing has a median")
	}
	if e := (Distribution{Latency: []int64{0, 0}}).Estimate(0.5); e != 0 {
		t.Errorf("estimate of nothing: %s", e)
	}
}
