// Package telemetry counts requests, writes the access log, and shows both to
// operators.
//
// A [Meter] adds up requests alike in cells that are found by pointer, so that
// counting costs nanoseconds; Rollup takes what was counted since the last
// one, each request once. A [Log] writes lines through one writer and drops
// lines rather than hold up a request. Neither ever sees a key, a token or a
// query. What becomes of roll-ups is for the spool of package link.
package telemetry

import (
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/credential"
	"gatehouse/report"
)

// A Route is what a request is counted under. It is made once for each
// operation; two Routes that say the same are added up in the end.
type Route struct {
	API, Operation string
	Revision       string // as [report.ShortRevision] has it
}

// A Sample is one answered request.
type Sample struct {
	Route *Route
	// Caller is the subscription, zero when nobody was identified.
	Caller   credential.Subscription
	Status   int
	Denied   string // the policy or gateway error that answered; empty otherwise
	Duration time.Duration
	Backend  time.Duration // spent waiting for the backend
	BytesIn  int64
	BytesOut int64
}

// DefaultMaxCells is how many combinations of route, caller, class and denial
// are told apart between two roll-ups: about 200 MB when all are in use, each
// with latencies that lie together.
const DefaultMaxCells = 1_000_000

// A Meter adds up samples. It is safe for use by several goroutines.
type Meter struct {
	lanes []lane
	next  atomic.Uint32
	cells atomic.Int64
	max   int64
	full  chan struct{}

	mu     sync.Mutex // guards totals; taken before any lane's
	totals totals
}

// A lane is a share of the cells with a lock of its own. A goroutine keeps to
// one lane, so that locks are seldom contended.
type lane struct {
	mu    sync.Mutex // guards cells
	cells map[cellKey]*cell
	_     [40]byte // to a cache line of its own
}

type cellKey struct {
	route  *Route
	caller credential.Subscription
	denied string
	class  uint8
}

type cell struct {
	requests, bytesIn, bytesOut, backend int64
	micros                               int64
	latency                              window
}

// NewMeter makes a meter with some lanes, at least one, that tells at most
// maxCells combinations apart ([DefaultMaxCells] when zero).
func NewMeter(lanes, maxCells int) *Meter {
	if maxCells <= 0 {
		maxCells = DefaultMaxCells
	}
	m := &Meter{lanes: make([]lane, max(lanes, 1)), max: int64(maxCells), full: make(chan struct{}, 1), totals: newTotals()}
	for i := range m.lanes {
		m.lanes[i].cells = make(map[cellKey]*cell)
	}
	return m
}

// Lane gives out a lane to count on, in turn.
func (m *Meter) Lane() int { return int(m.next.Add(1)) % len(m.lanes) }

// Full receives when half of the cells are taken: time to roll up early.
func (m *Meter) Full() <-chan struct{} { return m.full }

// Add counts a sample on a lane. Beyond the bound on cells, and only then,
// samples are counted without their caller rather than not at all.
func (m *Meter) Add(at int, s *Sample) {
	key := cellKey{route: s.Route, caller: s.Caller, denied: s.Denied, class: uint8(s.Status / 100)}
	l := &m.lanes[at]
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cells[key]
	if c == nil {
		if n := m.cells.Load(); n >= m.max {
			key.caller = credential.Subscription{}
			c = l.cells[key]
		} else if n == m.max/2 {
			select {
			case m.full <- struct{}{}:
			default:
			}
		}
	}
	if c == nil {
		c = new(cell)
		l.cells[key] = c
		m.cells.Add(1)
	}
	c.add(s)
}

func (c *cell) add(s *Sample) {
	c.requests++
	c.bytesIn += s.BytesIn
	c.bytesOut += s.BytesOut
	c.backend += s.Backend.Microseconds()
	c.micros += s.Duration.Microseconds()
	c.latency.add(report.Bin(s.Duration))
}

// Rollup returns what was counted since the last call and begins anew. A
// request that is counted meanwhile is in this roll-up or in the next.
func (m *Meter) Rollup() []report.Count {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := make([]map[cellKey]*cell, len(m.lanes))
	most := 0
	for i := range m.lanes {
		l := &m.lanes[i]
		l.mu.Lock()
		cells := l.cells
		l.cells = make(map[cellKey]*cell, min(len(cells), 1024))
		m.cells.Add(int64(-len(cells)))
		l.mu.Unlock()
		taken[i], most = cells, max(most, len(cells))
	}
	// Lanes see much the same: what is made for one is enough for most.
	r := rollup{at: make(map[identity]int, most), counts: make([]report.Count, 0, most)}
	for _, cells := range taken {
		for key, c := range cells {
			m.totals.add(key, c)
			r.add(key, c)
		}
	}
	for i := range r.counts {
		r.counts[i].Latency = r.counts[i].Bins.Steps()
	}
	return r.counts
}

// A rollup adds up cells alike.
type rollup struct {
	at     map[identity]int // where each is in counts
	counts []report.Count
	room   [report.NumBins]report.BinCount // for the bins of one cell
}

// identity is what makes counts alike.
type identity struct {
	route  Route
	app    string
	plan   credential.PlanName
	denied string
	class  uint8
}

func (r *rollup) add(key cellKey, c *cell) {
	id := identity{route: *key.route, denied: key.denied, class: key.class}
	if key.caller.Known() {
		id.app, id.plan = key.caller.Application(), key.caller.Plan().Value()
	}
	i, ok := r.at[id]
	if !ok {
		i = len(r.counts)
		r.at[id] = i
		r.counts = append(r.counts, report.Count{API: id.route.API, Operation: id.route.Operation, Application: id.app,
			Product: id.plan.Product, Plan: id.plan.Plan, Revision: id.route.Revision, Class: int(id.class), Denied: id.denied})
	}
	n := &r.counts[i]
	n.Requests += c.requests
	n.BytesIn += c.bytesIn
	n.BytesOut += c.bytesOut
	n.BackendMicros += c.backend
	n.Bins = n.Bins.Add(c.latency.bins(r.room[:0]))
}
