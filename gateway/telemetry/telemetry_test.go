package telemetry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/gateway/credential"
	"gatehouse/report"
	"gatehouse/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStepsAreTheReports(t *testing.T) {
	if steps != len(report.LatencyBounds)+1 {
		t.Fatalf("%d steps for %d bounds", steps, len(report.LatencyBounds))
	}
}

// A roll-up tells each latency within the bin it lies in, and the same coarsely
// for a control plane of before.
func TestLatenciesAreFine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMeter(2, 0)
		var want [report.NumBins]int64
		var old [steps]int64
		r := &Route{API: "a/x@v1"}
		for i, d := range rapid.SliceOf(rapid.Int64Range(-1, int64(2*time.Minute))).Draw(t, "took") {
			took := time.Duration(d)
			m.Add(i%2, &Sample{Route: r, Status: 200, Duration: took})
			bin, _ := slices.BinarySearch(report.BinBounds, took)
			step, _ := slices.BinarySearch(report.LatencyBounds, took)
			want[bin]++
			old[step]++
		}
		for _, c := range m.Rollup() {
			for _, b := range c.Bins {
				want[b.Bin] -= b.N
			}
			for i, n := range c.Latency {
				old[i] -= n
			}
		}
		if want != [report.NumBins]int64{} || old != [steps]int64{} {
			t.Fatalf("left over: %v by bin, %v by step", want, old)
		}
	})
}

// A window holds at its most what it can count and no more memory than all bins.
func TestWindowIsBounded(t *testing.T) {
	var w window
	for range 2 {
		for bin := range report.NumBins {
			w.add(bin)
			w.add(report.NumBins - 1 - bin)
		}
	}
	if len(w.counts) > report.NumBins+block {
		t.Errorf("%d counts for %d bins", len(w.counts), report.NumBins)
	}
	w.counts[7] = math.MaxUint32
	w.add(7)
	if b := w.bins(nil); len(b) != report.NumBins || b[7].N != math.MaxUint32 || b[8].N != 4 {
		t.Errorf("got %d bins, %v", len(b), b[7:9])
	}
}

// sub is a subscription of its own, as a lookup finds it.
func sub(app, plan string) credential.Subscription {
	c := snapshot.KeyCredential("key")
	s, err := credential.NewShard(c.Shard(), &snapshot.Credentials{
		Subscriptions: []snapshot.Subscription{{Application: app, Product: "p", Plan: plan}}, Keys: []snapshot.Key{{Hash: c}}}, nil)
	if err != nil {
		panic(err)
	}
	return new(credential.Index).With(map[string]*credential.Shard{c.Shard(): s}).Find(&c, nil)[0]
}

// Roll-ups taken while requests are counted hold each request once.
func TestRollupLosesNothing(t *testing.T) {
	m := NewMeter(2, 0)
	routes := []*Route{{API: "a/x@v1", Operation: "get"}, {API: "a/x@v1", Operation: "get"}, {API: "a/y@v1"}}
	subs := []credential.Subscription{{}, sub("t/a", "free"), sub("t/a", "free"), sub("t/b", "gold")}
	const workers, each = 4, 5000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			lane := m.Lane()
			for i := range each {
				m.Add(lane, &Sample{Route: routes[i%3], Caller: subs[(i+w)%4], Status: 200 + 100*(i%4), BytesIn: 1, BytesOut: 2, Duration: time.Millisecond, Backend: time.Microsecond})
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var n, in, out, backend, latency int64
	take := func() {
		seen := map[string]bool{}
		for _, c := range m.Rollup() {
			n, in, out, backend = n+c.Requests, in+c.BytesIn, out+c.BytesOut, backend+c.BackendMicros
			latency += c.Latency[3]
			id := c.API + c.Operation + c.Application + c.Product + c.Plan + c.Denied + string(rune(c.Class))
			if seen[id] {
				t.Errorf("%s is in one roll-up twice", id)
			}
			seen[id] = true
		}
	}
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		take()
	}
	take()
	if want := int64(workers * each); n != want || in != want || out != 2*want || backend != want || latency != want {
		t.Errorf("got %d requests, %d in, %d out, %d µs, %d in the histogram; want %d", n, in, out, backend, latency, want)
	}
	total := m.sinceStart()
	var all int64
	for _, s := range total.apis {
		all += s.requests
	}
	if all != workers*each {
		t.Errorf("totals since the start: got %d, want %d", all, workers*each)
	}
}

func TestCellsAreBounded(t *testing.T) {
	m := NewMeter(1, 10)
	r := &Route{API: "a", Operation: "b"}
	for range 100 {
		m.Add(0, &Sample{Route: r, Caller: sub("x", "y"), Status: 200})
	}
	select {
	case <-m.Full():
	default:
		t.Error("nobody was told that cells run out")
	}
	if n := len(m.lanes[0].cells); n != 11 {
		t.Errorf("got %d cells, want the 10 allowed and one without caller", n)
	}
	var n int64
	for _, c := range m.Rollup() {
		n += c.Requests
	}
	if n != 100 {
		t.Errorf("got %d requests, want 100", n)
	}
}

