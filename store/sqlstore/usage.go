package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/report"
	"gatehouse/store"
)

// buckets are the columns of the latency histogram.
var buckets = func() []string {
	names := make([]string, len(report.LatencyBounds)+1)
	for i := range names {
		names[i] = fmt.Sprintf("latency%d", i)
	}
	return names
}()

// counts are the columns that add up.
var counts = append([]string{"requests", "bytes_in", "bytes_out", "backend_micros"}, buckets...)

// rollUp is the two halves of the statement that adds rows.
var rollUp, addUp = func() (string, string) {
	sums := make([]string, len(counts))
	for i, name := range counts {
		sums[i] = fmt.Sprintf("%[1]s = usage.%[1]s + excluded.%[1]s", name)
	}
	keys := strings.Join(store.Dimensions, ", ")
	return "INSERT INTO usage(" + keys + ", " + strings.Join(counts, ", ") + ")",
		" ON CONFLICT (" + keys + ") DO UPDATE SET " + strings.Join(sums, ", ")
}()

// take counts the usage batch, once.
func (w *writing) take() error {
	u := w.batch.Usage
	if u == nil {
		return nil
	}
	taken := false
	err := w.conn.Query(w.ctx, Statement{`SELECT number FROM taken WHERE spool = $1 AND number = $2`, []any{u.Spool, u.Number}},
		func(scan func(...any) error) error {
			taken = true
			var n int64
			return scan(&n)
		})
	if err != nil {
		return err
	}
	if taken {
		return u.Taken()
	}
	var rows []any
	for _, r := range u.Merged() {
		key := r.Key()
		for _, name := range store.Dimensions {
			rows = append(rows, key.Part(name))
		}
		rows = append(rows, r.Requests, r.BytesIn, r.BytesOut, r.BackendMicros)
		for i := range buckets {
			var n int64
			if i < len(r.Latency) {
				n = r.Latency[i]
			}
			rows = append(rows, n)
		}
	}
	w.do(Statement{`INSERT INTO taken(spool, number, seq) VALUES ($1, $2, $3)`, []any{u.Spool, u.Number, int64(w.head.Seq)}})
	w.do(insert(rollUp, addUp, len(store.Dimensions)+len(counts), rows)...)
	return nil
}

// Usage implements store.DB.
func (d *DB) Usage(ctx context.Context, q store.UsageQuery) ([]store.UsageRow, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	var rows []*store.UsageRow
	err := d.query(ctx, "summing usage", sums(q), func(scan func(...any) error) error {
		r, err := scanUsage(scan, q.By)
		if r != nil {
			rows = append(rows, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return q.Sorted(rows), nil
}

func sums(q store.UsageQuery) Statement {
	by := slices.Compact(slices.Sorted(slices.Values(q.By)))
	var b builder
	b.add(`SELECT count(*)`)
	for _, name := range counts {
		b.add(`, CAST(COALESCE(SUM(` + name + `), 0) AS BIGINT)`)
	}
	for _, name := range by {
		b.add(`, ` + name)
	}
	b.add(` FROM usage WHERE true`)
	if !q.From.IsZero() {
		b.add(` AND hour >= ?`, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		b.add(` AND hour < ?`, q.To.UnixMicro())
	}
	for _, name := range slices.Sorted(maps.Keys(q.Where)) {
		value, _ := store.UsageValue(name, q.Where[name]) // checked
		b.add(` AND `+name+` = ?`, value)
	}
	if len(by) > 0 {
		b.add(` GROUP BY ` + strings.Join(by, ", "))
	}
	return b.statement()
}

// scanUsage reads what sums selects; nil when it adds up nothing.
func scanUsage(scan func(...any) error, names []string) (*store.UsageRow, error) {
	var n int64
	var sum [4]int64
	latency := make([]int64, len(buckets))
	to := []any{&n, &sum[0], &sum[1], &sum[2], &sum[3]}
	for i := range latency {
		to = append(to, &latency[i])
	}
	var key store.UsageKey
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		to = append(to, key.Pointer(name))
	}
	if err := scan(to...); err != nil || n == 0 {
		return nil, err
	}
	r := key.Row()
	r.Requests, r.BytesIn, r.BytesOut, r.BackendMicros = sum[0], sum[1], sum[2], sum[3]
	if slices.Max(latency) > 0 {
		r.Latency = latency
	}
	return r, nil
}
