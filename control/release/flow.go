package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// States of a release.
const (
	Wanted    = gatehouse.ReleaseWanted
	Requested = gatehouse.ReleaseRequested
)

// A wish is what the plan does to one release.
type wish struct {
	key, env, api, version string
	was                    *gatehouse.Release
	rev                    store.Seq
	next                   *gatehouse.Release // nil: withdrawn
	action, reason         string
}

// ReleaseKey is where the release of a version into an environment lies.
func ReleaseKey(env, team, name, version string) string {
	return "Release/" + env + "/" + team + "/" + name + "/" + version
}

// id is how the release is named: "prod payments/orders@v1".
func (w *wish) id() string { return w.env + " " + w.api + "@" + w.version }

// release reads a release as the store has it; nil when there is none.
func (r *reader) release(ctx context.Context, key string) (*gatehouse.Release, store.Seq, error) {
	rec, ok, err := r.record(ctx, key)
	if err != nil || !ok {
		return nil, store.Absent, err
	}
	var rel gatehouse.Release
	if err := json.Unmarshal(rec.Value, &rel); err != nil {
		return nil, 0, gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
	}
	return &rel, rec.Rev, nil
}

// wished is the release as the plan leaves it; nil when there will be none.
func (p *plan) wished(ctx context.Context, key string) (*gatehouse.Release, error) {
	if w, ok := p.releases[key]; ok {
		return w.next, nil
	}
	rel, _, err := p.release(ctx, key)
	return rel, err
}

// flow releases new revisions into environments that take them by themselves,
// and withdraws versions that are not to be served any more.
func (p *plan) flow(ctx context.Context) error {
	envs := sorted(p.envs)
	var keys []string
	apis := p.apis()
	for _, it := range apis {
		for _, v := range append(sorted(it.heads), it.lost...) {
			for _, env := range envs {
				keys = append(keys, ReleaseKey(env, it.object.Metadata.Team, it.object.Metadata.Name, v))
			}
		}
	}
	if err := p.load(ctx, keys); err != nil {
		return err
	}
	for _, it := range apis {
		if err := p.flowAPI(ctx, it, envs); err != nil {
			return err
		}
	}
	return p.withdraw(ctx)
}

func (p *plan) flowAPI(ctx context.Context, it *item, envs []string) error {
	for _, name := range it.lost {
		if err := p.withdrawVersion(ctx, it.object.Metadata, name, envs, fmt.Sprintf("version %q was removed", name)); err != nil {
			return err
		}
	}
	for _, name := range sorted(it.heads) {
		h := it.heads[name]
		if !serves(h.version) {
			if err := p.withdrawVersion(ctx, it.object.Metadata, name, envs, "lifecycle is "+h.version.Lifecycle); err != nil {
				return err
			}
			continue
		}
		// An environment may follow another (after), so passes go on until
		// nothing more moves; each moves at least one of them.
		for range envs {
			moved := false
			for _, env := range envs {
				m, err := p.follow(ctx, it, &h, env)
				if err != nil {
					return err
				}
				moved = moved || m
			}
			if !moved {
				break
			}
		}
	}
	return nil
}

// follow releases the newest revision into an automatic environment: when it
// is new, or when the version has no release there yet. What a person put in
// its place since, by a rollback, stays.
func (p *plan) follow(ctx context.Context, it *item, h *head, env string) (bool, error) {
	e, m := p.envs[env], it.object.Metadata
	if mode(e) != "automatic" {
		return false, nil
	}
	key := ReleaseKey(env, m.Team, m.Name, h.version.Name)
	now, err := p.wished(ctx, key)
	if err != nil || now != nil && (now.Revision == h.Revision || !h.fresh) {
		return false, err
	}
	if missing, err := p.missing(ctx, h.formOf(it), env); err != nil || missing != "" {
		return false, err
	}
	if waits, err := p.before(ctx, e, m.Team, m.Name, h.version.Name, h.Revision); err != nil || waits != "" {
		return false, err
	}
	if barred, err := p.barred(ctx, m.Team, env); err != nil || barred != "" {
		return false, err
	}
	if f, _ := e.Frozen(p.now); f != nil {
		return false, p.afterFreeze(ctx, e, env, m.Ref(), h.version.Name, h.Revision)
	}
	if in, err := p.flows(ctx, env, m.Ref(), h.version.Name, h.Revision); err != nil || !in {
		return false, err
	}
	return true, p.wish(ctx, key, env, m.Ref(), h.version.Name, h.Revision, "")
}

