package usage_test

import (
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/usage"
	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func TestTakenOnce(t *testing.T) {
	u := &usage.Usage{DB: memory.New()}
	at := time.Date(2027, 1, 31, 15, 20, 0, 0, time.UTC)
	batch := func(spool string, number, requests int64) *report.Batch {
		return &report.Batch{Gateway: "g", Instance: "i", Spool: spool, Number: number, From: at, To: at.Add(time.Minute),
			Counts: []report.Count{{API: "a/x@v1", Class: 2, Requests: requests, Latency: []int64{0, requests}}}}
	}
	for _, b := range []*report.Batch{batch("s", 1, 10), batch("s", 1, 10), batch("s", 2, 5), batch("r", 1, 3), batch("s", 2, 5)} {
		if err := u.Take(t.Context(), "dev", b); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := u.Query(t.Context(), store.UsageQuery{From: at.Add(-time.Hour), To: at.Add(time.Hour), By: []string{"api", "environment", "hour"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Requests != 18 || rows[0].Environment != "dev" || !rows[0].Hour.Equal(at.Truncate(time.Hour)) {
		t.Errorf("rows %+v, want one of 18 requests at 15:00", rows)
	}
	if rows[0].P99 != report.LatencyBounds[1] {
		t.Errorf("p99 %s, want %s", rows[0].P99, report.LatencyBounds[1])
	}
}

func TestRefused(t *testing.T) {
	u := &usage.Usage{DB: memory.New()}
	for name, b := range map[string]*report.Batch{
		"no number":       {Spool: "s"},
		"no spool":        {Number: 1},
		"class":           {Spool: "s", Number: 1, Counts: []report.Count{{Class: 6}}},
		"below zero":      {Spool: "s", Number: 1, Counts: []report.Count{{Class: 2, Requests: -1}}},
		"histogram":       {Spool: "s", Number: 1, Counts: []report.Count{{Class: 2, Latency: make([]int64, 100)}}},
		"beyond counting": {Spool: "s", Number: 1, Counts: []report.Count{{Class: 2, BytesIn: 1 << 62}}},
	} {
		if err := u.Take(t.Context(), "dev", b); !gatehouse.Is(err, gatehouse.Invalid) {
			t.Errorf("%s: %v, want an invalid batch", name, err)
		}
	}
	now := time.Now()
	for name, q := range map[string]store.UsageQuery{
		"backwards": {From: now, To: now.Add(-time.Hour)},
		"too long":  {From: now.Add(-2 * usage.MaxSpan), To: now},
		"dimension": {From: now.Add(-time.Hour), To: now, By: []string{"colour"}},
		"filter":    {From: now.Add(-time.Hour), To: now, Where: map[string]string{"colour": "red"}},
	} {
		if _, err := u.Query(t.Context(), q); !gatehouse.Is(err, gatehouse.Invalid) {
			t.Errorf("%s: %v, want an invalid query", name, err)
		}
	}
}

// TestPercentileIsFine holds that percentiles are told by bins, and that a batch
// whose bins do not fit its histogram is refused.
func TestPercentileIsFine(t *testing.T) {
	u := &usage.Usage{DB: memory.New()}
	at := time.Date(2027, 1, 31, 15, 20, 0, 0, time.UTC)
	count := report.Count{API: "a/x@v1", Class: 2, Requests: 100}
	for _, took := range []struct {
		d time.Duration
		n int64
	}{{150 * time.Millisecond, 90}, {190 * time.Millisecond, 8}, {70 * time.Second, 2}} {
		count.Bins = count.Bins.Add(report.Bins{{Bin: report.Bin(took.d), N: took.n}})
	}
	count.Latency = count.Bins.Steps()
	if err := u.Take(t.Context(), "dev", &report.Batch{Gateway: "g", Spool: "s", Number: 1, From: at, To: at.Add(time.Minute), Counts: []report.Count{count}}); err != nil {
		t.Fatal(err)
	}
	rows, err := u.Query(t.Context(), store.UsageQuery{From: at.Add(-time.Hour), To: at.Add(time.Hour)})
	if err != nil || len(rows) != 1 || rows[0].P50 != 150*time.Millisecond || rows[0].P95 != 190*time.Millisecond || rows[0].P99 != 2*time.Minute {
		t.Errorf("got %+v, %v; want 150ms, 190ms and twice the last bound", rows, err)
	}
	count.Latency = nil
	if err := u.Take(t.Context(), "dev", &report.Batch{Gateway: "g", Spool: "s", Number: 2, From: at, Counts: []report.Count{count}}); !gatehouse.Is(err, gatehouse.Invalid) {
		t.Errorf("bins without a histogram: %v", err)
	}
}

func TestPercentile(t *testing.T) {
	b := report.LatencyBounds
	tests := []struct {
		histogram []int64
		percent   float64
		want      time.Duration
	}{
		{nil, 50, 0},
		{[]int64{0, 0}, 50, 0},
		{[]int64{1}, 99, b[0]},
		{[]int64{50, 50}, 50, b[0]},
		{[]int64{50, 50}, 51, b[1]},
		{[]int64{99, 0, 1}, 99, b[0]},
		{append(make([]int64, len(b)), 1), 50, 2 * b[len(b)-1]}, // above all bounds
	}
	for _, tt := range tests {
		if got := usage.Percentile(report.Distribution{Latency: tt.histogram}, tt.percent); got != tt.want {
			t.Errorf("p%v of %v: got %s, want %s", tt.percent, tt.histogram, got, tt.want)
		}
	}
}
