// Package usage keeps what gateways counted: it takes each batch once and sums
// roll-ups by any of their dimensions.
//
// It counts nothing itself and knows no gateway; package fleet hands over the
// batches that instances send. What a count means is said in package report.
package usage

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/store"
)

// A Usage keeps usage in a store.
type Usage struct{ DB store.DB }

// Take adds a batch of an instance in an environment to the roll-ups, once:
// one that was taken before changes nothing and is no error. Counts go to the
// hour in which their interval began.
func (m *Usage) Take(ctx context.Context, environment string, b *report.Batch) error {
	if b.Spool == "" || b.Number < 1 {
		return gatehouse.E(gatehouse.Invalid, "taking usage of %q: batch %d of spool %.80q is not numbered", b.Instance, b.Number, b.Spool)
	}
	u := &store.Usage{Spool: b.Gateway + "/" + b.Spool, Number: b.Number, Rows: make([]store.UsageRow, 0, len(b.Counts))}
	for i := range b.Counts {
		c := &b.Counts[i]
		if c.Class < 0 || c.Class > 5 {
			return gatehouse.E(gatehouse.Invalid, "taking usage of %q: status class %d is not 0 to 5", b.Instance, c.Class)
		}
		u.Rows = append(u.Rows, store.UsageRow{
			Hour: b.From.UTC().Truncate(time.Hour), Environment: environment, Gateway: b.Gateway, API: c.API, Operation: c.Operation,
			Application: c.Application, Product: c.Product, Plan: c.Plan, Class: c.Class, Denied: c.Denied, Revision: c.Revision,
			Requests: c.Requests, BytesIn: c.BytesIn, BytesOut: c.BytesOut, BackendMicros: c.BackendMicros, Latency: c.Latency, Bins: c.Bins,
		})
	}
	_, err := m.DB.Apply(ctx, store.Batch{Usage: u})
	if errors.Is(err, store.ErrTaken) {
		return nil
	}
	if err != nil {
		return gatehouse.E(gatehouse.KindOf(err), "taking usage of %q: %w", b.Instance, err)
	}
	return nil
}

// A Row is a sum of requests alike.
type Row struct {
	store.UsageRow
	// P50, P95 and P99 are upper bounds of the latency percentiles, at most 5 %
	// above; a factor of two where gateways of before counted. Zero without
	// requests.
	P50, P95, P99 time.Duration
}

// MaxSpan bounds a query, and MaxRows its answer.
const (
	MaxSpan = 400 * 24 * time.Hour
	MaxRows = 100_000
)

// Query sums usage over [q.From, q.To), grouped and filtered as the store
// offers.
func (m *Usage) Query(ctx context.Context, q store.UsageQuery) ([]Row, error) {
	if !q.From.Before(q.To) || q.To.Sub(q.From) > MaxSpan {
		return nil, gatehouse.E(gatehouse.Invalid, "querying usage: from %s to %s is no span of at most %d days", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339), int(MaxSpan.Hours()/24))
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	q.Bins = true
	q.Most = MaxRows
	sums, err := m.DB.Usage(ctx, q)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "querying usage: %w", err)
	}
	rows := make([]Row, 0, len(sums))
	for _, s := range sums {
		d := report.Distribution{Latency: s.Latency, Bins: s.Bins}
		rows = append(rows, Row{UsageRow: s, P50: Percentile(d, 50), P95: Percentile(d, 95), P99: Percentile(d, 99)})
	}
	return rows, nil
}

// Percentile is the bound that a latency percentile does not pass, zero without
// requests. What lies above all bounds reads as twice the last that it passed.
func Percentile(d report.Distribution, percent float64) time.Duration {
	over, upTo, _ := d.Quantile(percent)
	if upTo == 0 {
		return 2 * over
	}
	return upTo
}
