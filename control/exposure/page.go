package exposure

import (
	"context"
	"encoding/json"
	"maps"

	"gatehouse"
	"gatehouse/store"
)

// maxLooked bounds the releases that are looked at for one page: whoever may see
// few of many gets short pages.
const maxLooked = 5000

// Page is one page of what is exposed, in the order of [Entries], and the cursor
// for the next, "" at the end. It holds about limit entries, 0 for all: the
// gateways of one release are never parted.
func Page(ctx context.Context, db store.DB, s Selection, limit int, after string) ([]Entry, string, error) {
	at := store.Seq(0)
	if !s.AsOf.IsZero() {
		var err error
		if at, err = db.AsOf(ctx, s.AsOf); err != nil || at == 0 {
			return nil, "", err
		}
	}
	p := &past{db: db, at: at, stood: map[moment]map[string]string{}}
	return p.page(ctx, s, limit, after)
}

func (p *past) page(ctx context.Context, s Selection, limit int, after string) (all []Entry, next string, err error) {
	if err := p.readPlaces(ctx); err != nil {
		return nil, "", err
	}
	q := store.Query{Kind: string(gatehouse.KindRelease), Where: s.where(), After: after, AsOf: p.at}
	for looked := 0; ; {
		if q.Limit = pageOf; limit > 0 {
			q.Limit = min(max(1, (limit-len(all))/p.most()), pageOf)
		}
		page, err := p.db.List(ctx, q)
		if err != nil {
			return nil, "", err
		}
		releases, err := standings(page.Records, s.May)
		if err == nil {
			err = p.describe(ctx, s, releases)
		}
		if err != nil {
			return nil, "", err
		}
		for _, rel := range releases {
			if all, err = p.add(ctx, all, rel); err != nil {
				return nil, "", err
			}
		}
		looked += len(page.Records)
		if q.After = page.Next; q.After == "" || limit > 0 && (len(all) >= limit || looked >= maxLooked) {
			return all, q.After, nil
		}
	}
}

// most is the number of gateways of the environment that has most.
func (p *past) most() int {
	most := 1
	for _, all := range p.gateways {
		most = max(most, len(all))
	}
	return most
}

// where are the index entries of the releases that are selected.
func (s Selection) where() map[string]string {
	api := ""
	if s.API != "" {
		api = s.Team + "/" + s.API
	}
	m := map[string]string{"environment": s.Environment, "team": s.Team, "api": api, "version": s.Version}
	maps.DeleteFunc(m, func(_, value string) bool { return value == "" })
	return m
}

func standings(records []store.Record, may func(api string) bool) (all []standing, err error) {
	seen := map[string]bool{}
	for _, rec := range records {
		k := standing{rev: rec.Rev, key: rec.Key}
		if err := json.Unmarshal(rec.Value, &k.Release); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
		shown, known := seen[k.API]
		if !known {
			shown = may == nil || may(k.API)
			seen[k.API] = shown
		}
		if shown {
			all = append(all, k)
		}
	}
	return all, nil
}

// readPlaces reads where things run: environments, gateways, instances.
func (p *past) readPlaces(ctx context.Context) error {
	p.envs, p.gateways, p.instances = map[string]*gatehouse.Environment{}, map[string][]*gatehouse.Object{}, map[string][]gatehouse.Instance{}
	err := p.each(ctx, store.Query{Kind: string(gatehouse.KindEnvironment)}, object(func(o *gatehouse.Object) {
		p.envs[o.Metadata.Name] = o.Spec.(*gatehouse.Environment)
	}))
	if err != nil {
		return err
	}
	err = p.each(ctx, store.Query{Kind: string(gatehouse.KindGateway)}, object(func(o *gatehouse.Object) {
		env := o.Spec.(*gatehouse.Gateway).Environment
		p.gateways[env] = append(p.gateways[env], o)
	}))
	if err != nil {
		return err
	}
	return p.each(ctx, store.Query{Kind: string(gatehouse.KindInstance)}, func(rec store.Record) error {
		var i gatehouse.Instance
		if err := json.Unmarshal(rec.Value, &i); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
		p.instances[i.Gateway] = append(p.instances[i.Gateway], i)
		return nil
	})
}

// object is what is done with a document, for each.
func object(do func(*gatehouse.Object)) func(store.Record) error {
	return func(rec store.Record) error {
		_, o, err := gatehouse.ReadStored(rec.Key, rec.Value)
		if err == nil {
			do(o)
		}
		return err
	}
}
