package sla

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/store"
)

// Verdicts on a promise.
const (
	Kept      = "met"
	Broken    = "missed"
	Undecided = "undecided" // the limit lies within the bounds that are known
	NoData    = "no data"
)

// A Measure is what gateways counted of one subject.
//
// Counted is every request that was answered, but for those whose caller left
// before (denied "caller-left"): these are told apart as Left. Failed are
// answers of status class 5, whether a backend gave them or the gateway did
// because of one, of itself, or of a policy. All else was served: also what a
// policy turned down with a 4xx, since a limit, a missing key or a bad request
// is no outage. Latency is that of answers that were not turned down.
type Measure struct {
	Counted, Failed, Left int64
	Availability          float64 // percent, 100 where nothing was counted
	Available             string  // verdict; "" where nothing is promised
	// Budget is how many more may fail, in percent of what may; below 0 it is
	// overdrawn. Burn is how many times as fast as is promised it is used up.
	// Nil where nothing was counted or 100 percent is promised.
	Budget, Burn *float64
	Latency      []Quantile
}

// A Quantile is one promise of latency.
type Quantile struct {
	Percent int
	Limit   time.Duration
	// The measured quantile is above Over and not above UpTo; UpTo is 0 where
	// it is above all bounds.
	Over, UpTo time.Duration
	Verdict    string
}

// A tally adds up what is measured together.
type tally struct {
	counted, failed, left int64
	took                  report.Distribution // of answers that were not turned down
}

func (t *tally) add(r *store.UsageRow) {
	switch {
	case r.Class < 1:
		return
	case r.Denied == "caller-left":
		t.left += r.Requests
		return
	}
	t.counted += r.Requests
	if r.Class == 5 {
		t.failed += r.Requests
	}
	if r.Denied != "" {
		return
	}
	for len(t.took.Latency) < len(r.Latency) {
		t.took.Latency = append(t.took.Latency, 0)
	}
	for i, n := range r.Latency {
		t.took.Latency[i] += n
	}
	t.took.Bins = t.took.Bins.Add(r.Bins)
}

// judge compares with what is promised. A nil tally counted nothing.
func (t *tally) judge(o gatehouse.SLA) Measure {
	if t == nil {
		t = new(tally)
	}
	m := Measure{Counted: t.counted, Failed: t.failed, Left: t.left, Availability: 100}
	if t.counted > 0 {
		m.Availability = 100 * float64(t.counted-t.failed) / float64(t.counted)
	}
	if o.Availability > 0 {
		m.Available = NoData
		if t.counted > 0 {
			m.Available = Kept
			if m.Availability < o.Availability {
				m.Available = Broken
			}
		}
	}
	if may := (100 - o.Availability) / 100; o.Availability > 0 && may > 0 && t.counted > 0 {
		burn := float64(t.failed) / float64(t.counted) / may
		budget := 100 * (1 - burn)
		m.Burn, m.Budget = &burn, &budget
	}
	if o.Latency != nil {
		for _, l := range []struct {
			percent int
			limit   time.Duration
		}{{50, o.Latency.P50.Std()}, {95, o.Latency.P95.Std()}, {99, o.Latency.P99.Std()}} {
			if l.limit > 0 {
				m.Latency = append(m.Latency, t.quantile(l.percent, l.limit))
			}
		}
	}
	return m
}

// quantile finds between which bounds the quantile lies: that of the request
// whose rank is percent of all, rounded up.
func (t *tally) quantile(percent int, limit time.Duration) Quantile {
	q := Quantile{Percent: percent, Limit: limit, Verdict: NoData}
	over, upTo, ok := t.took.Quantile(float64(percent))
	if !ok {
		return q
	}
	q.Over, q.UpTo = over, upTo
	switch {
	case q.UpTo > 0 && q.UpTo <= limit:
		q.Verdict = Kept
	case q.Over >= limit:
		q.Verdict = Broken
	default:
		q.Verdict = Undecided
	}
	return q
}

// counts are tallies by subject.
type counts struct{ by map[subject]*tally }

// counts sums usage once by all that promises are made for, finely where
// latency matters.
func (p *Promises) counts(ctx context.Context, q Question, from, to time.Time, latency bool) (*counts, error) {
	u := store.UsageQuery{From: from, To: to, Bins: latency, By: []string{"environment", "api", "class", "denied"}, Where: map[string]string{}}
	if q.API == "" {
		u.By = append(u.By, "product", "plan")
	}
	if q.Environment != "" {
		u.Where["environment"] = q.Environment
	}
	if q.Application != "" {
		u.Where["application"] = q.Application
	}
	if product, plan, ok := cutLast(q.Plan); ok {
		u.Where["product"], u.Where["plan"] = product, plan
	}
	rows, err := p.DB.Usage(ctx, u)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "reporting service levels: %w", err)
	}
	c := &counts{by: map[subject]*tally{}}
	for i := range rows {
		r := &rows[i]
		api, _, _ := strings.Cut(r.API, "@")
		for _, s := range []subject{
			{kind: "api", api: api, environment: r.Environment},
			{kind: "plan", product: r.Product, plan: r.Plan, environment: r.Environment},
			{kind: "application", product: r.Product, plan: r.Plan, application: q.Application, environment: r.Environment},
		} {
			if s.kind == "api" && api == "" || s.kind != "api" && r.Plan == "" || s.kind == "application" && q.Application == "" {
				continue
			}
			if c.by[s] == nil {
				c.by[s] = new(tally)
			}
			c.by[s].add(r)
		}
	}
	return c, nil
}

// of are the subjects of a promise that were counted, by environment; one
// without an environment where none was.
func (c *counts) of(pr promise) (list []subject) {
	for s := range c.by {
		e := s
		if e.environment = ""; e == pr.subject {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return []subject{pr.subject}
	}
	slices.SortFunc(list, func(a, b subject) int { return cmp.Compare(a.environment, b.environment) })
	return list
}
