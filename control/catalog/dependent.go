package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/store"
)

// environments reads every environment as it will be.
func (p *Plan) environments(ctx context.Context) error {
	found, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindEnvironment)})
	if err != nil {
		return err
	}
	p.Environments = map[string]*gatehouse.Environment{}
	for _, rec := range found {
		k, err := p.object(ctx, rec.Key)
		if err != nil {
			return err
		}
		p.Environments[k.object.Metadata.Name] = k.object.Spec.(*gatehouse.Environment)
	}
	for _, it := range p.order {
		if it.kind != gatehouse.KindEnvironment {
			continue
		}
		if s, ok := specOf[*gatehouse.Environment](it); ok {
			p.Environments[it.object.Metadata.Name] = s
		} else {
			delete(p.Environments, it.ref)
		}
	}
	return nil
}

// Mode is how revisions come into an environment: automatic, manual or approved.
func Mode(e *gatehouse.Environment) string { return mode(e) }

// mode is how revisions come into an environment.
func mode(e *gatehouse.Environment) string { return e.ReleaseMode() }

// dependents adds the APIs that what changes makes worth looking at again:
// those that include a policy set, those a backend or an environment now has
// room for.
func (p *Plan) dependents(ctx context.Context) error {
	for _, it := range slices.Clone(p.order) {
		if !it.changed || it.deleted() {
			continue
		}
		var err error
		switch s := it.object.Spec.(type) {
		case *gatehouse.PolicySet:
			if it.was != nil {
				err = p.look(ctx, store.Query{Kind: string(gatehouse.KindAPI), Where: map[string]string{"ref:" + it.key: "1"}}, "policy set "+it.ref+" changed")
			}
		case *gatehouse.Backend:
			if it.was != nil && len(s.Environments) > 0 {
				err = p.look(ctx, store.Query{Kind: string(gatehouse.KindAPI), Where: map[string]string{"ref:" + it.key: "1"}}, "")
			}
		case *gatehouse.Environment:
			if mode(s) == "automatic" && (it.was == nil || mode(it.was.object.Spec.(*gatehouse.Environment)) != "automatic") {
				err = p.look(ctx, store.Query{Kind: string(gatehouse.KindAPI)}, "")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) look(ctx context.Context, q store.Query, reason string) error {
	found, err := p.List(ctx, q)
	if err != nil {
		return err
	}
	for _, rec := range found {
		k, err := p.object(ctx, rec.Key)
		if err != nil {
			return err
		}
		if it := p.again(k, reason); it != nil && reason != "" {
			it.reason = reason
		}
	}
	return nil
}

// bound reports backends that lose an environment in which an API that uses
// them is released.
func (p *Plan) bound(ctx context.Context) error {
	for _, it := range p.order {
		s, ok := specOf[*gatehouse.Backend](it)
		if !ok || !it.changed || it.was == nil {
			continue
		}
		for env := range it.was.object.Spec.(*gatehouse.Backend).Environments {
			if _, stays := s.Environments[env]; stays {
				continue
			}
			if err := p.unbound(ctx, it, env); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Plan) unbound(ctx context.Context, backend *item, env string) error {
	users, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindAPI), Where: map[string]string{"ref:" + backend.key: "1"}})
	if err != nil {
		return err
	}
	for _, rec := range users {
		o, err := p.After(ctx, rec.Key)
		if err != nil {
			return err
		}
		if o == nil {
			continue
		}
		for _, v := range o.Spec.(*gatehouse.API).Versions {
			if v.Backend == "" || qualify(v.Backend, o.Metadata.Team) != backend.ref {
				continue
			}
			live, err := p.live(ctx, env, o.Metadata, v.Name)
			if err != nil {
				return err
			}
			if live {
				p.Fault(backend.object.Ref(), "/spec/environments", fmt.Sprintf(
					"environment %q is left out, but API %q is released there on this backend", env, o.Metadata.Ref()+"@"+v.Name))
			}
		}
	}
	return nil
}

// live reports whether a version will be released in an environment.
func (p *Plan) live(ctx context.Context, env string, api gatehouse.Metadata, version string) (bool, error) {
	key := ReleaseKey(env, api.Team, api.Name, version)
	if w, ok := p.Releases[key]; ok {
		return w.Next != nil, nil
	}
	_, ok, err := p.Record(ctx, key)
	return ok, err
}

// referred refuses to take away what something else names: objects, versions
// of APIs, plans of products.
func (p *Plan) referred(ctx context.Context) error {
	for _, it := range p.order {
		var err error
		switch {
		case it.deleted():
			err = p.stillNamed(ctx, it, "")
		case it.was == nil || !it.changed:
		case it.kind == gatehouse.KindAPI:
			for _, v := range it.lost {
				if err = p.stillNamed(ctx, it, v); err != nil {
					break
				}
			}
		case it.kind == gatehouse.KindProduct:
			for _, name := range lostPlans(it) {
				if err = p.stillNamed(ctx, it, name); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func lostPlans(it *item) (lost []string) {
	names := func(o *gatehouse.Object) (all []string) {
		for _, plan := range o.Spec.(*gatehouse.Product).Plans {
			all = append(all, plan.Name)
		}
		return all
	}
	now := names(it.object)
	for _, name := range names(it.was.object) {
		if !slices.Contains(now, name) {
			lost = append(lost, name)
		}
	}
	return lost
}

// maxReferrers bounds how many are named.
const maxReferrers = 5

// stillNamed refuses with the names of those that refer to the item, or to one
// part of it, and stay.
func (p *Plan) stillNamed(ctx context.Context, it *item, part string) error {
	var names []string
	m := it.was.object.Metadata
	for _, q := range referrers(it.kind, m.Team, m.Name) {
		if part != "" && it.kind == gatehouse.KindProduct {
			if q.Kind != string(gatehouse.KindSubscription) {
				continue
			}
			q.Where["plan"] = part
		}
		more, err := p.naming(ctx, q, it.key, part)
		if err != nil {
			return err
		}
		if names = append(names, more...); len(names) > maxReferrers {
			break
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	list := strings.Join(names[:min(len(names), maxReferrers)], ", ")
	if len(names) > maxReferrers {
		list += " and others"
	}
	what := "deleting " + it.was.object.Ref()
	switch {
	case part != "" && it.kind == gatehouse.KindAPI:
		what = fmt.Sprintf("removing version %q of %s", part, it.was.object.Ref())
	case part != "":
		what = fmt.Sprintf("removing plan %q of %s", part, it.was.object.Ref())
	}
	return gatehouse.E(gatehouse.Conflict, "%s: still referred to by %s", what, list)
}

// naming lists who, of those the query finds, will name key.
func (p *Plan) naming(ctx context.Context, q store.Query, key, part string) (names []string, err error) {
	for {
		q.Limit = batchOfKeys
		page, err := p.db.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Records {
			p.raw[rec.Key] = rec
			o, err := p.After(ctx, rec.Key)
			if err != nil {
				return nil, err
			}
			if o != nil && slices.ContainsFunc(bundle.References(o), func(r bundle.Reference) bool { return r.Key() == key && (part == "" || r.Part == part) }) {
				names = append(names, o.Ref())
			}
		}
		if page.Next == "" || len(names) > maxReferrers {
			return names, nil
		}
		q.After = page.Next
	}
}
