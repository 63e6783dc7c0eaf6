package sqlstore

import (
	"context"
	"iter"
	"time"

	"gatehouse/store"
)

const (
	recordColumns  = `key, kind, value, rev, time`
	historyColumns = `key, kind, value, seq, time`
)

// scanRecord reads those columns.
func scanRecord(scan func(...any) error, r *store.Record, more ...any) error {
	var micros int64
	err := scan(append([]any{&r.Key, &r.Kind, &r.Value, (*int64)(&r.Rev), &micros}, more...)...)
	r.Time = time.UnixMicro(micros).UTC()
	return err
}

func scanChange(scan func(...any) error) (c store.Change, err error) {
	err = scanRecord(scan, &c.Record)
	c.Seq, c.Deleted = c.Rev, c.Value == nil
	return c, err
}

// Get implements store.DB.
func (d *DB) Get(ctx context.Context, key string) (store.Record, error) {
	return d.one(ctx, key, Statement{`SELECT ` + recordColumns + ` FROM record WHERE key = $1`, []any{key}})
}

// GetAsOf implements store.DB.
func (d *DB) GetAsOf(ctx context.Context, key string, at store.Seq) (store.Record, error) {
	return d.one(ctx, key, Statement{`SELECT ` + historyColumns + ` FROM history WHERE key = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1`,
		[]any{key, int64(at)}})
}

// one reads at most one record; a deleted one is none.
func (d *DB) one(ctx context.Context, key string, s Statement) (r store.Record, err error) {
	if !store.IsKey(key) {
		return r, store.NoRecord(key)
	}
	err = d.query(ctx, "reading "+key, s, func(scan func(...any) error) error { return scanRecord(scan, &r) })
	if err == nil && r.Value == nil {
		return store.Record{}, store.NoRecord(key)
	}
	return r, err
}

// GetMany implements store.DB.
func (d *DB) GetMany(ctx context.Context, keys []string) (map[string]store.Record, error) {
	found := make(map[string]store.Record, len(keys))
	var args []any
	for _, key := range keys {
		if store.IsKey(key) {
			args = append(args, key)
		}
	}
	err := d.engine.Snapshot(ctx, func(c Conn) error {
		clear(found)
		for _, s := range among(`SELECT `+recordColumns+` FROM record WHERE key IN (?)`, args) {
			err := c.Query(ctx, s, func(scan func(...any) error) error {
				var r store.Record
				err := scanRecord(scan, &r)
				found[r.Key] = r
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, d.fail("reading records", err)
	}
	return found, nil
}

// portion is how many rows an iterator reads ahead. It holds no connection
// while its caller is busy, so loops may nest, and may write.
const portion = 500

// History implements store.DB.
func (d *DB) History(ctx context.Context, key string) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		if !store.IsKey(key) {
			return
		}
		for after := store.Seq(0); ; {
			var states []store.Change
			s := Statement{`SELECT ` + historyColumns + ` FROM history WHERE key = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
				[]any{key, int64(after), int64(portion)}}
			err := d.query(ctx, "reading the history of "+key, s, func(scan func(...any) error) error {
				state, err := scanChange(scan)
				states = append(states, state)
				return err
			})
			if err != nil {
				yield(store.Change{}, err)
				return
			}
			for _, state := range states {
				if !yield(state, nil) {
					return
				}
				after = state.Seq
			}
			if len(states) < portion {
				return
			}
		}
	}
}

// Changes implements store.DB.
func (d *DB) Changes(ctx context.Context, after store.Seq, limit int) ([]store.Change, store.Seq, error) {
	var changes []store.Change
	after = max(after, 0)
	at := after
	err := d.engine.Snapshot(ctx, func(c Conn) error {
		changes = nil
		head, err := readHead(ctx, c)
		if err != nil || head.Seq <= after {
			return err
		}
		at = head.Seq
		if limit > 0 { // the batch with the limit's last change is the last one
			cut := Statement{`SELECT seq FROM history WHERE seq > $1 ORDER BY seq LIMIT 1 OFFSET $2`, []any{int64(after), int64(limit - 1)}}
			if err := c.Query(ctx, cut, func(scan func(...any) error) error { return scan((*int64)(&at)) }); err != nil {
				return err
			}
		}
		all := Statement{`SELECT ` + historyColumns + ` FROM history WHERE seq > $1 AND seq <= $2 ORDER BY seq, key`, []any{int64(after), int64(at)}}
		return c.Query(ctx, all, func(scan func(...any) error) error {
			change, err := scanChange(scan)
			changes = append(changes, change)
			return err
		})
	})
	if err != nil {
		return nil, after, d.fail("reading changes", err)
	}
	return changes, at, nil
}
