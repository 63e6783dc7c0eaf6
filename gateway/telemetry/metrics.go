package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/report"
)

// A State is what an operator sees beside the counts.
type State struct {
	Serial      int64 // of the manifest in force
	APIs        int   // live
	Aside       int   // set aside
	Keys        int
	InFlight    int64
	Connections int64
	Panics      int64
	LogDropped  int64
	Link
}

// A Link is how an instance stands with its control plane and its disk.
type Link struct {
	Unsent      int64 // batches of counts that wait
	Unwritten   int64 // times that the disk did not take something
	Interrupted int64 // times that the control plane could not be asked
}

// A Collector shows a meter and a state to Prometheus. Nothing of it runs on
// the way of a request: all is added up when it is asked for.
type Collector struct {
	meter *Meter
	state func() State
}

// NewCollector makes a collector; state is asked at each scrape.
func NewCollector(m *Meter, state func() State) *Collector { return &Collector{m, state} }

var (
	descRequests    = desc("requests_total", "Requests answered, by API, status class and what denied them.", "api", "class", "denied")
	descIn          = desc("request_bytes_total", "Bytes of request bodies.", "api")
	descOut         = desc("response_bytes_total", "Bytes of response bodies.", "api")
	descBackend     = desc("backend_seconds_total", "Time spent waiting for backends.", "api")
	descLatency     = desc("request_duration_seconds", "From the request's head to the answer's last byte.")
	descSerial      = desc("manifest_serial", "Serial of the manifest in force.")
	descAPIs        = desc("apis", "API versions, by whether they are live or set aside.", "state")
	descKeys        = desc("credentials", "Credentials in memory.")
	descInFlight    = desc("requests_in_flight", "Requests in work.")
	descConns       = desc("connections", "Open connections of callers.")
	descPanics      = desc("panics_total", "Requests that ended in a fault of the program's.")
	descDropped     = desc("log_lines_dropped_total", "Access log lines dropped under load.")
	descUnsent      = desc("counts_unsent", "Batches of counts that wait for the control plane.")
	descUnwritten   = desc("disk_faults_total", "Times that counts, configuration or counters of limits could not be written to disk.")
	descInterrupted = desc("link_faults_total", "Times that the control plane could not be asked for configuration.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("gatehouse_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRequests, descIn, descOut, descBackend, descLatency, descSerial, descAPIs,
		descKeys, descInFlight, descConns, descPanics, descDropped, descUnsent, descUnwritten, descInterrupted} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	t, s := c.meter.sinceStart(), c.state()
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	perAPI := make(map[string]sum)
	for k, v := range t.apis {
		counter(descRequests, float64(v.requests), k.api, strconv.Itoa(int(k.class))+"xx", k.denied)
		a := perAPI[k.api]
		perAPI[k.api] = sum{a.requests + v.requests, a.bytesIn + v.bytesIn, a.bytesOut + v.bytesOut, a.backend + v.backend}
	}
	for api, v := range perAPI {
		counter(descIn, float64(v.bytesIn), api)
		counter(descOut, float64(v.bytesOut), api)
		counter(descBackend, float64(v.backend)/1e6, api)
	}
	bounds, n := make(map[float64]uint64), uint64(0)
	for i, b := range report.LatencyBounds {
		n += uint64(t.latency[i])
		bounds[b.Seconds()] = n
	}
	n += uint64(t.latency[steps-1])
	to <- prometheus.MustNewConstHistogram(descLatency, n, float64(t.micros)/1e6, bounds)
	gauge(descSerial, float64(s.Serial))
	gauge(descAPIs, float64(s.APIs), "live")
	gauge(descAPIs, float64(s.Aside), "aside")
	gauge(descKeys, float64(s.Keys))
	gauge(descInFlight, float64(s.InFlight))
	gauge(descConns, float64(s.Connections))
	counter(descPanics, float64(s.Panics))
	counter(descDropped, float64(s.LogDropped))
	gauge(descUnsent, float64(s.Unsent))
	counter(descUnwritten, float64(s.Unwritten))
	counter(descInterrupted, float64(s.Interrupted))
}
