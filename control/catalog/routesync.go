package catalog

import (
	"context"
	"encoding/json"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// maxCatchUp bounds how many changes are gone through; beyond, reading
// everything again is quicker.
const maxCatchUp = 20_000

// sync brings the routes to where the guard stands. Within one process they
// are there already. After another process changed the catalog, what it changed
// is read; after a start, everything, a page at a time.
func (c *Catalog) sync(ctx context.Context, guard store.Seq) error {
	if c.routes.rev == guard {
		return nil
	}
	if c.routes.rev != 0 {
		if done, err := c.catchUp(ctx, guard); done || err != nil {
			return err
		}
	}
	fresh := newRoutes()
	envs, err := c.hosts(ctx)
	if err != nil {
		return err
	}
	err = c.pages(ctx, gatehouse.KindAPI, func(r *reader, page []store.Record) error { return fresh.addHeads(ctx, r, page) })
	if err == nil {
		err = c.pages(ctx, gatehouse.KindRelease, func(r *reader, page []store.Record) error { return fresh.addReleases(ctx, r, page, envs) })
	}
	if err != nil {
		return err
	}
	fresh.rev = guard
	c.routes = fresh
	return nil
}

// catchUp takes in what changed between the routes and the guard; false when
// everything has to be read again.
func (c *Catalog) catchUp(ctx context.Context, guard store.Seq) (bool, error) {
	last := map[string]store.Change{}
	at := c.routes.rev
	for n := 0; at < guard; {
		changes, seq, err := c.db.Changes(ctx, at, 1000)
		if err != nil {
			return false, err
		}
		if n += len(changes); n > maxCatchUp || seq <= at {
			return false, nil
		}
		for _, one := range changes {
			switch gatehouse.Kind(one.Kind) {
			case gatehouse.KindEnvironment:
				return false, nil // its hosts may be other ones
			case gatehouse.KindAPI, gatehouse.KindRelease:
				last[one.Key] = one
			}
		}
		at = seq
	}
	return true, c.routes.take(ctx, c, last, guard)
}

// take replaces the routes of what changed.
func (r *routes) take(ctx context.Context, c *Catalog, last map[string]store.Change, guard store.Seq) error {
	envs, err := c.hosts(ctx)
	if err != nil {
		return err
	}
	var apis, releases []store.Record
	stale := map[string]bool{} // "API/payments/orders"
	for _, key := range sorted(last) {
		one := last[key]
		switch {
		case gatehouse.Kind(one.Kind) == gatehouse.KindAPI:
			stale[key] = true
			if !one.Deleted {
				apis = append(apis, one.Record)
			}
		case one.Deleted:
			env, rest, _ := strings.Cut(strings.TrimPrefix(key, "Release/"), "/")
			i := strings.LastIndexByte(rest, '/')
			r.set(ownerOf(env, rest[:i], rest[i+1:]), nil)
		default:
			releases = append(releases, one.Record)
		}
	}
	for _, owner := range sorted(r.owners) {
		env, id, _ := strings.Cut(owner, " ")
		if api, _, _ := strings.Cut(id, "@"); env == anywhere && stale["API/"+api] {
			r.set(owner, nil)
		}
	}
	rd := newReader(c.db)
	if err := r.addHeads(ctx, rd, apis); err != nil {
		return err
	}
	if err := r.addReleases(ctx, rd, releases, envs); err != nil {
		return err
	}
	r.rev = guard
	return nil
}

// pages goes through all records of a kind.
func (c *Catalog) pages(ctx context.Context, kind gatehouse.Kind, do func(*reader, []store.Record) error) error {
	q := store.Query{Kind: string(kind), Limit: batchOfKeys}
	for {
		page, err := c.db.List(ctx, q)
		if err != nil {
			return err
		}
		if err := do(newReader(c.db), page.Records); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func (c *Catalog) hosts(ctx context.Context) (map[string][]string, error) {
	envs := map[string][]string{}
	err := c.pages(ctx, gatehouse.KindEnvironment, func(_ *reader, page []store.Record) error {
		for _, rec := range page {
			k, err := keptOf(rec)
			if err != nil {
				return err
			}
			envs[k.object.Metadata.Name] = k.object.Spec.(*gatehouse.Environment).Hosts
		}
		return nil
	})
	return envs, err
}

func (r *routes) addHeads(ctx context.Context, rd *reader, page []store.Record) error {
	heads := map[string]*gatehouse.Release{}
	for _, rec := range page {
		k, err := keptOf(rec)
		if err != nil {
			return err
		}
		status, err := statusOf(k.stored.Status)
		if err != nil {
			return err
		}
		for _, v := range k.object.Spec.(*gatehouse.API).Versions {
			if rev := status.Versions[v.Name].Revision; rev != "" && v.Served() {
				heads[rec.Key+"@"+v.Name] = &gatehouse.Release{API: k.object.Metadata.Ref(), Version: v.Name, Revision: rev}
			}
		}
	}
	return eachRevision(ctx, rd, heads, func(rel *gatehouse.Release, rev *gatehouse.Revision, ops []gatehouse.Operation) {
		r.claim(ownerOf(anywhere, rel.API, rel.Version), routesOf(anywhere, nil, &rev.Form, ops))
	})
}

func (r *routes) addReleases(ctx context.Context, rd *reader, page []store.Record, envs map[string][]string) error {
	live := map[string]*gatehouse.Release{}
	for _, rec := range page {
		rel := new(gatehouse.Release)
		if err := json.Unmarshal(rec.Value, rel); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
		if rel.Revision != "" {
			live[rec.Key] = rel
		}
	}
	return eachRevision(ctx, rd, live, func(rel *gatehouse.Release, rev *gatehouse.Revision, ops []gatehouse.Operation) {
		r.claim(ownerOf(rel.Environment, rel.API, rel.Version), routesOf(rel.Environment, envs[rel.Environment], &rev.Form, ops))
	})
}

func (r *routes) claim(owner string, all []route) {
	claims := make([]claim, 0, len(all))
	for _, one := range all {
		claims = append(claims, one.claim())
	}
	r.set(owner, claims)
}
