package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
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

// rollUp is the two halves of the statement that adds rows. Bins cannot be added
// by the database: a row comes with those it had before added in (see taking).
var rollUp, addUp = func() (string, string) {
	sums := make([]string, len(counts))
	for i, name := range counts {
		sums[i] = fmt.Sprintf("%[1]s = usage.%[1]s + excluded.%[1]s", name)
	}
	keys := strings.Join(store.Dimensions, ", ")
	return "INSERT INTO usage(" + keys + ", " + strings.Join(counts, ", ") + ", bins)",
		" ON CONFLICT (" + keys + ") DO UPDATE SET " + strings.Join(sums, ", ") + ", bins = excluded.bins"
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
	merged := u.Merged()
	if err := w.bins(merged); err != nil {
		return err
	}
	var rows []any
	for _, r := range merged {
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
		rows = append(rows, r.Bins.Encode())
	}
	w.do(Statement{`INSERT INTO taken(spool, number, seq) VALUES ($1, $2, $3)`, []any{u.Spool, u.Number, int64(w.head.Seq)}})
	w.do(insert(rollUp, addUp, len(store.Dimensions)+len(counts)+1, rows)...)
	return nil
}

// bins adds to rows the bins that stand at the same keys. The place in line that
// the transaction holds keeps others from adding theirs meanwhile.
func (w *writing) bins(rows []*store.UsageRow) (err error) {
	chunked(len(rows), func(from, to int) {
		if err != nil {
			return
		}
		err = w.conn.Query(w.ctx, standing(rows[from:to]), func(scan func(...any) error) error {
			var i int64
			var data []byte
			if err := scan(&i, &data); err != nil {
				return err
			}
			b, err := report.DecodeBins(data)
			r := rows[from+int(i)]
			r.Bins = b.Add(r.Bins)
			return err
		})
	})
	return err
}

// standing reads the bins at the keys of rows, each with the place of its row.
// CROSS JOIN tells SQLite to begin with the keys; the first of them tells
// PostgreSQL their types.
func standing(rows []*store.UsageRow) Statement {
	var b builder
	b.add("WITH k(i, " + strings.Join(store.Dimensions, ", ") + ") AS (VALUES ")
	for i, r := range rows {
		if i > 0 {
			b.add(", ")
		}
		b.add("(" + strconv.Itoa(i))
		key := r.Key()
		for _, name := range store.Dimensions {
			switch part := key.Part(name).(type) {
			case int64:
				b.add(", "+cast(i, "BIGINT"), part)
			case string:
				b.add(", "+cast(i, "TEXT"), part)
			}
		}
		b.add(")")
	}
	b.add(") SELECT k.i, u.bins FROM k CROSS JOIN usage u WHERE u.bins IS NOT NULL")
	for _, name := range store.Dimensions {
		b.add(" AND u." + name + " = k." + name)
	}
	return b.statement()
}

// cast is an argument of row i.
func cast(i int, as string) string {
	if i > 0 {
		return "?"
	}
	return "CAST(? AS " + as + ")"
}

// pointers lead to the named dimensions of a key.
func pointers(key *store.UsageKey, names []string) (to []any) {
	for _, name := range names {
		to = append(to, key.Pointer(name))
	}
	return to
}

// Usage implements store.DB.
func (d *DB) Usage(ctx context.Context, q store.UsageQuery) ([]store.UsageRow, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	by := slices.Compact(slices.Sorted(slices.Values(q.By)))
	var bins map[store.UsageKey]report.Bins
	if q.Bins {
		// Before the counts: what is counted in between has no bins then, which
		// a distribution allows for, rather than bins that nothing counts.
		var err error
		if bins, err = d.bins(ctx, q, by); err != nil {
			return nil, err
		}
	}
	var rows []*store.UsageRow
	err := d.query(ctx, "summing usage", sums(q, by), func(scan func(...any) error) error {
		r, key, err := scanUsage(scan, by)
		if r != nil {
			r.Bins = bins[key]
			rows = append(rows, r)
		}
		return err
	})
	if err == nil {
		err = q.Full(len(rows))
	}
	if err != nil {
		return nil, err
	}
	return q.Sorted(rows), nil
}

// bins sums the bins of what is asked for.
func (d *DB) bins(ctx context.Context, q store.UsageQuery, by []string) (map[store.UsageKey]report.Bins, error) {
	var b builder
	b.add(`SELECT bins`)
	for _, name := range by {
		b.add(`, ` + name)
	}
	b.add(` FROM usage WHERE bins IS NOT NULL`)
	where(&b, q)
	sums := map[store.UsageKey]report.Bins{}
	err := d.query(ctx, "summing usage", b.statement(), func(scan func(...any) error) error {
		var key store.UsageKey
		var data []byte
		if err := scan(append([]any{&data}, pointers(&key, by)...)...); err != nil {
			return err
		}
		if q.Most > 0 && len(sums) > q.Most {
			return nil // the rows will be more, and the question is refused
		}
		more, err := report.DecodeBins(data)
		sums[key] = sums[key].Add(more)
		return err
	})
	return sums, err
}

func sums(q store.UsageQuery, by []string) Statement {
	var b builder
	b.add(`SELECT count(*)`)
	for _, name := range counts {
		b.add(`, CAST(COALESCE(SUM(` + name + `), 0) AS BIGINT)`)
	}
	for _, name := range by {
		b.add(`, ` + name)
	}
	b.add(` FROM usage WHERE true`)
	where(&b, q)
	if len(by) > 0 {
		b.add(` GROUP BY ` + strings.Join(by, ", "))
	}
	if q.Most > 0 {
		b.add(` LIMIT ?`, int64(q.Most+1))
	}
	return b.statement()
}

// where narrows a statement to what is asked for.
func where(b *builder, q store.UsageQuery) {
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
}

// scanUsage reads what sums selects; nil when it adds up nothing.
func scanUsage(scan func(...any) error, by []string) (*store.UsageRow, store.UsageKey, error) {
	var n int64
	var sum [4]int64
	latency := make([]int64, len(buckets))
	to := []any{&n, &sum[0], &sum[1], &sum[2], &sum[3]}
	for i := range latency {
		to = append(to, &latency[i])
	}
	var key store.UsageKey
	to = append(to, pointers(&key, by)...)
	if err := scan(to...); err != nil || n == 0 {
		return nil, key, err
	}
	r := key.Row()
	r.Requests, r.BytesIn, r.BytesOut, r.BackendMicros = sum[0], sum[1], sum[2], sum[3]
	if slices.Max(latency) > 0 {
		r.Latency = latency
	}
	return r, key, nil
}
