package sqlstore

import (
	"context"
	"errors"

	"gatehouse/store"
)

// List implements store.DB.
func (d *DB) List(ctx context.Context, q store.Query) (store.Page, error) {
	after, err := q.Cursor()
	if err != nil {
		return store.Page{}, err
	}
	var page store.Page
	err = d.engine.Snapshot(ctx, func(c Conn) error {
		l := listing{ctx: ctx, conn: c, q: q, after: after}
		head, err := readHead(ctx, c)
		if err != nil {
			return err
		}
		page = store.Page{Seq: head.Seq}
		if q.AsOf > 0 && q.AsOf < head.Seq {
			page.Seq = q.AsOf
			err = l.past()
		} else {
			err = l.now()
		}
		page.Records, page.Sorts, page.Next = l.cut()
		return err
	})
	if err != nil {
		return store.Page{}, d.fail("listing "+q.Kind, err)
	}
	return page, nil
}

// A listing is one page being read.
type listing struct {
	ctx   context.Context
	conn  Conn
	q     store.Query
	after *store.Cursor
	rows  []row // one more than the limit if there are more
}

type row struct {
	store.Record
	sort string
}

// full reports whether it is known that there is a further page.
func (l *listing) full() bool { return l.q.Limit > 0 && len(l.rows) > l.q.Limit }

// cut leaves the page, and the cursor behind it.
func (l *listing) cut() (records []store.Record, sorts []string, next string) {
	if l.full() {
		last := l.rows[l.q.Limit-1]
		l.rows, next = l.rows[:l.q.Limit], l.q.NextAfter(last.sort, last.Key)
	}
	for i := range l.rows {
		records = append(records, l.rows[i].Record)
		if l.q.Sort != "" {
			sorts = append(sorts, l.rows[i].sort)
		}
	}
	return records, sorts, next
}

// now reads what stands, by the way that touches the fewest rows. SQLite takes
// CROSS JOIN as the order to go in; PostgreSQL chooses by itself.
func (l *listing) now() error {
	if l.q.Below != "" {
		return l.with()
	}
	lead, err := l.lead()
	switch {
	case err != nil:
		return err
	case lead != "":
		return l.led(lead)
	case l.q.Sort == "":
		var b builder
		b.add(`SELECT r.key, r.kind, r.value, r.rev, r.time, '' FROM record r WHERE r.kind = ?`, l.q.Kind)
		return l.read(&b, ``, `r.key`, "", l.after)
	case l.q.Desc:
		return errors.Join(l.with(), l.without())
	}
	return errors.Join(l.without(), l.with())
}

// led goes from the entries that are asked for to their records.
func (l *listing) led(lead string) error {
	var b builder
	sort := ``
	if l.q.Sort == "" {
		b.add(`SELECT r.key, r.kind, r.value, r.rev, r.time, '' FROM entry w CROSS JOIN record r`)
	} else {
		sort = `COALESCE(s.value, '')`
		b.add(`SELECT r.key, r.kind, r.value, r.rev, r.time, `+sort+` FROM entry w CROSS JOIN record r
			LEFT JOIN entry s ON s.key = r.key AND s.name = ?`, l.q.Sort)
	}
	b.add(` WHERE w.kind = ? AND w.name = ? AND w.value = ? AND r.key = w.key`, l.q.Kind, lead, l.q.Where[lead])
	return l.read(&b, sort, `w.key`, lead, l.after)
}

// with reads records that have the entry to sort by, along the index.
func (l *listing) with() error {
	after := l.after
	if after != nil && after.Value == "" { // among those without
		if l.q.Desc {
			return nil
		}
		after = nil
	}
	var b builder
	b.add(`SELECT r.key, r.kind, r.value, r.rev, r.time, s.value FROM entry s CROSS JOIN record r
		WHERE s.kind = ? AND s.name = ? AND r.key = s.key`, l.q.Kind, l.q.Sort)
	if l.q.Below != "" {
		b.add(` AND s.value < ?`, l.q.Below)
	}
	return l.read(&b, `s.value`, `s.key`, "", after)
}

// without reads records that lack the entry to sort by. Mostly there is none, as
// table tally tells; otherwise the search ends with the last one.
func (l *listing) without() error {
	after := l.after
	if after != nil && after.Value != "" { // among those with
		if !l.q.Desc {
			return nil
		}
		after = nil
	}
	if l.full() {
		return nil
	}
	var lacking int64
	count := Statement{`SELECT COALESCE((SELECT n FROM tally WHERE kind = $1 AND name = ''), 0) - COALESCE((SELECT n FROM tally WHERE kind = $1 AND name = $2), 0)`,
		[]any{l.q.Kind, l.q.Sort}}
	if err := l.conn.Query(l.ctx, count, func(scan func(...any) error) error { return scan(&lacking) }); err != nil || lacking == 0 {
		return err
	}
	var b builder
	b.add(`SELECT r.key, r.kind, r.value, r.rev, r.time, '' FROM record r
		WHERE r.kind = ? AND NOT EXISTS (SELECT 1 FROM entry s WHERE s.key = r.key AND s.name = ?)`, l.q.Kind, l.q.Sort)
	return l.read(&b, ``, `r.key`, "", after)
}

// read adds the other conditions, where to begin, the order and where to end,
// and reads the rows. Sort and key are columns; sort is "" to go by key alone.
func (l *listing) read(b *builder, sort, key, lead string, after *store.Cursor) error {
	if l.full() {
		return nil
	}
	narrow(b, key, l.q.Prefix)
	for _, name := range l.q.Names() {
		if value := l.q.Where[name]; value == "" {
			b.add(` AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.key = r.key AND x.name = ?)`, name)
		} else if name != lead {
			b.add(` AND EXISTS (SELECT 1 FROM entry x WHERE x.key = r.key AND x.name = ? AND x.value = ?)`, name, value)
		}
	}
	than, down := ` > `, ``
	if l.q.Desc {
		than, down = ` < `, ` DESC`
	}
	if after != nil && sort != "" {
		b.add(` AND (`+sort+`, `+key+`)`+than+`(?, ?)`, after.Value, after.Key)
	} else if after != nil {
		b.add(` AND `+key+than+`?`, after.Key)
	}
	b.add(` ORDER BY `)
	if sort != "" {
		b.add(sort + down + `, `)
	}
	b.add(key + down)
	if l.q.Limit > 0 {
		b.add(` LIMIT ?`, int64(l.q.Limit+1-len(l.rows)))
	}
	return l.conn.Query(l.ctx, b.statement(), func(scan func(...any) error) error {
		var r row
		err := scanRecord(scan, &r.Record, &r.sort)
		l.rows = append(l.rows, r)
		return err
	})
}

// lead finds the rarest index entry asked for, as far as a short look tells;
// "" when none is asked for.
func (l *listing) lead() (lead string, err error) {
	const look = 1000
	fewest := int64(look + 1)
	var asked int
	for _, value := range l.q.Where {
		if value != "" {
			asked++
		}
	}
	for _, name := range l.q.Names() {
		if l.q.Where[name] == "" {
			continue
		}
		if asked == 1 {
			return name, nil
		}
		s := Statement{`SELECT count(*) FROM (SELECT 1 FROM entry WHERE kind = $1 AND name = $2 AND value = $3 LIMIT $4) few`,
			[]any{l.q.Kind, name, l.q.Where[name], int64(look)}}
		var n int64
		if err := l.conn.Query(l.ctx, s, func(scan func(...any) error) error { return scan(&n) }); err != nil {
			return "", err
		}
		if n < fewest {
			lead, fewest = name, n
		}
	}
	return lead, nil
}
