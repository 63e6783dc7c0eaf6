package compile

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse"
)

// inputs gathers what an API version is made of; uses are the records it took.
func (s *State) inputs(id chunkID, rev *gatehouse.Revision, revisions map[string]*gatehouse.Revision) (*Inputs, func() []string) {
	var uses []string
	form := &rev.Form
	in := &Inputs{EnvironmentName: id.env, Environment: s.model.envs[id.env], Revision: rev, Set: s.tracked(&uses)}
	if form.Framework != "" {
		in.Framework = s.model.frameworks[form.Framework]
		in.Standing = s.model.standings[form.Framework]
		uses = append(uses, gatehouse.Key(gatehouse.KindFramework, "", form.Framework), gatehouse.FrameworkStateKey(form.Framework))
		if on := in.Standing; on != nil && on.InForce != "" {
			hash := on.Versions[on.InForce].Hash
			in.Text = s.model.texts[hash]
			uses = append(uses, string(gatehouse.KindFrameworkText)+"/"+hash)
		}
	}
	if form.Version.Backend != "" {
		ref := qualify(form.Version.Backend, form.Team)
		in.Backend = s.model.backends[ref]
		uses = append(uses, string(gatehouse.KindBackend)+"/"+ref)
	}
	in.PathOf = func(next string) string {
		uses = append(uses, releaseKey(id.env, next), s.revisionKey(id.env, next))
		if rev := revisions[s.revisionKey(id.env, next)]; rev != nil {
			return strings.TrimRight(rev.Form.Version.Path, "/") + "/"
		}
		return ""
	}
	return in, func() []string { return uses }
}

func releaseKey(env, id string) string {
	api, version, _ := strings.Cut(id, "@")
	return string(gatehouse.KindRelease) + "/" + env + "/" + api + "/" + version
}

func (s *State) revisionKey(env, id string) string {
	api, version, _ := strings.Cut(id, "@")
	return string(gatehouse.KindRevision) + "/" + api + "/" + version + "/" + s.model.releases[env][id]
}

// revisions reads the live revisions of ids, and those of their successors.
func (s *State) revisions(ctx context.Context, ids []chunkID) (map[string]*gatehouse.Revision, error) {
	out, keys := map[string]*gatehouse.Revision{}, []string{}
	for _, id := range ids {
		keys = append(keys, s.wantedKey(id))
	}
	if err := read(ctx, s.db, keys, out); err != nil {
		return nil, err
	}
	keys = keys[:0]
	for _, id := range ids {
		if rev := out[s.wantedKey(id)]; rev != nil {
			if next, ok := successor(&rev.Form); ok && s.model.releases[id.env][next] != "" {
				if key := s.revisionKey(id.env, next); out[key] == nil {
					keys = append(keys, key)
				}
			}
		}
	}
	return out, read(ctx, s.db, keys, out)
}

func (s *State) operations(ctx context.Context, revisions map[string]*gatehouse.Revision) (map[string][]gatehouse.Operation, error) {
	lists, keys := map[string]*[]gatehouse.Operation{}, []string{}
	for _, rev := range revisions {
		if rev.Operations != "" {
			keys = append(keys, "Operations/"+rev.Operations)
		}
	}
	if err := read(ctx, s.db, keys, lists); err != nil {
		return nil, err
	}
	out := make(map[string][]gatehouse.Operation, len(lists))
	for key, list := range lists {
		out[strings.TrimPrefix(key, "Operations/")] = append([]gatehouse.Operation{}, *list...)
	}
	return out, nil
}

// read decodes those of the keys that exist. One that cannot be decoded is
// left out: it counts as missing and sets aside only what needs it.
func read[T any](ctx context.Context, db Reader, keys []string, out map[string]*T) error {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) == 0 {
		return nil
	}
	records, err := db.GetMany(ctx, keys)
	if err != nil {
		return err
	}
	for key, r := range records {
		v := new(T)
		if json.Unmarshal(r.Value, v) == nil {
			out[key] = v
		}
	}
	return nil
}
