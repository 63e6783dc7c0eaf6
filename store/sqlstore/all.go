package sqlstore

import (
	"context"
	"errors"
	"iter"

	"gatehouse/store"
)

// few is how many records of a kind are still looked up along the index.
const few = 10_000

// All implements store.DB. Many records are read as they lie in their table, by
// a condition that no index serves: along the index each would be looked for
// anew, and in an order of hashes that is a page for each.
func (d *DB) All(ctx context.Context, kind string) iter.Seq2[store.Record, error] {
	return func(yield func(store.Record, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err := d.engine.Patient(ctx, func(c Conn) error {
			where, err := along(ctx, c, kind)
			if err != nil {
				return err
			}
			return c.Query(ctx, Statement{`SELECT ` + recordColumns + ` FROM record WHERE ` + where, []any{kind}}, func(scan func(...any) error) error {
				var r store.Record
				if err := scanRecord(scan, &r); err != nil {
					return err
				}
				if !yield(r, nil) {
					cancel() // the rest is not to be sent either
					return errEnough
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(store.Record{}, d.fail("reading every "+kind, err))
		}
	}
}

func along(ctx context.Context, c Conn, kind string) (where string, err error) {
	var n int64
	count := Statement{`SELECT count(*) FROM (SELECT 1 FROM record WHERE kind = $1 LIMIT $2) few`, []any{kind, int64(few)}}
	err = c.Query(ctx, count, func(scan func(...any) error) error { return scan(&n) })
	if n < few {
		return `kind = $1`, err
	}
	return `kind || '' = $1`, err
}
