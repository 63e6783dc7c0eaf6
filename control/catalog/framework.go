package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"gatehouse"
	"gatehouse/control/governance/framework"
	"gatehouse/rule"
)

// frameworks asks the record of each framework that changes what may change,
// and writes that record along, so that nobody submits a text while it is
// edited.
func (p *Plan) frameworks(ctx context.Context) error {
	var changed []*item
	var keys []string
	for _, it := range p.order {
		if it.kind == gatehouse.KindFramework && (it.deleted() || it.changed) {
			changed = append(changed, it)
			keys = append(keys, gatehouse.FrameworkStateKey(it.ref))
		}
	}
	if err := p.Load(ctx, keys); err != nil {
		return err
	}
	for _, it := range changed {
		if err := p.edit(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) edit(ctx context.Context, it *item) error {
	rec, _, err := p.Record(ctx, gatehouse.FrameworkStateKey(it.ref))
	if err != nil {
		return err
	}
	standing, err := framework.StandingOf(it.ref, rec)
	if err != nil {
		return err
	}
	e := framework.Edit{Actor: p.Actor, AfterFiles: it.files}
	if it.was != nil {
		e.Before, e.BeforeFiles = it.was.object.Spec.(*gatehouse.Framework), it.was.stored.Files
	}
	if !it.deleted() {
		e.After = it.object.Spec.(*gatehouse.Framework)
	}
	if e.Texts, err = p.frameworkTexts(ctx, standing.TextHashes()); err != nil {
		return err
	}
	flaws, err := standing.Edit(e)
	if err != nil {
		return err
	}
	if it.deleted() && len(flaws) > 0 {
		return gatehouse.E(gatehouse.Conflict, "deleting %s: %s", it.was.object.Ref(), flaws[0].Detail)
	}
	for _, f := range flaws {
		p.Fault(it.object.Ref(), f.Pointer, f.Detail)
	}
	if len(flaws) > 0 {
		return nil
	}
	w, err := standing.Write()
	if err != nil {
		return err
	}
	it.writes = append(it.writes, w)
	if it.deleted() {
		return nil
	}
	if err := p.rulesets(ctx, it); err != nil || len(p.faults) > 0 {
		return err
	}
	p.controls(ctx, it, standing)
	return nil
}

// controls makes the controls of versions that may still change ready, as the
// gate does, and reports those that cannot be.
func (p *Plan) controls(ctx context.Context, it *item, standing *framework.Standing) {
	spec := it.object.Spec.(*gatehouse.Framework)
	for i := range spec.Versions {
		v := &spec.Versions[i]
		if standing.State(v.Name) != gatehouse.Draft {
			continue
		}
		_, faults := rule.All(v, func(name string) ([]byte, error) { return p.content(ctx, it, name) })
		for _, f := range faults {
			p.Fault(it.object.Ref(), pointerTo(i)+f.Pointer, f.Detail)
		}
	}
}

// content is what a file beside the item's document holds, sent or kept.
func (p *Plan) content(ctx context.Context, it *item, name string) ([]byte, error) {
	for written, sum := range it.files {
		if path.Clean(written) != path.Clean(name) {
			continue
		}
		if data, ok := p.req.Files[sum]; ok {
			return data, nil
		}
		rec, ok, err := p.Record(ctx, "Blob/"+sum)
		if err != nil {
			return nil, err
		}
		if ok {
			var data []byte
			err := json.Unmarshal(rec.Value, &data)
			return data, err
		}
	}
	return nil, fmt.Errorf("file %q is missing", name)
}

// frameworkTexts reads the texts of versions that were submitted.
func (p *Plan) frameworkTexts(ctx context.Context, hashes []string) (map[string]*gatehouse.FrameworkText, error) {
	texts := make(map[string]*gatehouse.FrameworkText, len(hashes))
	for _, h := range hashes {
		rec, ok, err := p.Record(ctx, string(gatehouse.KindFrameworkText)+"/"+h)
		if err != nil {
			return nil, err
		}
		if ok {
			if texts[h], err = framework.TextOf(rec); err != nil {
				return nil, err
			}
		}
	}
	return texts, nil
}

// rulesets reports rulesets that a framework names as files and that were not
// sent, and keeps the content of those that were.
func (p *Plan) rulesets(ctx context.Context, it *item) error {
	spec := it.object.Spec.(*gatehouse.Framework)
	have := make([]string, 0, len(it.files))
	for _, f := range sorted(it.files) {
		have = append(have, path.Clean(f))
	}
	for i := range spec.Versions {
		for j := range spec.Versions[i].Controls {
			lint := spec.Versions[i].Controls[j].Check.Lint
			if lint == nil {
				continue
			}
			if name, ok := lint.File(); ok && !slices.Contains(have, path.Clean(name)) {
				p.Fault(it.object.Ref(), pointerTo(i, "controls", itoa(j), "check", "lint", "ruleset"), fmt.Sprintf("ruleset %q is missing: it is not among the files sent", name))
			}
		}
	}
	var keys []string
	for _, sum := range it.files {
		keys = append(keys, "Blob/"+sum)
	}
	if err := p.Load(ctx, keys); err != nil || len(p.faults) > 0 {
		return err
	}
	return p.writeBlobs(it)
}
