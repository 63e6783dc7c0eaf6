package storetest

import (
	"errors"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/store"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var hour = time.Date(2027, 5, 1, 10, 0, 0, 0, time.UTC)

// latency counts n in one bucket.
func latency(bucket int, n int64) []int64 {
	l := make([]int64, len(report.LatencyBounds)+1)
	l[bucket] = n
	return l
}

func usage(t *testing.T, db store.DB) {
	row := func(after time.Duration, api string, class int, requests int64) store.UsageRow {
		return store.UsageRow{Hour: hour.Add(after), Environment: "prod", Gateway: "g1", API: api, Class: class, Requests: requests,
			BytesIn: 10 * requests, BytesOut: 100 * requests, BackendMicros: 7, Latency: latency(class, requests)}
	}
	apply(t, db, store.Batch{Usage: &store.Usage{Spool: "a", Number: 1, Rows: []store.UsageRow{
		row(0, "p/x@v1", 2, 5), row(20*time.Minute, "p/x@v1", 2, 1), row(0, "p/x@v1", 4, 2), row(time.Hour, "p/y@v1", 2, 3),
		{Hour: hour, Environment: "qa", API: "p/x@v1", Class: 5, Denied: "rate-limit", Requests: 1},
	}}})
	apply(t, db, store.Batch{Usage: &store.Usage{Spool: "a", Number: 2, Rows: []store.UsageRow{row(0, "p/x@v1", 2, 4)}}})
	apply(t, db, store.Batch{Usage: &store.Usage{Spool: "b", Number: 1}}) // nothing was counted
	of := func(revision string, n int64) store.UsageRow {
		r := row(24*time.Hour, "p/z@v1", 2, n)
		r.Environment, r.Revision = "canary", revision
		return r
	}
	apply(t, db, store.Batch{Usage: &store.Usage{Spool: "c", Number: 1, Rows: []store.UsageRow{of("", 2), of("0123456789ab", 1), of("ba9876543210", 4)}}})
	apply(t, db, store.Batch{Usage: &store.Usage{Spool: "c", Number: 2, Rows: []store.UsageRow{of("0123456789ab", 2)}}})
	for _, tt := range []struct {
		name string
		q    store.UsageQuery
		want []store.UsageRow
	}{
		{"total", store.UsageQuery{}, []store.UsageRow{{Requests: 25}}},
		{"by api", store.UsageQuery{By: []string{"api"}}, []store.UsageRow{{API: "p/x@v1", Requests: 13}, {API: "p/y@v1", Requests: 3}, {API: "p/z@v1", Requests: 9}}},
		{"by hour and class", store.UsageQuery{By: []string{"hour", "class"}, Where: map[string]string{"environment": "prod"}}, []store.UsageRow{
			{Hour: hour, Class: 2, Requests: 10}, {Hour: hour, Class: 4, Requests: 2}, {Hour: hour.Add(time.Hour), Class: 2, Requests: 3}}},
		{"to", store.UsageQuery{To: hour.Add(time.Hour)}, []store.UsageRow{{Requests: 13}}},
		{"from", store.UsageQuery{From: hour.Add(time.Hour), To: hour.Add(2 * time.Hour)}, []store.UsageRow{{Requests: 3}}},
		{"one class", store.UsageQuery{Where: map[string]string{"class": "4"}}, []store.UsageRow{{Requests: 2}}},
		{"one hour", store.UsageQuery{Where: map[string]string{"hour": "2027-05-01T11:00:00Z"}}, []store.UsageRow{{Requests: 3}}},
		{"denied", store.UsageQuery{By: []string{"denied", "denied"}, Where: map[string]string{"environment": "qa"}}, []store.UsageRow{{Denied: "rate-limit", Requests: 1}}},
		{"by revision", store.UsageQuery{By: []string{"revision"}, Where: map[string]string{"api": "p/z@v1"}}, []store.UsageRow{
			{Requests: 2}, {Revision: "0123456789ab", Requests: 3}, {Revision: "ba9876543210", Requests: 4}}},
		{"one revision", store.UsageQuery{Where: map[string]string{"revision": "ba9876543210"}}, []store.UsageRow{{Requests: 4}}},
		{"nothing", store.UsageQuery{Where: map[string]string{"api": "' OR ''='"}}, []store.UsageRow{}},
	} {
		got, err := db.Usage(t.Context(), tt.q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		for i := range got {
			r := got[i]
			if r.Denied == "" && (r.Latency == nil || r.BytesOut != 10*r.BytesIn || r.BytesIn == 0) {
				t.Errorf("%s: counts beside requests: got %+v", tt.name, r)
			}
			got[i].Latency, got[i].BytesIn, got[i].BytesOut, got[i].BackendMicros = nil, 0, 0, 0
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	rows, err := db.Usage(t.Context(), store.UsageQuery{Where: map[string]string{"class": "2", "api": "p/x@v1"}})
	if err != nil || len(rows) != 1 || rows[0].Latency[2] != 10 || rows[0].BackendMicros != 21 {
		t.Errorf("sums over batches: got %+v, %v", rows, err)
	}
	if whole, err := db.Usage(t.Context(), store.UsageQuery{By: []string{"api"}, Most: 100}); err != nil || len(whole) < 2 {
		t.Errorf("within the bound: got %+v, %v", whole, err)
	}
	for _, q := range []store.UsageQuery{{By: []string{"api; DROP TABLE usage"}}, {Where: map[string]string{"1=1 --": "x"}},
		{Where: map[string]string{"class": "x"}}, {Where: map[string]string{"hour": "noon"}}, {By: []string{"api"}, Most: 1}, {By: []string{"api"}, Most: 1, Bins: true}} {
		_, err := db.Usage(t.Context(), q)
		want(t, "bad usage query", err, gatehouse.Invalid)
	}
}

// usageBins holds that latencies told finely add up, beside rows of programs that
// do not tell them, in batches and in sums of any dimensions.
func usageBins(t *testing.T, db store.DB) {
	row := func(api, app string, bins ...int) store.UsageRow {
		r := store.UsageRow{Hour: hour, Environment: "prod", Gateway: "g", API: api, Application: app, Class: 2, Requests: int64(len(bins))}
		for _, b := range bins {
			r.Bins = r.Bins.Add(report.Bins{{Bin: b, N: 1}})
		}
		r.Latency = r.Bins.Steps()
		return r
	}
	before := store.UsageRow{Hour: hour, Environment: "prod", Gateway: "g", API: "p/x@v1", Application: "a", Class: 2, Requests: 2, Latency: latency(8, 2)}
	for i, rows := range [][]store.UsageRow{
		{row("p/x@v1", "a", 100, 200, 200), row("p/x@v1", "b", 484), row("p/y@v1", "a", 0)},
		{before},
		{row("p/x@v1", "a", 150), row("p/x@v1", "a", 200, 300), row("p/x@v1", "é'", 7)},
	} {
		apply(t, db, store.Batch{Usage: &store.Usage{Spool: "bins", Number: int64(i + 1), Rows: rows}})
	}
	for _, tt := range []struct {
		name string
		q    store.UsageQuery
		want []report.Bins
	}{
		{"total", store.UsageQuery{}, []report.Bins{{{Bin: 0, N: 1}, {Bin: 7, N: 1}, {Bin: 100, N: 1}, {Bin: 150, N: 1}, {Bin: 200, N: 3}, {Bin: 300, N: 1}, {Bin: 484, N: 1}}}},
		{"by api", store.UsageQuery{By: []string{"api"}}, []report.Bins{
			{{Bin: 7, N: 1}, {Bin: 100, N: 1}, {Bin: 150, N: 1}, {Bin: 200, N: 3}, {Bin: 300, N: 1}, {Bin: 484, N: 1}}, {{Bin: 0, N: 1}}}},
		{"of one application", store.UsageQuery{Where: map[string]string{"application": "b"}, By: []string{"hour", "application"}}, []report.Bins{{{Bin: 484, N: 1}}}},
		{"of another hour", store.UsageQuery{From: hour.Add(time.Hour)}, nil},
	} {
		tt.q.Bins = true
		rows, err := db.Usage(t.Context(), tt.q)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var got []report.Bins
		for _, r := range rows {
			got = append(got, r.Bins)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		tt.q.Bins = false
		if rows, err = db.Usage(t.Context(), tt.q); err != nil || len(rows) > 0 && rows[0].Bins != nil {
			t.Errorf("%s: got bins that were not asked for: %+v, %v", tt.name, rows, err)
		}
	}
	rows, err := db.Usage(t.Context(), store.UsageQuery{Bins: true})
	if err != nil || rows[0].Requests != 11 || (report.Distribution{Latency: rows[0].Latency, Bins: rows[0].Bins}).Total() != 11 {
		t.Errorf("got %+v, %v; want 11 requests and latencies", rows, err)
	}
	for name, bad := range map[string]store.UsageRow{
		"more than the histogram": {Hour: hour, Requests: 1, Latency: latency(0, 1), Bins: report.Bins{{Bin: 0, N: 2}}},
		"another step":            {Hour: hour, Requests: 1, Latency: latency(0, 1), Bins: report.Bins{{Bin: 484, N: 1}}},
		"without a histogram":     {Hour: hour, Requests: 1, Bins: report.Bins{{Bin: 0, N: 1}}},
		"out of order":            {Hour: hour, Requests: 2, Latency: latency(0, 2), Bins: report.Bins{{Bin: 1, N: 1}, {Bin: 0, N: 1}}},
		"beyond the last":         {Hour: hour, Requests: 1, Latency: latency(18, 1), Bins: report.Bins{{Bin: report.NumBins, N: 1}}},
		"nothing":                 {Hour: hour, Requests: 1, Latency: latency(0, 1), Bins: report.Bins{{Bin: 0}}},
	} {
		_, err := db.Apply(t.Context(), store.Batch{Usage: &store.Usage{Spool: "bad", Number: 1, Rows: []store.UsageRow{bad}}})
		want(t, name, err, gatehouse.Invalid)
	}
}

func usageOnce(t *testing.T, db store.DB) {
	b := store.Batch{Usage: &store.Usage{Spool: "s", Number: 7, Rows: []store.UsageRow{{Hour: hour, API: "p/x@v1", Class: 2, Requests: 1}}},
		Events: []*gatehouse.Event{event("usage")}, Writes: []store.Write{put("Thing/ack", store.Any)}}
	seq := apply(t, db, b)
	for range 3 {
		_, err := db.Apply(t.Context(), b)
		if !errors.Is(err, store.ErrTaken) {
			t.Errorf("taken again: got %v, want ErrTaken", err)
		}
		want(t, "taken again", err, gatehouse.Conflict)
	}
	if head, err := db.Head(t.Context()); err != nil || head.Seq != seq || head.Event != 1 {
		t.Errorf("head after ErrTaken: got %+v, %v", head, err)
	}
	b.Usage.Spool = "another"
	apply(t, db, b)
	rows, err := db.Usage(t.Context(), store.UsageQuery{})
	if err != nil || len(rows) != 1 || rows[0].Requests != 2 {
		t.Errorf("counted: got %+v, %v; want 2 requests", rows, err)
	}
	// Events sealed for the batch that was refused must not have harmed those on record.
	Verify(t, db)
}
