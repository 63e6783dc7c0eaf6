package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// route refuses two APIs that claim one route.
func (p *Plan) route(ctx context.Context) error {
	p.claims = newOverlay(p.c.routes)
	if err := p.claimHeads(ctx); err != nil {
		return err
	}
	if err := p.claimReleases(ctx); err != nil {
		return err
	}
	told := map[string]bool{}
	for _, owner := range sorted(p.claims.sets) {
		other, text := p.claims.collision(owner)
		if other == "" {
			continue
		}
		env, id, _ := strings.Cut(owner, " ")
		_, otherID, _ := strings.Cut(other, " ")
		pair := min(id, otherID) + " " + max(id, otherID)
		if told[pair] {
			continue
		}
		told[pair] = true
		detail := fmt.Sprintf("routes to %q and %q both claim %s", id, otherID, strings.TrimSuffix(text, "/"))
		if env != anywhere {
			detail += fmt.Sprintf(" in environment %q", env)
		}
		api, version, _ := strings.Cut(id, "@")
		p.Fault("API "+api, p.versionPointer(api, version), detail)
	}
	return nil
}

func (p *Plan) versionPointer(api, version string) string {
	if it := p.items["API/"+api]; it != nil && !it.deleted() {
		for i, v := range it.object.Spec.(*gatehouse.API).Versions {
			if v.Name == version {
				return pointerTo(i, "path")
			}
		}
	}
	return ""
}

// claimHeads claims the routes of newest revisions that changed.
func (p *Plan) claimHeads(ctx context.Context) error {
	for _, it := range p.order {
		if it.kind != gatehouse.KindAPI {
			continue
		}
		if it.deleted() {
			for _, v := range it.was.object.Spec.(*gatehouse.API).Versions {
				p.claims.put(ownerOf(anywhere, it.ref, v.Name), nil)
			}
			continue
		}
		for _, v := range it.lost {
			p.claims.put(ownerOf(anywhere, it.ref, v), nil)
		}
		for _, name := range sorted(it.heads) {
			h := it.heads[name]
			switch {
			case !h.fresh:
			case !h.version.Served():
				p.claims.put(ownerOf(anywhere, it.ref, name), nil)
			default:
				p.claims.put(ownerOf(anywhere, it.ref, name), routesOf(anywhere, nil, h.form, h.operations))
			}
		}
	}
	return nil
}

// claimReleases claims the routes of releases that change, and of all of an
// environment whose hosts change.
func (p *Plan) claimReleases(ctx context.Context) error {
	wanted := map[string]*gatehouse.Release{}
	for key, w := range p.Releases {
		wanted[key] = w.Next
		if w.Next == nil {
			p.claims.put(ownerOf(w.Env, w.API, w.Version), nil)
		}
	}
	for _, it := range p.order {
		s, ok := specOf[*gatehouse.Environment](it)
		if !ok || it.was == nil || fmt.Sprint(s.Hosts) == fmt.Sprint(it.was.object.Spec.(*gatehouse.Environment).Hosts) {
			continue
		}
		found, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindRelease), Where: map[string]string{"environment": it.ref}})
		if err != nil {
			return err
		}
		for _, rec := range found {
			if _, planned := wanted[rec.Key]; planned {
				continue
			}
			if wanted[rec.Key], _, err = p.Release(ctx, rec.Key); err != nil {
				return err
			}
		}
	}
	return p.claimAll(ctx, wanted)
}

func (p *Plan) claimAll(ctx context.Context, wanted map[string]*gatehouse.Release) error {
	known := map[string]head{}
	for _, it := range p.apis() {
		for name, h := range it.heads {
			if h.form != nil {
				known[revisionKey(it.object.Metadata.Team, it.object.Metadata.Name, name, h.Revision)] = h
			}
		}
	}
	lacking := map[string]*gatehouse.Release{}
	for key, rel := range wanted {
		if rel == nil || rel.Revision == "" {
			continue
		}
		if h, ok := known["Revision/"+rel.API+"/"+rel.Version+"/"+rel.Revision]; ok {
			p.claims.put(ownerOf(rel.Environment, rel.API, rel.Version), routesOf(rel.Environment, p.Environments[rel.Environment].Hosts, h.form, h.operations))
			continue
		}
		lacking[key] = rel
	}
	return eachRevision(ctx, p.reader, lacking, func(rel *gatehouse.Release, rev *gatehouse.Revision, ops []gatehouse.Operation) {
		if e := p.Environments[rel.Environment]; e != nil {
			p.claims.put(ownerOf(rel.Environment, rel.API, rel.Version), routesOf(rel.Environment, e.Hosts, &rev.Form, ops))
		}
	})
}

// eachRevision reads the revisions and operations of releases in few trips.
func eachRevision(ctx context.Context, r *reader, rels map[string]*gatehouse.Release,
	do func(*gatehouse.Release, *gatehouse.Revision, []gatehouse.Operation)) error {
	var keys []string
	for _, rel := range rels {
		keys = append(keys, "Revision/"+rel.API+"/"+rel.Version+"/"+rel.Revision)
	}
	if err := r.Load(ctx, keys); err != nil {
		return err
	}
	revisions := map[string]*gatehouse.Revision{}
	var contents []string
	for _, key := range keys {
		rev := new(gatehouse.Revision)
		if err := json.Unmarshal(r.raw[key].Value, rev); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
		}
		revisions[key] = rev
		if rev.Operations != "" {
			contents = append(contents, "Operations/"+rev.Operations)
		}
	}
	if err := r.Load(ctx, contents); err != nil {
		return err
	}
	for _, rel := range rels {
		rev := revisions["Revision/"+rel.API+"/"+rel.Version+"/"+rel.Revision]
		var ops []gatehouse.Operation
		if rev.Operations != "" {
			if err := json.Unmarshal(r.raw["Operations/"+rev.Operations].Value, &ops); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading operations %q: %w", rev.Operations, err)
			}
		}
		do(rel, rev, ops)
	}
	return nil
}
