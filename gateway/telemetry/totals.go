package telemetry

import "gatehouse/report"

// totals are what was counted since the start, in less detail than cells so
// that their number is bounded by the number of APIs: what /metrics shows.
type totals struct {
	apis    map[apiKey]*sum
	latency [steps]int64
	micros  int64
}

// steps is len(report.LatencyBounds) and one for what is above all; a test
// holds the two together.
const steps = 19

type apiKey struct {
	api, denied string
	class       uint8
}

type sum struct{ requests, bytesIn, bytesOut, backend int64 }

func newTotals() totals { return totals{apis: make(map[apiKey]*sum)} }

func (t *totals) add(key cellKey, c *cell) {
	k := apiKey{key.route.API, key.denied, key.class}
	s := t.apis[k]
	if s == nil {
		s = new(sum)
		t.apis[k] = s
	}
	s.requests += c.requests
	s.bytesIn += c.bytesIn
	s.bytesOut += c.bytesOut
	s.backend += c.backend
	t.micros += c.micros
	for i, n := range c.latency.counts {
		if n > 0 {
			t.latency[report.Step(int(c.latency.first)+i)] += int64(n)
		}
	}
}

// sinceStart returns all since the start, including what no roll-up has taken yet.
func (m *Meter) sinceStart() totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := totals{apis: make(map[apiKey]*sum, len(m.totals.apis)), latency: m.totals.latency, micros: m.totals.micros}
	for k, s := range m.totals.apis {
		c := *s
		t.apis[k] = &c
	}
	for i := range m.lanes {
		l := &m.lanes[i]
		l.mu.Lock()
		for key, c := range l.cells {
			t.add(key, c)
		}
		l.mu.Unlock()
	}
	return t
}
