package release

import (
	"context"
	"fmt"
	"slices"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// keyOf is where the release of a version into an environment lies.
func keyOf(env string, ref catalog.Ref) string {
	return catalog.ReleaseKey(env, ref.Team, ref.Name, ref.Version)
}

// wished is the release as the plan leaves it; nil when there will be none.
func (p *plan) wished(ctx context.Context, key string) (*gatehouse.Release, error) {
	if w, ok := p.Releases[key]; ok {
		return w.Next, nil
	}
	rel, _, err := p.Release(ctx, key)
	return rel, err
}

// flow releases new revisions into environments that take them by themselves,
// and withdraws versions that are not to be served any more.
func (p *plan) flow(ctx context.Context) error {
	envs, apis := sorted(p.Environments), p.Revised()
	var keys []string
	for _, r := range apis {
		versions := slices.Clone(r.Lost)
		for _, h := range r.Heads {
			versions = append(versions, h.Ref.Version)
		}
		for _, v := range versions {
			for _, env := range envs {
				keys = append(keys, catalog.ReleaseKey(env, r.API.Team, r.API.Name, v))
			}
		}
	}
	if err := p.Load(ctx, keys); err != nil {
		return err
	}
	for _, r := range apis {
		if err := p.flowAPI(ctx, r, envs); err != nil {
			return err
		}
	}
	return p.withdraw(ctx)
}

func (p *plan) flowAPI(ctx context.Context, r catalog.Revised, envs []string) error {
	for _, name := range r.Lost {
		if err := p.withdrawVersion(ctx, r.API, name, envs, fmt.Sprintf("version %q was removed", name)); err != nil {
			return err
		}
	}
	for _, h := range r.Heads {
		if !h.Version.Served() {
			if err := p.withdrawVersion(ctx, r.API, h.Ref.Version, envs, "lifecycle is "+h.Version.Lifecycle); err != nil {
				return err
			}
			continue
		}
		if err := p.flowVersion(ctx, &h, envs); err != nil {
			return err
		}
	}
	return nil
}

// flowVersion releases the newest revision into every automatic environment:
// when it is new, or when the version has no release there yet. What a person
// put in its place since, by a rollback, stays.
func (p *plan) flowVersion(ctx context.Context, h *catalog.Head, envs []string) error {
	// An environment may follow another (after), so passes go on until
	// nothing more moves; each moves at least one of them.
	for range envs {
		moved := false
		for _, env := range envs {
			now, err := p.wished(ctx, keyOf(env, h.Ref))
			if err != nil {
				return err
			}
			if now != nil && !h.Fresh {
				continue
			}
			m, err := p.take(ctx, h.Ref, h.Form, env)
			if err != nil {
				return err
			}
			moved = moved || m
		}
		if !moved {
			break
		}
	}
	return nil
}

// take releases a revision into an environment that takes revisions by itself,
// if nothing keeps it out.
func (p *plan) take(ctx context.Context, ref catalog.Ref, form *gatehouse.RevisionForm, env string) (bool, error) {
	rule := p.Environments[env]
	if rule.ReleaseMode() != "automatic" {
		return false, nil
	}
	now, err := p.wished(ctx, keyOf(env, ref))
	if err != nil || now != nil && now.Revision == ref.Revision {
		return false, err
	}
	if missing, err := p.Missing(ctx, form, env); err != nil || missing != "" {
		return false, err
	}
	switch waits, err := p.before(ctx, rule, ref); {
	case err != nil || waits.In != "" && !waits.Coming:
		return false, err
	case waits.Coming:
		return false, p.await(ctx, env, ref, waits)
	}
	if barred, err := p.barred(ctx, ref.Team, env); err != nil || barred != "" {
		return false, err
	}
	if f, _ := rule.Frozen(p.Now); f != nil {
		return false, p.afterFreeze(ctx, rule, env, ref)
	}
	if in, err := p.flows(ctx, env, ref); err != nil || !in {
		return false, err
	}
	return true, p.wish(ctx, env, ref, "")
}

// wish plans the release of a revision.
func (p *plan) wish(ctx context.Context, env string, ref catalog.Ref, note string) error {
	key := keyOf(env, ref)
	was, rev, err := p.Release(ctx, key)
	if err != nil {
		return err
	}
	next := &gatehouse.Release{
		Environment: env, API: ref.API(), Version: ref.Version, Revision: ref.Revision, State: gatehouse.ReleaseWanted, Time: p.Now, By: p.Actor, Note: note,
	}
	if was != nil {
		next.Previous = was.Revision
		if was.Revision == ref.Revision {
			next.Previous = was.Previous
		}
	}
	w := &catalog.Wish{Key: key, Env: env, API: ref.API(), Version: ref.Version, Was: was, Rev: rev, Next: next, Action: "release.create"}
	if was != nil && was.Canary != nil {
		w.Reason = fmt.Sprintf("in place of the canary of %.12s", was.Canary.Revision)
	}
	p.Releases[key] = w
	return nil
}

func (p *plan) withdrawVersion(ctx context.Context, api gatehouse.Metadata, version string, envs []string, reason string) error {
	for _, env := range envs {
		if err := p.takeOut(ctx, catalog.ReleaseKey(env, api.Team, api.Name, version), reason); err != nil {
			return err
		}
	}
	return nil
}

// takeOut withdraws the release at key, if there is one.
func (p *plan) takeOut(ctx context.Context, key, reason string) error {
	was, rev, err := p.Release(ctx, key)
	if was == nil || err != nil {
		return err
	}
	p.Releases[key] = &catalog.Wish{Key: key, Env: was.Environment, API: was.API, Version: was.Version, Was: was, Rev: rev, Action: "release.withdraw", Reason: reason}
	return nil
}

// withdraw takes back the releases of APIs and environments that are deleted.
func (p *plan) withdraw(ctx context.Context) error {
	of := map[gatehouse.Kind]string{gatehouse.KindAPI: "api", gatehouse.KindEnvironment: "environment"}
	for _, o := range p.Deleted() {
		index, ok := of[o.Kind]
		if !ok {
			continue
		}
		found, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindRelease), Where: map[string]string{index: o.Metadata.Ref()}})
		if err != nil {
			return err
		}
		for _, rec := range found {
			if err := p.takeOut(ctx, rec.Key, o.Ref()+" was deleted"); err != nil {
				return err
			}
		}
	}
	return nil
}
