package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"reflect"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Events implements store.DB. The columns narrow the search; what they cut off
// or cannot say is asked again of the event itself.
func (d *DB) Events(ctx context.Context, q store.EventQuery) iter.Seq2[*gatehouse.Event, error] {
	return func(yield func(*gatehouse.Event, error) bool) {
		for left := q.Limit; ; {
			rows, err := d.kept(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range rows {
				if !q.MatchText(rows[i].body) {
					continue
				}
				e, err := rows[i].event(q.Strict)
				if err != nil {
					yield(nil, gatehouse.E(gatehouse.Internal, "reading events: %w", err))
					return
				}
				if !q.Match(e, rows[i].body) {
					continue
				}
				if !yield(e, nil) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
			if len(rows) < portion {
				return
			}
			if q.After = rows[len(rows)-1].number; q.Desc && q.After <= 1 {
				return
			}
		}
	}
}

// A line is an event as it is kept: JSON, and columns to search by.
type line struct {
	number, seq, time                    int64
	actor, action, object, team, outcome string
	body                                 []byte
}

func columns(e *gatehouse.Event) line {
	return line{number: e.Number, seq: e.Seq, time: e.Time.UnixMicro(), actor: store.Column(e.Actor), action: store.Column(e.Action),
		object: store.Column(e.Object), team: store.Column(e.Team), outcome: store.Column(e.Outcome)}
}

// event reads the JSON; strictly, it must be as it was written, and the columns
// those of this event: one that is searched by other words is as good as gone.
func (r *line) event(strict bool) (*gatehouse.Event, error) {
	e := new(gatehouse.Event)
	if err := json.Unmarshal(r.body, e); err != nil {
		return nil, &store.Damaged{Number: r.number, Detail: "what is kept of it is no event: " + err.Error()}
	}
	if !strict {
		return e, nil
	}
	if text, err := jsonx.Marshal(e); err != nil || !bytes.Equal(text, r.body) {
		return nil, &store.Damaged{Number: r.number, Detail: "what is kept of it is not as it was written"}
	}
	own := columns(e)
	own.body = r.body
	if !reflect.DeepEqual(own, *r) {
		return nil, &store.Damaged{Number: r.number, Detail: "what it is searched by is not its own"}
	}
	return e, nil
}

// kept reads the next portion.
func (d *DB) kept(ctx context.Context, q store.EventQuery) (rows []line, err error) {
	var b builder
	b.add(`SELECT number, seq, time, actor, action, object, team, outcome, body FROM event WHERE true`)
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
		var r line
		err := scan(&r.number, &r.seq, &r.time, &r.actor, &r.action, &r.object, &r.team, &r.outcome, &r.body)
		rows = append(rows, r)
		return err
	})
	return rows, err
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
