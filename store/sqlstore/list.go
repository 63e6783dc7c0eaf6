package sqlstore

import (
	"context"

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
		page.Records, page.Next = l.cut()
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
func (l *listing) cut() (records []store.Record, next string) {
	if l.full() {
		last := l.rows[l.q.Limit-1]
		l.rows, next = l.rows[:l.q.Limit], l.q.NextAfter(last.sort, last.Key)
	}
	for i := range l.rows {
		records = append(records, l.rows[i].Record)
	}
	return records, next
}

// now reads what stands. The index entries that are asked for lead: from the
// rarest one to its records. SQLite takes CROSS JOIN as the order to go in;
// PostgreSQL chooses by itself.
func (l *listing) now() error {
	var b builder
	lead, where, err := l.lead()
	if err != nil {
		return err
	}
	sort := `''`
	if l.q.Sort != "" {
		sort = `COALESCE(s.value, '')`
	}
	key := `r.key`
	b.add(`SELECT r.key, r.kind, r.value, r.rev, r.time, ` + sort + ` FROM `)
	if lead != "" {
		key = `w.key`
		b.add(`entry w CROSS JOIN `)
	}
	b.add(`record r`)
	if l.q.Sort != "" {
		b.add(` LEFT JOIN entry s ON s.key = r.key AND s.name = ?`, l.q.Sort)
	}
	if lead != "" {
		b.add(` WHERE w.kind = ? AND w.name = ? AND w.value = ? AND r.key = w.key`, l.q.Kind, lead, l.q.Where[lead])
	} else {
		b.add(` WHERE r.kind = ?`, l.q.Kind)
	}
	narrow(&b, key, l.q.Prefix)
	for _, name := range where {
		if value := l.q.Where[name]; value == "" {
			b.add(` AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.key = r.key AND x.name = ?)`, name)
		} else if name != lead {
			b.add(` AND EXISTS (SELECT 1 FROM entry x WHERE x.key = r.key AND x.name = ? AND x.value = ?)`, name, value)
		}
	}
	l.page(&b, sort, key)
	return l.conn.Query(l.ctx, b.statement(), func(scan func(...any) error) error {
		var r row
		err := scanRecord(scan, &r.Record, &r.sort)
		l.rows = append(l.rows, r)
		return err
	})
}

// page adds where to begin, the order, and where to end.
func (l *listing) page(b *builder, sort, key string) {
	than, down := ` > `, ``
	if l.q.Desc {
		than, down = ` < `, ` DESC`
	}
	if l.after != nil && l.q.Sort != "" {
		b.add(` AND (`+sort+`, `+key+`)`+than+`(?, ?)`, l.after.Value, l.after.Key)
	} else if l.after != nil {
		b.add(` AND `+key+than+`?`, l.after.Key)
	}
	b.add(` ORDER BY `)
	if l.q.Sort != "" {
		b.add(sort + down + `, `)
	}
	b.add(key + down)
	if l.q.Limit > 0 {
		b.add(` LIMIT ?`, int64(l.q.Limit)+1)
	}
}

// lead finds the rarest index entry asked for, as far as a short look tells;
// "" when none is asked for.
func (l *listing) lead() (lead string, names []string, err error) {
	const look = 1000
	names = l.q.Names()
	fewest := int64(look + 1)
	var asked int
	for _, value := range l.q.Where {
		if value != "" {
			asked++
		}
	}
	for _, name := range names {
		if l.q.Where[name] == "" {
			continue
		}
		if asked == 1 {
			return name, names, nil
		}
		s := Statement{`SELECT count(*) FROM (SELECT 1 FROM entry WHERE kind = $1 AND name = $2 AND value = $3 LIMIT $4) few`,
			[]any{l.q.Kind, name, l.q.Where[name], int64(look)}}
		var n int64
		if err := l.conn.Query(l.ctx, s, func(scan func(...any) error) error { return scan(&n) }); err != nil {
			return "", nil, err
		}
		if n < fewest {
			lead, fewest = name, n
		}
	}
	return lead, names, nil
}
