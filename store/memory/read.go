package memory

import (
	"context"
	"iter"
	"slices"
	"sort"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// record is a copy for the caller to keep.
func (s *state) record() store.Record {
	r := s.Record
	r.Value = slices.Clone(r.Value)
	return r
}

func (s *state) change() store.Change {
	return store.Change{Seq: s.Rev, Record: s.record(), Deleted: s.deleted}
}

func (d *db) Get(ctx context.Context, key string) (store.Record, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "reading "+key); err != nil {
		return store.Record{}, err
	}
	if s := d.live[key]; s != nil {
		return s.record(), nil
	}
	return store.Record{}, store.NoRecord(key)
}

func (d *db) GetAsOf(ctx context.Context, key string, at store.Seq) (store.Record, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "reading "+key); err != nil {
		return store.Record{}, err
	}
	if s := stood(d.history[key], at); s != nil {
		return s.record(), nil
	}
	return store.Record{}, store.NoRecord(key)
}

// stood is the state after batch at, nil when there was no record.
func stood(states []*state, at store.Seq) *state {
	i := sort.Search(len(states), func(i int) bool { return states[i].Rev > at })
	if i == 0 || states[i-1].deleted {
		return nil
	}
	return states[i-1]
}

func (d *db) GetMany(ctx context.Context, keys []string) (map[string]store.Record, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "reading records"); err != nil {
		return nil, err
	}
	found := make(map[string]store.Record, len(keys))
	for _, key := range keys {
		if s := d.live[key]; s != nil {
			found[key] = s.record()
		}
	}
	return found, nil
}

func (d *db) History(ctx context.Context, key string) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		d.mu.RLock()
		states, err := d.history[key], d.use(ctx, "reading the history of "+key)
		d.mu.RUnlock()
		if err != nil {
			yield(store.Change{}, err)
			return
		}
		for _, s := range states {
			if !yield(s.change(), nil) {
				return
			}
		}
	}
}

func (d *db) Changes(ctx context.Context, after store.Seq, limit int) ([]store.Change, store.Seq, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "reading changes"); err != nil {
		return nil, after, err
	}
	var changes []store.Change
	at := max(after, 0)
	for ; int(at) < len(d.log) && (limit <= 0 || len(changes) < limit); at++ {
		for _, s := range d.log[at] {
			changes = append(changes, s.change())
		}
	}
	return changes, at, nil
}

func (d *db) AsOf(ctx context.Context, t time.Time) (store.Seq, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var at store.Seq
	var latest time.Time
	for i, u := range d.times {
		if !u.After(t) && !u.Before(latest) {
			at, latest = store.Seq(i+1), u
		}
	}
	return at, d.use(ctx, "looking for a moment")
}

// An event is kept as its JSON, as in a database: nobody can change it.
type event struct {
	columns gatehouse.Event // without Change
	text    []byte
}
