package exposure

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"gatehouse"
	"gatehouse/store"
)

// describe reads what is told of some releases: titles, revisions, and what the
// gate found.
func (p *past) describe(ctx context.Context, s Selection, releases []standing) error {
	p.revisions = map[string]*gatehouse.Revision{}
	if p.at == 0 {
		p.titles, p.verdicts = map[string]string{}, map[string]verdict{}
	} else if p.titles == nil {
		if err := p.describePast(ctx, s); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(releases, keysOf/3) {
		if err := p.describeSome(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (p *past) describeSome(ctx context.Context, releases []standing) error {
	var keys []string
	for i := range releases {
		k := &releases[i]
		if keys = append(keys, k.shown()); p.at == 0 {
			keys = append(keys, k.apiKey(), k.gateKey())
		}
	}
	found, err := p.db.GetMany(ctx, keys)
	if err != nil {
		return err
	}
	for i := range releases {
		k, rev := &releases[i], new(gatehouse.Revision)
		if err := json.Unmarshal(found[k.shown()].Value, rev); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", k.shown(), err)
		}
		p.revisions[k.shown()] = rev
		if rec, ok := found[k.apiKey()]; ok {
			err = p.titled(rec)
		}
		if rec, ok := found[k.gateKey()]; ok && err == nil {
			p.verdicts[rec.Key], err = verdictOf(rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// describePast reads what stood at a past moment by lists: there is no asking for
// many keys of then.
func (p *past) describePast(ctx context.Context, s Selection) error {
	p.titles, p.verdicts = map[string]string{}, map[string]verdict{}
	where := s.where()
	delete(where, "version")
	where["slot"] = "live"
	err := p.each(ctx, store.Query{Kind: string(gatehouse.KindGateResult), Where: where}, func(rec store.Record) (err error) {
		p.verdicts[rec.Key], err = verdictOf(rec)
		return err
	})
	if err != nil {
		return err
	}
	of := map[string]string{}
	if s.Team != "" {
		of["team"] = s.Team
	}
	if s.API != "" {
		of["name"] = s.API
	}
	return p.each(ctx, store.Query{Kind: string(gatehouse.KindAPI), Where: of}, p.titled)
}

// titled notes the title of an API.
func (p *past) titled(rec store.Record) error {
	var doc struct {
		Object struct {
			Spec struct {
				Title string `json:"title"`
			} `json:"spec"`
		} `json:"object"`
	}
	if err := json.Unmarshal(rec.Value, &doc); err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	p.titles[rec.Key] = doc.Object.Spec.Title
	return nil
}

// shown is the key of the revision that describes an entry: the wanted one, or
// the first one that waits.
func (k *standing) shown() string {
	return "Revision/" + k.API + "/" + k.Version + "/" + cmp.Or(k.Revision, k.Proposed)
}

func (k *standing) apiKey() string {
	team, name := gatehouse.ParseRef(k.API, "")
	return gatehouse.Key(gatehouse.KindAPI, team, name)
}

// gateKey is where the gate's word on a release lies.
func (k *standing) gateKey() string {
	team, name := gatehouse.ParseRef(k.API, "")
	return gatehouse.GateResultKey(k.Environment, team, name, k.Version, true)
}
