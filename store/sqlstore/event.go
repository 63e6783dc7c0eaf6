package sqlstore

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// Events implements store.DB. The columns narrow the search; what they cut off
// or cannot say is asked again of the event itself.
func (d *DB) Events(ctx context.Context, q store.EventQuery) iter.Seq2[*gatehouse.Event, error] {
	return func(yield func(*gatehouse.Event, error) bool) {
		for left := q.Limit; ; {
			bodies, last, err := d.bodies(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, body := range bodies {
				if !q.MatchText(body) {
					continue
				}
				e := new(gatehouse.Event)
				if err := json.Unmarshal(body, e); err != nil {
					yield(nil, gatehouse.E(gatehouse.Internal, "reading events: what is kept is no event: %w", err))
					return
				}
				if !q.Match(e, body) {
					continue
				}
				if !yield(e, nil) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
			if len(bodies) < portion {
				return
			}
			if q.After = last; q.Desc && last <= 1 {
				return
			}
		}
	}
}

// bodies reads the next portion and tells the number of its last event.
func (d *DB) bodies(ctx context.Context, q store.EventQuery) (bodies [][]byte, last int64, err error) {
	var b builder
	b.add(`SELECT number, body FROM event WHERE true`)
	if q.After != 0 || !q.Desc {
		b.add(` AND number `+map[bool]string{false: `>`, true: `<`}[q.Desc]+` ?`, q.After)
	}
	for _, c := range []struct{ column, value string }{{"actor", q.Actor}, {"action", q.Action}, {"object", q.Object}, {"team", q.Team}, {"outcome", q.Outcome}} {
		start, open := strings.CutSuffix(c.value, "*")
		open = open && (c.column == "action" || c.column == "object")
		switch {
		case c.value == "" || open && store.Column(start) != start:
		case open:
			narrow(&b, c.column, start)
		default:
			b.add(` AND `+c.column+` = ?`, store.Column(c.value))
		}
	}
	if !q.From.IsZero() {
		b.add(` AND time >= ?`, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		b.add(` AND time < ?`, q.To.UnixMicro()+1) // the rest below a microsecond is asked of the event
	}
	b.add(` ORDER BY number`+map[bool]string{true: ` DESC`}[q.Desc]+` LIMIT ?`, int64(portion))
	err = d.query(ctx, "reading events", b.statement(), func(scan func(...any) error) error {
		var body []byte
		err := scan(&last, &body)
		bodies = append(bodies, body)
		return err
	})
	return bodies, last, err
}

// narrow asks that column begins with prefix.
func narrow(b *builder, column, prefix string) {
	if prefix == "" {
		return
	}
	b.add(` AND `+column+` >= ?`, prefix)
	if end := store.PrefixEnd(prefix); end != "" {
		b.add(` AND `+column+` < ?`, end)
	}
}
