package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/jsonx"
	"gatehouse/policy/all"
	"gatehouse/store"
)

// unresolved says which variables that a revision uses the environment does not
// set, and what does not fit once they are in their places.
func (p *Plan) unresolved(_ context.Context, form *gatehouse.RevisionForm, env string, e *gatehouse.Environment) (lacks []string, err error) {
	if e == nil {
		return nil, nil
	}
	tell := func(text string) {
		if !slices.Contains(lacks, text) {
			lacks = append(lacks, text)
		}
	}
	each := func(uses []gatehouse.PolicyUse) {
		for _, u := range uses {
			names, _ := u.Variables()
			if len(names) == 0 {
				continue
			}
			config, unset := u.Resolve(e.Variables)
			for _, n := range unset {
				tell(fmt.Sprintf("variable %q, which policy %s uses, is not set in environment %q", n, u.Name, env))
			}
			if kind, ok := all.Find(u.Name); ok && len(unset) == 0 {
				if _, err := kind.Decode(config); err != nil {
					tell(fmt.Sprintf("with the variables of environment %q: %v", env, err))
				}
			}
		}
	}
	each(form.Version.Policies)
	for _, op := range sorted(form.Version.Operations) {
		each(form.Version.Operations[op].Policies)
	}
	for _, set := range sorted(form.PolicySets) {
		each(form.PolicySets[set])
	}
	return lacks, nil
}

// variables checks what uses variables against the environments that set all
// of them, and that no environment loses one that something live there uses.
func (p *Plan) variables(ctx context.Context) error {
	for _, it := range p.order {
		if it.deleted() || !it.changed {
			continue
		}
		bundle.Uses(it.object, func(uses []gatehouse.PolicyUse, pointer ...string) {
			for i, u := range uses {
				p.fits(it, u, append(slices.Clone(pointer), itoa(i), u.Name))
			}
		})
		if s, ok := it.object.Spec.(*gatehouse.Environment); ok && it.was != nil && !maps.Equal(s.Variables, it.was.object.Spec.(*gatehouse.Environment).Variables) {
			if err := p.keptVariables(ctx, it, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Plan) fits(it *item, u gatehouse.PolicyUse, pointer []string) {
	kind, ok := all.Find(u.Name)
	names, bad := u.Variables()
	if !ok || len(names) == 0 || bad != "" {
		return
	}
	for _, env := range sorted(p.Environments) {
		if own, ok := it.object.Spec.(*gatehouse.Environment); ok && p.Environments[env] != own {
			continue
		}
		config, unset := u.Resolve(p.Environments[env].Variables)
		if len(unset) > 0 {
			if it.kind == gatehouse.KindEnvironment {
				p.Fault(it.object.Ref(), jsonx.Pointer(pointer...), fmt.Sprintf("variables %s are not set in this environment", quoted(unset)))
			}
			continue
		}
		if _, err := kind.Decode(config); err != nil {
			p.Fault(it.object.Ref(), jsonx.Pointer(pointer...), fmt.Sprintf("with the variables of environment %q: %v", env, err))
		}
	}
}

// keptVariables reports what is live in an environment and does not work with
// its variables as they will be.
func (p *Plan) keptVariables(ctx context.Context, it *item, s *gatehouse.Environment) error {
	found, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindRelease), Where: map[string]string{"environment": it.ref}})
	if err != nil {
		return err
	}
	rels := map[string]*gatehouse.Release{}
	for _, rec := range found {
		rel, _, err := p.Release(ctx, rec.Key)
		if err != nil {
			return err
		}
		if rel != nil && rel.Revision != "" {
			rels[rec.Key] = rel
		}
	}
	return eachRevision(ctx, p.reader, rels, func(rel *gatehouse.Release, rev *gatehouse.Revision, _ []gatehouse.Operation) {
		lacks, _ := p.unresolved(ctx, &rev.Form, it.ref, s)
		for _, text := range lacks {
			p.Fault(it.object.Ref(), "/spec/variables", fmt.Sprintf("%s@%s is live here: %s", rel.API, rel.Version, text))
		}
	})
}
