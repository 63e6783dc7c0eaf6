package memory

import (
	"context"
	"encoding/json"
	"iter"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// seal chains the events behind head and moves it.
func seal(events []*gatehouse.Event, head *store.Head) ([]event, error) {
	sealed := make([]event, 0, len(events))
	for _, e := range events {
		if err := e.Seal(head.Event+1, int64(head.Seq), head.Hash); err != nil {
			return nil, gatehouse.E(gatehouse.Invalid, "sealing event %q: %w", e.Action, err)
		}
		text, err := jsonx.Marshal(e)
		if err != nil {
			return nil, gatehouse.E(gatehouse.Invalid, "writing event %q: %w", e.Action, err)
		}
		head.Event, head.Hash = e.Number, e.Hash
		bare := *e
		bare.Change = nil
		sealed = append(sealed, event{bare, text})
	}
	return sealed, nil
}

func (d *db) Events(ctx context.Context, q store.EventQuery) iter.Seq2[*gatehouse.Event, error] {
	return func(yield func(*gatehouse.Event, error) bool) {
		d.mu.RLock()
		events, err := d.events, d.use(ctx, "reading events") // events are only ever appended
		d.mu.RUnlock()
		if err != nil {
			yield(nil, err)
			return
		}
		for i, left := 0, q.Limit; i < len(events); i++ {
			e := &events[i]
			if q.Desc {
				e = &events[len(events)-1-i]
			}
			if !q.Beyond(e.columns.Number) || !q.Match(&e.columns, e.text) {
				continue
			}
			out := new(gatehouse.Event)
			if err := json.Unmarshal(e.text, out); err != nil {
				yield(nil, gatehouse.E(gatehouse.Internal, "reading event %d: %w", e.columns.Number, err))
				return
			}
			if !yield(out, nil) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
	}
}
