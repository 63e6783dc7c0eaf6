package catalog

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/store"
)

// A View is one object as it stands, or stood.
type View struct {
	Object *gatehouse.Object
	Text   json.RawMessage // the document as it was sent, canonical
	Files  map[string]string
	Set    string
	Status json.RawMessage
	Rev    store.Seq
	Time   time.Time // when this state was written, UTC
}

func viewOf(r store.Record) (*View, error) {
	k, err := keptOf(r)
	if err != nil {
		return nil, err
	}
	return &View{Object: k.object, Text: k.stored.Object, Files: k.stored.Files, Set: k.stored.Set, Status: k.stored.Status, Rev: r.Rev, Time: r.Time}, nil
}

// Get reads one object, as it stood at a time when asOf is not zero.
func (c *Catalog) Get(ctx context.Context, kind gatehouse.Kind, team, name string, asOf time.Time) (*View, error) {
	key := gatehouse.Key(kind, team, name)
	at, err := c.moment(ctx, asOf)
	if err != nil {
		return nil, err
	}
	var rec store.Record
	if asOf.IsZero() {
		rec, err = c.db.Get(ctx, key)
	} else {
		rec, err = c.db.GetAsOf(ctx, key, at)
	}
	if gatehouse.Is(err, gatehouse.NotFound) {
		ref := gatehouse.Metadata{Team: team, Name: name}.Ref()
		if asOf.IsZero() {
			return nil, gatehouse.E(gatehouse.NotFound, "there is no %s %q", bundle.Noun(kind), ref)
		}
		return nil, gatehouse.E(gatehouse.NotFound, "there was no %s %q at %s", bundle.Noun(kind), ref, asOf.UTC().Format(time.RFC3339))
	}
	if err != nil {
		return nil, err
	}
	return viewOf(rec)
}

// moment is the last batch at or before t; zero, for now, when t is zero.
func (c *Catalog) moment(ctx context.Context, t time.Time) (store.Seq, error) {
	if t.IsZero() {
		return 0, nil
	}
	return c.db.AsOf(ctx, t)
}

// A Filter selects objects of one kind.
type Filter struct {
	Kind   gatehouse.Kind
	Team   string
	Prefix string // of the name as people write it, "payments/or" or "pro"
	// Where are index entries: team, name, set, label:KEY, and by kind
	// application, product, plan, environment, state, subject, role, scope,
	// framework, audience, stage.
	Where map[string]string
	Sort  string
	Desc  bool
	After string
	Limit int
	AsOf  time.Time
	// Allow says which objects are given; nil: all. Limit counts those.
	Allow func(ctx context.Context, o *gatehouse.Object) bool
}

// A Page is one page of a list.
type Page struct {
	Items []*View
	Next  string
	Seq   store.Seq
}

// List answers one page of objects.
func (c *Catalog) List(ctx context.Context, f Filter) (Page, error) {
	at, err := c.moment(ctx, f.AsOf)
	if err != nil {
		return Page{}, err
	}
	if !f.AsOf.IsZero() && at == 0 {
		return Page{}, nil // before the first change there was nothing
	}
	q := store.Query{Kind: string(f.Kind), Where: map[string]string{}, Sort: f.Sort, Desc: f.Desc, After: f.After, Limit: f.Limit, AsOf: at}
	for k, v := range f.Where {
		q.Where[k] = v
	}
	if f.Team != "" {
		q.Where["team"] = f.Team
	}
	if f.Prefix != "" {
		q.Prefix = gatehouse.Key(f.Kind, "", f.Prefix)
	}
	if f.Allow == nil {
		f.Allow = func(context.Context, *gatehouse.Object) bool { return true }
	} else if q.Limit > 0 {
		q.Limit = max(q.Limit+1, lookAhead)
	}
	return c.scan(ctx, q, &f)
}

const (
	// lookAhead is how many objects are read at once of which only some may
	// be given.
	lookAhead = 200
	// maxScan bounds how many are read for one page. A page that ends there
	// may hold fewer than its limit, and has a cursor to go on from.
	maxScan = 20_000
)

// scan reads until the page is full and it is known whether more follows.
func (c *Catalog) scan(ctx context.Context, q store.Query, f *Filter) (Page, error) {
	out, full, cursor := Page{}, false, ""
	for read := 0; ; {
		page, err := c.db.List(ctx, q)
		if err != nil {
			return Page{}, err
		}
		if out.Seq == 0 {
			out.Seq = page.Seq
		}
		for i, rec := range page.Records {
			v, err := viewOf(rec)
			if err != nil {
				return Page{}, err
			}
			if !f.Allow(ctx, v.Object) {
				continue
			}
			if full {
				out.Next = cursor
				return out, nil
			}
			if out.Items = append(out.Items, v); f.Limit > 0 && len(out.Items) == f.Limit {
				full, cursor = true, cursorAt(&q, &page, i)
			}
		}
		read += len(page.Records)
		switch {
		case page.Next == "":
			return out, nil
		case full && (read >= maxScan || q.Limit == f.Limit): // more is likely, or certain
			out.Next = cursor
			return out, nil
		case read >= maxScan:
			out.Next = page.Next
			return out, nil
		}
		q.After = page.Next
	}
}

// cursorAt is the cursor behind a record of the page.
func cursorAt(q *store.Query, page *store.Page, i int) string {
	sort := ""
	if page.Sorts != nil {
		sort = page.Sorts[i]
	}
	return q.NextAfter(sort, page.Records[i].Key)
}

// Put applies one document and answers the object as it stands then, and
// whether it was made.
func (c *Catalog) Put(ctx context.Context, d Document, req Request) (*View, bool, error) {
	req.Documents = []Document{d}
	r, err := c.Apply(ctx, req)
	if err != nil {
		return nil, false, err
	}
	m := d.Object.Metadata
	v, err := c.Get(ctx, d.Object.Kind, m.Team, m.Name, time.Time{})
	return v, len(r.Changes) > 0 && r.Changes[0].Action == Create, err
}

// Delete deletes one object. What others refer to stays, and the error names
// them; what is protected goes only with req.YesDelete. expect is as in
// [Document].
func (c *Catalog) Delete(ctx context.Context, kind gatehouse.Kind, team, name string, expect *store.Seq, req Request) error {
	was, err := c.Get(ctx, kind, team, name, time.Time{})
	if err != nil {
		return err
	}
	_, err = c.remove(ctx, []string{was.Object.Key()}, expect, req)
	return err
}

// Remove deletes several objects in one transaction.
func (c *Catalog) Remove(ctx context.Context, req Request, objects ...*gatehouse.Object) (Result, error) {
	var keys []string
	for _, o := range objects {
		keys = append(keys, o.Key())
	}
	return c.remove(ctx, keys, nil, req)
}

// Blob is the content of a definition's file.
func (c *Catalog) Blob(ctx context.Context, sum string) ([]byte, error) {
	return blob(ctx, newReader(c.db), sum)
}
