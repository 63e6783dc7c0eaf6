package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Apply implements store.DB.
func (d *DB) Apply(ctx context.Context, b store.Batch) (seq store.Seq, err error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	if b.Empty() {
		head, err := d.Head(ctx)
		return head.Seq, err
	}
	err = d.engine.Write(ctx, func(c Conn) (store.Seq, error) {
		w := &writing{ctx: ctx, conn: c, batch: b}
		err := w.all()
		seq = w.head.Seq
		return seq, err
	})
	if err != nil {
		return 0, d.fail("writing", err)
	}
	return seq, nil
}

// A writing is one batch on its way into the database.
type writing struct {
	ctx   context.Context
	conn  Conn
	batch store.Batch

	head store.Head
	time int64             // microseconds
	old  map[string]before // of the keys to write
	todo []Statement
}

// before is what a write replaces.
type before struct {
	kind, entries string
	rev           store.Seq
}

func (w *writing) all() error {
	if err := w.number(); err != nil {
		return err
	}
	if err := w.take(); err != nil {
		return err
	}
	if err := w.expect(); err != nil {
		return err
	}
	if err := w.records(); err != nil {
		return err
	}
	if err := w.events(); err != nil {
		return err
	}
	if err := w.jobs(); err != nil {
		return err
	}
	w.do(Statement{`INSERT INTO batch(seq, time) VALUES ($1, $2)`, []any{int64(w.head.Seq), w.time}},
		Statement{`UPDATE head SET event = $1, hash = $2, time = $3 WHERE id = 1`, []any{w.head.Event, w.head.Hash, w.time}})
	return w.conn.Exec(w.ctx, w.todo...)
}

func (w *writing) do(s ...Statement) { w.todo = append(w.todo, s...) }

// number takes the next number and, with it, the place in line.
func (w *writing) number() error {
	var last int64
	found := false
	err := w.conn.Query(w.ctx, Statement{SQL: `UPDATE head SET seq = seq + 1 WHERE id = 1 RETURNING seq, event, hash, time`},
		func(scan func(...any) error) error {
			found = true
			return scan((*int64)(&w.head.Seq), &w.head.Event, &w.head.Hash, &last)
		})
	if err == nil && !found {
		err = gatehouse.E(gatehouse.Internal, "writing: table head has lost its row")
	}
	w.time = store.Stamp(time.Now(), time.UnixMicro(last).UTC()).UnixMicro()
	return err
}

// expect refuses a batch that another one overtook.
func (w *writing) expect() error {
	keys := make([]any, len(w.batch.Writes))
	for i := range w.batch.Writes {
		keys[i] = w.batch.Writes[i].Key
	}
	w.old = make(map[string]before, len(keys))
	for _, s := range among(`SELECT key, kind, rev, entries FROM record WHERE key IN (?)`, keys) {
		err := w.conn.Query(w.ctx, s, func(scan func(...any) error) error {
			var key string
			var b before
			err := scan(&key, &b.kind, (*int64)(&b.rev), &b.entries)
			w.old[key] = b
			return err
		})
		if err != nil {
			return err
		}
	}
	for i := range w.batch.Writes {
		if err := w.batch.Writes[i].Meets(w.old[w.batch.Writes[i].Key].rev); err != nil {
			return err
		}
	}
	return nil
}

// records writes what stands, what stood, and the index entries.
func (w *writing) records() error {
	var records, history, gone, stale, entries []any
	for i := range w.batch.Writes {
		write := &w.batch.Writes[i]
		old := w.old[write.Key]
		if write.Value == nil {
			if old.rev != store.Absent {
				gone, stale = append(gone, write.Key), append(stale, write.Key)
				history = append(history, write.Key, int64(w.head.Seq), old.kind, nil, w.time, "")
			}
			continue
		}
		index, text := write.Entries(), ""
		if len(index) > 0 {
			raw, err := json.Marshal(index) // sorted by name
			if err != nil {
				return err
			}
			text = string(raw)
		}
		records = append(records, write.Key, write.Kind, write.Value, int64(w.head.Seq), w.time, text)
		history = append(history, write.Key, int64(w.head.Seq), write.Kind, write.Value, w.time, text)
		if text == old.entries && write.Kind == old.kind {
			continue
		}
		if old.entries != "" {
			stale = append(stale, write.Key)
		}
		for name, value := range index {
			entries = append(entries, write.Kind, name, value, write.Key)
		}
	}
	w.do(among(`DELETE FROM record WHERE key IN (?)`, gone)...)
	w.do(among(`DELETE FROM entry WHERE key IN (?)`, stale)...)
	w.do(insert(`INSERT INTO record(key, kind, value, rev, time, entries)`, ` ON CONFLICT (key) DO UPDATE SET kind = excluded.kind,
		value = excluded.value, rev = excluded.rev, time = excluded.time, entries = excluded.entries`, 6, records)...)
	w.do(insert(`INSERT INTO history(key, seq, kind, value, time, entries)`, "", 6, history)...)
	w.do(insert(`INSERT INTO entry(kind, name, value, key)`, "", 4, entries)...)
	return nil
}

// events seals the events behind the head and writes them.
func (w *writing) events() error {
	var rows []any
	for _, e := range w.batch.Events {
		if err := e.Seal(w.head.Event+1, int64(w.head.Seq), w.head.Hash); err != nil {
			return gatehouse.E(gatehouse.Invalid, "sealing event %q: %w", e.Action, err)
		}
		body, err := jsonx.Marshal(e)
		if err != nil {
			return gatehouse.E(gatehouse.Invalid, "writing event %q: %w", e.Action, err)
		}
		w.head.Event, w.head.Hash = e.Number, e.Hash
		c := columns(e)
		rows = append(rows, c.number, c.seq, c.time, c.actor, c.action, c.object, c.team, c.outcome, body)
	}
	w.do(insert(`INSERT INTO event(number, seq, time, actor, action, object, team, outcome, body)`, "", 9, rows)...)
	return nil
}
