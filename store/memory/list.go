package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"gatehouse/store"
)

func (d *db) List(ctx context.Context, q store.Query) (store.Page, error) {
	after, err := q.Cursor()
	if err != nil {
		return store.Page{}, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "listing "+q.Kind); err != nil {
		return store.Page{}, err
	}
	page := store.Page{Seq: d.head.Seq}
	if q.AsOf > 0 && q.AsOf < d.head.Seq {
		page.Seq = q.AsOf
	}
	found := d.pick(q, page.Seq)
	order := func(a, b *state) int { return before(q, a.index[q.Sort], a.Key, b.index[q.Sort], b.Key) }
	slices.SortFunc(found, order)
	if after != nil {
		i, _ := slices.BinarySearchFunc(found, after, func(s *state, c *store.Cursor) int {
			if before(q, s.index[q.Sort], s.Key, c.Value, c.Key) <= 0 {
				return -1
			}
			return 1
		})
		found = found[i:]
	}
	if q.Limit > 0 && len(found) > q.Limit {
		found = found[:q.Limit]
		last := found[q.Limit-1]
		page.Next = q.NextAfter(last.index[q.Sort], last.Key)
	}
	for _, s := range found {
		page.Records = append(page.Records, s.record())
		if q.Sort != "" {
			page.Sorts = append(page.Sorts, s.index[q.Sort])
		}
	}
	return page, nil
}

func (d *db) All(ctx context.Context, kind string) iter.Seq2[store.Record, error] {
	return func(yield func(store.Record, error) bool) {
		page, err := d.List(ctx, store.Query{Kind: kind})
		for _, r := range page.Records {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(store.Record{}, err)
		}
	}
}

// before orders by sort value and key; without Sort all values are "".
func before(q store.Query, value1, key1, value2, key2 string) int {
	c := cmp.Or(strings.Compare(value1, value2), strings.Compare(key1, key2))
	if q.Desc {
		return -c
	}
	return c
}

// pick finds what matches, in no order.
func (d *db) pick(q store.Query, at store.Seq) []*state {
	var found []*state
	take := func(s *state) {
		if s != nil && matches(s, q) {
			found = append(found, s)
		}
	}
	if at < d.head.Seq {
		for _, states := range d.history {
			take(stood(states, at))
		}
		return found
	}
	fewest := d.kinds[q.Kind]
	for name, value := range q.Where {
		if set := d.entries[entry{q.Kind, name, value}]; value != "" && len(set) < len(fewest) {
			fewest = set
		}
	}
	for key := range fewest {
		take(d.live[key])
	}
	return found
}

func matches(s *state, q store.Query) bool {
	if s.Kind != q.Kind || !strings.HasPrefix(s.Key, q.Prefix) || !q.Under(s.index[q.Sort]) {
		return false
	}
	for name, value := range q.Where {
		if s.index[name] != value {
			return false
		}
	}
	return true
}
