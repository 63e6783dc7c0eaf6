package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/jsonx"
)

// revise finds the newest revision of every version of the APIs in the plan
// and writes those that are new.
func (p *Plan) revise(ctx context.Context) error {
	apis := p.apis()
	var keys []string
	for _, it := range apis {
		for _, r := range bundle.References(it.object) {
			if r.Kind == gatehouse.KindPolicySet || r.Kind == gatehouse.KindBackend {
				keys = append(keys, r.Key())
			}
		}
	}
	if err := p.Load(ctx, keys); err != nil {
		return err
	}
	if err := p.loadOperations(ctx, apis); err != nil {
		return err
	}
	keys = keys[:0]
	for _, it := range apis {
		if err := p.reviseAPI(ctx, it); err != nil {
			return err
		}
		for _, h := range it.heads {
			if h.fresh {
				keys = append(keys, revisionKey(it.object.Metadata.Team, it.object.Metadata.Name, h.version.Name, h.Revision))
				if h.operations != nil {
					keys = append(keys, "Operations/"+h.Operations)
				}
			}
		}
		if it.changed {
			for _, sum := range it.files {
				keys = append(keys, "Blob/"+sum)
			}
		}
	}
	if len(p.faults) > 0 {
		return nil
	}
	if err := p.Load(ctx, keys); err != nil {
		return err
	}
	for _, it := range apis {
		if err := p.writeRevisions(it); err != nil {
			return err
		}
	}
	return nil
}

// apis are the items of the plan that are APIs and stay.
func (p *Plan) apis() []*item {
	return slices.DeleteFunc(slices.Clone(p.order), func(it *item) bool { return it.kind != gatehouse.KindAPI || it.deleted() })
}

func (p *Plan) loadOperations(ctx context.Context, apis []*item) error {
	var keys []string
	for _, it := range apis {
		if it.was == nil {
			continue
		}
		old, err := statusOf(it.was.stored.Status)
		if err != nil {
			return err
		}
		for _, v := range old.Versions {
			if v.Operations != "" && (it.changed || it.reason != "") {
				keys = append(keys, "Operations/"+v.Operations)
			}
		}
	}
	return p.Load(ctx, keys)
}

func (p *Plan) reviseAPI(ctx context.Context, it *item) error {
	old := APIStatus{}
	if it.was != nil {
		var err error
		if old, err = statusOf(it.was.stored.Status); err != nil {
			return err
		}
	}
	spec := it.object.Spec.(*gatehouse.API)
	next := APIStatus{Versions: map[string]VersionStatus{}}
	it.heads = map[string]head{}
	for i := range spec.Versions {
		v := &spec.Versions[i]
		h := head{version: v, VersionStatus: old.Versions[v.Name]}
		if it.changed || it.reason != "" {
			if err := p.reviseVersion(ctx, it, i, &h); err != nil {
				return err
			}
		}
		it.heads[v.Name], next.Versions[v.Name] = h, h.VersionStatus
	}
	for name := range old.Versions {
		if _, stays := next.Versions[name]; !stays {
			it.lost = append(it.lost, name)
		}
	}
	slices.Sort(it.lost)
	var err error
	it.status, err = jsonx.Canonical(&next)
	return err
}

func (p *Plan) reviseVersion(ctx context.Context, it *item, i int, h *head) error {
	v, before := h.version, h.VersionStatus
	faults := len(p.faults)
	if err := p.definition(ctx, it, i, h); err != nil {
		return err
	}
	p.attachments(it, i, h)
	if err := p.parameters(ctx, it, i, h); err != nil {
		return err
	}
	if len(p.faults) > faults {
		return nil
	}
	spec, m := it.object.Spec.(*gatehouse.API), it.object.Metadata
	h.form = &gatehouse.RevisionForm{
		Team: m.Team, Name: m.Name, Framework: spec.Framework, Audience: spec.Audience, Data: spec.Data, Version: *v,
	}
	for _, f := range h.Files {
		if h.form.Files == nil {
			h.form.Files = map[string]string{}
		}
		h.form.Files[f] = it.files[f]
	}
	if err := p.included(ctx, h.form); err != nil {
		return err
	}
	var err error
	if h.Revision, err = HashForm(h.form); err != nil {
		return err
	}
	h.fresh = h.Revision != before.Revision
	if v.Served() && v.Backend == "" && !mocked(h) {
		p.Fault(it.object.Ref(), pointerTo(i, "backend"), fmt.Sprintf("version %q names no backend, and not all of its operations are mocked", v.Name))
	}
	return nil
}

// serves reports whether a version is to run on gateways at all.
func pointerTo(version int, rest ...string) string {
	return jsonx.Pointer(append([]string{"spec", "versions", itoa(version)}, rest...)...)
}

// included puts the policy sets that the version names into the form, as they
// will be.
func (p *Plan) included(ctx context.Context, f *gatehouse.RevisionForm) error {
	for _, ref := range setsOf(&f.Version, f.Team) {
		team, name := gatehouse.ParseRef(ref, f.Team)
		o, err := p.After(ctx, gatehouse.Key(gatehouse.KindPolicySet, team, name))
		if err != nil {
			return err
		}
		if o == nil {
			continue // resolve or referred reported it
		}
		if f.PolicySets == nil {
			f.PolicySets = map[string][]gatehouse.PolicyUse{}
		}
		f.PolicySets[ref] = o.Spec.(*gatehouse.PolicySet).Policies
	}
	return nil
}

func setsOf(v *gatehouse.Version, team string) []string {
	found := map[string]bool{}
	add := func(uses []gatehouse.PolicyUse) {
		for _, u := range uses {
			if ref, ok := u.Set(); ok {
				found[qualify(ref, team)] = true
			}
		}
	}
	add(v.Policies)
	for _, o := range v.Operations {
		add(o.Policies)
	}
	return slices.Sorted(maps.Keys(found))
}