func TestLogLine(t *testing.T) {
	var b bytes.Buffer
	l := NewLog(&b, 1)
	l.Add(&Line{Time: time.Unix(0, 0), Caller: netip.MustParseAddr("192.0.2.1"), Method: "GET", Host: "h\"\n", Path: "/é", Status: 200})
	l.Close()
	l.Add(&Line{Status: 200})
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || strings.Count(b.String(), "\n") != 1 {
		t.Fatalf("%q: %v", b.String(), err)
	}
	if got["host"] != "h\"\n" || got["caller"] != "192.0.2.1" || got["status"] != 200.0 {
		t.Errorf("got %v", got)
	}
	if l.Dropped() != 1 {
		t.Errorf("dropped: got %d, want the line after Close", l.Dropped())
	}
}

// A writer that hangs holds up nobody, and what it costs is counted.
func TestLogDropsUnderLoad(t *testing.T) {
	r, w := io.Pipe()
	l := NewLog(w, 1)
	line := &Line{Path: "/" + strings.Repeat("x", 900), Status: 200}
	const n = 5000
	for range n {
		l.Add(line)
	}
	if l.Dropped() == 0 {
		t.Error("nothing was dropped")
	}
	var written int
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, _ := io.ReadAll(r)
		written = bytes.Count(b, []byte("\n"))
	}()
	l.Close()
	w.Close()
	<-done
	if int64(written)+l.Dropped() != n {
		t.Errorf("%d written and %d dropped of %d", written, l.Dropped(), n)
	}
}

func TestLogSamples(t *testing.T) {
	var b bytes.Buffer
	l := NewLog(&b, 0.1)
	for range 2000 {
		l.Add(&Line{Status: 200})
	}
	l.Add(&Line{Status: 429})
	l.Close()
	if n := bytes.Count(b.Bytes(), []byte("\n")); n < 50 || n > 500 || !bytes.Contains(b.Bytes(), []byte("429")) {
		t.Errorf("got %d lines of about 200, and all denials", n)
	}
	var none *Log
	none.Add(&Line{})
	none.Close()
}

func TestCollector(t *testing.T) {
	m := NewMeter(1, 0)
	m.Add(0, &Sample{Route: &Route{API: "a/x@v1", Operation: "get"}, Status: 429, Denied: "rate-limit", Duration: time.Millisecond})
	m.Rollup()
	m.Add(0, &Sample{Route: &Route{API: "a/x@v1", Operation: "get"}, Status: 429, Denied: "rate-limit", Duration: time.Millisecond})
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(NewCollector(m, func() State { return State{Serial: 7, APIs: 3} }))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`gatehouse_requests_total{api="a/x@v1",class="4xx",denied="rate-limit"} 2`, "gatehouse_manifest_serial 7",
		`gatehouse_apis{state="live"} 3`, `gatehouse_request_duration_seconds_bucket{le="0.001"} 2`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// BenchmarkAddSpread counts latencies as they come: over some octaves.
func BenchmarkAddSpread(b *testing.B) {
	m := NewMeter(2, 0)
	samples := make([]Sample, 1024)
	r, caller := &Route{API: "a/x@v1", Operation: "get"}, sub("a", "b")
	for i := range samples {
		took := time.Duration(math.Exp(rand.NormFloat64()*0.5) * float64(20*time.Millisecond))
		samples[i] = Sample{Route: r, Caller: caller, Status: 200, Duration: took}
	}
	b.ReportAllocs()
	for i := range b.N {
		m.Add(0, &samples[i%len(samples)])
	}
}

// BenchmarkReport tells how large a report of a thousand series is.
func BenchmarkReport(b *testing.B) {
	m := NewMeter(1, 0)
	for range 1000 {
		r := &Route{API: "a/x@v1", Operation: "get"}
		r.Operation = fmt.Sprint(rand.Int())
		for range 300 {
			m.Add(0, &Sample{Route: r, Status: 200, Duration: time.Duration(math.Exp(rand.NormFloat64()*0.5) * float64(20*time.Millisecond))})
		}
	}
	counts := m.Rollup()
	b.ResetTimer()
	var size int
	for range b.N {
		data, err := json.Marshal(counts)
		if err != nil {
			b.Fatal(err)
		}
		size = len(data)
	}
	b.ReportMetric(float64(size)/1000, "B/series")
}

func BenchmarkAdd(b *testing.B) {
	m := NewMeter(2, 0)
	s := &Sample{Route: &Route{API: "a/x@v1", Operation: "get"}, Caller: sub("a", "b"), Status: 200, Duration: time.Millisecond}
	b.ReportAllocs()
	for range b.N {
		m.Add(0, s)
	}
}
