package sqlstore

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// errEnough ends a query whose further rows nobody needs.
var errEnough = errors.New("enough")

// portionOfPast is how many states of the past one statement reads at least where
// they are compared here: few may be of what is asked for.
const portionOfPast = 500

// past reads what stood after batch AsOf: for each key the last state until
// then. Index entries of the past lie beside each state and are compared here;
// only a list that is sorted by one has to read all of it.
func (l *listing) past() error {
	if l.q.Sort != "" || l.q.Limit == 0 {
		if _, err := l.pastPortion(l.after, 0); err != nil {
			return err
		}
		if l.q.Sort != "" {
			slices.SortFunc(l.rows, func(a, b row) int { return l.compare(a.sort, a.Key, b.sort, b.Key) })
		}
		return nil
	}
	// In portions, so that a database plans for few rows rather than for all.
	after, portion := l.after, l.q.Limit+1
	if len(l.q.Where) > 0 {
		portion = max(portion, portionOfPast)
	}
	for {
		read, err := l.pastPortion(after, portion)
		if err != nil || l.full() || read.n < portion {
			return err
		}
		after = &store.Cursor{Key: read.last}
	}
}

// A portionRead is how many states a portion had, and the key of the last.
type portionRead struct {
	n    int
	last string
}

// pastPortion reads at most limit states that stood, 0 for all, behind a key.
func (l *listing) pastPortion(after *store.Cursor, limit int) (read portionRead, err error) {
	q := l.q
	var b builder
	b.add(`SELECT h.key, h.kind, h.value, h.seq, h.time, h.entries FROM history h WHERE h.kind = ? AND h.seq <= ? AND h.value IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM history n WHERE n.key = h.key AND n.seq > h.seq AND n.seq <= ?)`, q.Kind, int64(q.AsOf), int64(q.AsOf))
	narrow(&b, `h.key`, q.Prefix)
	than, down := ` > `, ``
	if q.Desc {
		than, down = ` < `, ` DESC`
	}
	if after != nil && q.Sort == "" {
		b.add(` AND h.key`+than+`?`, after.Key)
	}
	b.add(` ORDER BY h.key` + down)
	if limit > 0 {
		b.add(` LIMIT ?`, int64(limit))
	}
	err = l.conn.Query(l.ctx, b.statement(), func(scan func(...any) error) error {
		var r row
		var entries string
		if err := scanRecord(scan, &r.Record, &entries); err != nil {
			return err
		}
		read.n, read.last = read.n+1, r.Key
		return l.stood(r, entries)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return read, err
}

// stood keeps a row of the past if it is asked for.
func (l *listing) stood(r row, entries string) error {
	index := map[string]string{}
	if entries != "" && len(l.q.Where)+len(l.q.Sort) > 0 {
		if err := json.Unmarshal([]byte(entries), &index); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading the index entries of %q: %w", r.Key, err)
		}
	}
	for name, value := range l.q.Where {
		if index[name] != value {
			return nil
		}
	}
	if l.q.Sort != "" {
		r.sort = index[l.q.Sort]
		if !l.q.Under(r.sort) {
			return nil
		}
		if l.after != nil && l.compare(r.sort, r.Key, l.after.Value, l.after.Key) <= 0 {
			return nil
		}
	}
	l.rows = append(l.rows, r)
	if l.q.Sort == "" && l.full() {
		return errEnough
	}
	return nil
}

func (l *listing) compare(value1, key1, value2, key2 string) int {
	c := cmp.Or(strings.Compare(value1, value2), strings.Compare(key1, key2))
	if l.q.Desc {
		return -c
	}
	return c
}

var _ store.DB = (*DB)(nil)