// wish plans the release of a revision.
func (p *plan) wish(ctx context.Context, key, env, api, version, revision, note string) error {
	was, rev, err := p.release(ctx, key)
	if err != nil {
		return err
	}
	next := &gatehouse.Release{
		Environment: env, API: api, Version: version, Revision: revision, State: Wanted, Time: p.now, By: p.actor, Note: note,
	}
	if was != nil {
		next.Previous = was.Revision
		if was.Revision == revision {
			next.Previous = was.Previous
		}
	}
	w := &wish{key: key, env: env, api: api, version: version, was: was, rev: rev, next: next, action: "release.create"}
	if was != nil && was.Canary != nil {
		w.reason = fmt.Sprintf("in place of the canary of %.12s", was.Canary.Revision)
	}
	p.releases[key] = w
	return nil
}

// missing says what keeps a revision from running in an environment, all of
// it; "" when nothing does.
func (p *plan) missing(ctx context.Context, form *gatehouse.RevisionForm, env string) (string, error) {
	e := p.envs[env]
	lacks, err := p.unresolved(ctx, form, env, e)
	if err != nil || form.Version.Backend == "" { // every operation is mocked, or it would not have been let in
		return strings.Join(lacks, "; "), err
	}
	ref := qualify(form.Version.Backend, form.Team)
	o, err := p.after(ctx, "Backend/"+ref)
	if err != nil {
		return "", err
	}
	if o == nil {
		return strings.Join(append(lacks, fmt.Sprintf("backend %q does not exist", ref)), "; "), nil
	}
	b, ok := o.Spec.(*gatehouse.Backend).Environments[env]
	if !ok || len(b.Targets) == 0 {
		lacks = append(lacks, fmt.Sprintf("backend %q has no targets in environment %q", ref, env))
	}
	for _, s := range strays(form.Team+"/"+form.Name, form.Data, ref, env, e, b) {
		lacks = append(lacks, s.text)
	}
	return strings.Join(lacks, "; "), nil
}

// before names the first environment in which the revision must have been live
// and was not; "" when the rule is met.
func (p *plan) before(ctx context.Context, e *gatehouse.Environment, team, name, version, revision string) (string, error) {
	if e.Release == nil {
		return "", nil
	}
	for _, env := range e.Release.After {
		key := ReleaseKey(env, team, name, version)
		now, err := p.wished(ctx, key)
		if err != nil {
			return "", err
		}
		if now != nil && now.Revision == revision {
			continue
		}
		was, err := wasReleased(ctx, p.db, key, revision)
		if err != nil {
			return "", err
		}
		if !was {
			return env, nil
		}
	}
	return "", nil
}

// wasReleased reports whether the release at key ever named the revision.
func wasReleased(ctx context.Context, db store.DB, key, revision string) (bool, error) {
	for change, err := range db.History(ctx, key) {
		if gatehouse.Is(err, gatehouse.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		var rel gatehouse.Release
		if change.Deleted || json.Unmarshal(change.Value, &rel) != nil {
			continue
		}
		if rel.Revision == revision {
			return true, nil
		}
	}
	return false, nil
}

func (p *plan) withdrawVersion(ctx context.Context, api gatehouse.Metadata, version string, envs []string, reason string) error {
	for _, env := range envs {
		key := ReleaseKey(env, api.Team, api.Name, version)
		was, rev, err := p.release(ctx, key)
		if err != nil {
			return err
		}
		if was != nil {
			p.releases[key] = &wish{key: key, env: env, api: api.Ref(), version: version, was: was, rev: rev, action: "release.withdraw", reason: reason}
		}
	}
	return nil
}

// withdraw takes back the releases of APIs and environments that are deleted.
func (p *plan) withdraw(ctx context.Context) error {
	for _, it := range slices.Clone(p.order) {
		if !it.deleted() {
			continue
		}
		var q store.Query
		switch it.kind {
		case gatehouse.KindAPI:
			q = store.Query{Kind: string(gatehouse.KindRelease), Where: map[string]string{"api": it.ref}}
		case gatehouse.KindEnvironment:
			q = store.Query{Kind: string(gatehouse.KindRelease), Where: map[string]string{"environment": it.ref}}
		case gatehouse.KindSubscription:
			if err := p.dropKeys(ctx, it); err != nil {
				return err
			}
			continue
		default:
			continue
		}
		found, err := p.list(ctx, q)
		if err != nil {
			return err
		}
		for _, rec := range found {
			was, rev, err := p.release(ctx, rec.Key)
			if err != nil {
				return err
			}
			p.releases[rec.Key] = &wish{
				key: rec.Key, env: was.Environment, api: was.API, version: was.Version, was: was, rev: rev, action: "release.withdraw",
				reason: it.was.object.Ref() + " was deleted",
			}
		}
	}
	return nil
}

// dropKeys deletes the keys of a subscription that is deleted.
func (p *plan) dropKeys(ctx context.Context, it *item) error {
	found, err := p.list(ctx, store.Query{Kind: string(gatehouse.KindKey), Where: map[string]string{"subscription": it.ref}})
	for _, rec := range found {
		it.writes = append(it.writes, store.Write{Key: rec.Key, Kind: rec.Kind, Expect: rec.Rev})
	}
	return err
}
