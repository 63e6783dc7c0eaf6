package catalog

import (
	"context"

	"gatehouse"
	"gatehouse/store"
)

// batchOfKeys bounds one read of several records.
const batchOfKeys = 500

// A kept is an object as the store has it, read once.
type kept struct {
	rev    store.Seq
	stored gatehouse.Stored
	object *gatehouse.Object
}

func keptOf(r store.Record) (*kept, error) {
	stored, o, err := gatehouse.ReadStored(r.Key, r.Value)
	if err != nil {
		return nil, err
	}
	return &kept{rev: r.Rev, stored: stored, object: o}, nil
}

// A reader remembers what it read, so that a decision over a thousand objects
// asks the store a few times.
type reader struct {
	db   store.DB
	raw  map[string]store.Record // without a value: known to be absent
	kept map[string]*kept
}

func newReader(db store.DB) *reader {
	return &reader{db: db, raw: map[string]store.Record{}, kept: map[string]*kept{}}
}

// load reads the keys not read before.
func (r *reader) Load(ctx context.Context, keys []string) error {
	var lacking []string
	for _, k := range keys {
		if _, known := r.raw[k]; !known {
			r.raw[k] = store.Record{Key: k}
			lacking = append(lacking, k)
		}
	}
	for len(lacking) > 0 {
		n := min(len(lacking), batchOfKeys)
		found, err := r.db.GetMany(ctx, lacking[:n])
		if err != nil {
			return err
		}
		for k, rec := range found {
			r.raw[k] = rec
		}
		lacking = lacking[n:]
	}
	return nil
}

// record is one record; ok is false when there is none.
func (r *reader) Record(ctx context.Context, key string) (store.Record, bool, error) {
	if err := r.Load(ctx, []string{key}); err != nil {
		return store.Record{}, false, err
	}
	rec := r.raw[key]
	return rec, rec.Value != nil, nil
}

// object is one object, nil when there is none.
func (r *reader) object(ctx context.Context, key string) (*kept, error) {
	if k, ok := r.kept[key]; ok {
		return k, nil
	}
	rec, ok, err := r.Record(ctx, key)
	if err != nil || !ok {
		return nil, err
	}
	k, err := keptOf(rec)
	if err == nil {
		r.kept[key] = k
	}
	return k, err
}

// list reads all objects or records that a query finds and remembers them.
func (r *reader) List(ctx context.Context, q store.Query) ([]store.Record, error) {
	var all []store.Record
	q.Limit = batchOfKeys
	for {
		page, err := r.db.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Records {
			r.raw[rec.Key] = rec
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}
