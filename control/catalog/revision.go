package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Kinds of records that hold content by its hash.
const (
	KindBlob       gatehouse.Kind = "Blob"       // the bytes of a definition's file, base64 in a JSON string
	KindOperations gatehouse.Kind = "Operations" // a list of gatehouse.Operation
)

// An APIStatus is the server's part of an API: the newest revision of each
// version.
type APIStatus struct {
	Versions map[string]VersionStatus `json:"versions"`
}

// A VersionStatus is the newest revision of one version.
type VersionStatus struct {
	Revision   string `json:"revision"`
	Operations string `json:"operations,omitempty"`
	// Files are those of the definition and all it refers to, as written.
	Files []string `json:"files,omitempty"`
}

// A head is the newest revision of a version as the plan leaves it.
type head struct {
	VersionStatus
	version    *gatehouse.Version
	form       *gatehouse.RevisionForm
	operations []gatehouse.Operation // nil unless read
	fresh      bool                  // differs from the one before
}

// formOf is the head's form, also when it was not worked out because nothing
// of it changed.
func (h *head) formOf(it *item) *gatehouse.RevisionForm {
	if h.form != nil {
		return h.form
	}
	m := it.object.Metadata
	return &gatehouse.RevisionForm{Team: m.Team, Name: m.Name, Data: it.object.Spec.(*gatehouse.API).Data, Version: *h.version}
}

func statusOf(raw json.RawMessage) (APIStatus, error) {
	var s APIStatus
	if len(raw) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, gatehouse.E(gatehouse.Internal, "reading the status of an API: %w", err)
	}
	return s, nil
}

// HashForm is a revision's hash: the SHA-256 of the canonical JSON of its form.
func HashForm(f *gatehouse.RevisionForm) (string, error) {
	text, err := jsonx.Canonical(f)
	if err != nil {
		return "", err
	}
	return hashOf(text), nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func revisionKey(team, name, version, hash string) string {
	return "Revision/" + team + "/" + name + "/" + version + "/" + hash
}

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

// mocked reports whether every request the version takes is answered by mock.
func mocked(h *head) bool {
	mocks := func(uses []gatehouse.PolicyUse) bool {
		return slices.ContainsFunc(uses, func(u gatehouse.PolicyUse) bool {
			if ref, ok := u.Set(); ok {
				return slices.ContainsFunc(h.form.PolicySets[qualify(ref, h.form.Team)], func(u gatehouse.PolicyUse) bool { return u.Name == "mock" })
			}
			return u.Name == "mock"
		})
	}
	if mocks(h.version.Policies) {
		return true
	}
	if h.version.Definition == "" || h.version.AllowUndefined || len(h.operations) == 0 {
		return false
	}
	for _, o := range h.operations {
		if !mocks(h.version.Operations[o.ID].Policies) && !mocks(h.version.Operations[o.Method+" "+o.Path].Policies) {
			return false
		}
	}
	return true
}

// writeRevisions adds the records of what is new to the item.
func (p *Plan) writeRevisions(it *item) error {
	m := it.object.Metadata
	for _, name := range sorted(it.heads) {
		h := it.heads[name]
		if !h.fresh {
			continue
		}
		if h.operations != nil && p.raw["Operations/"+h.Operations].Value == nil {
			text, err := jsonx.Canonical(h.operations)
			if err != nil {
				return err
			}
			p.once(it, store.Write{Key: "Operations/" + h.Operations, Kind: string(KindOperations), Value: text, Expect: store.Any})
		}
		key := revisionKey(m.Team, m.Name, name, h.Revision)
		if p.raw[key].Value != nil {
			continue // it was before, and is again
		}
		rev := gatehouse.Revision{Hash: h.Revision, Form: *h.form, Operations: h.Operations, Created: p.Now, CreatedBy: p.Actor}
		text, err := jsonx.Marshal(&rev)
		if err != nil {
			return err
		}
		p.once(it, store.Write{
			Key: key, Kind: string(gatehouse.KindRevision), Value: text, Expect: store.Absent,
			Index: map[string]string{"team": m.Team, "api": m.Ref(), "version": name, "hash": h.Revision, "created": store.Moment(rev.Created)},
		})
		it.made = append(it.made, m.Ref()+"@"+name+"#"+h.Revision)
	}
	if !it.changed {
		return nil
	}
	return p.writeBlobs(it)
}

// once adds a write of content that several objects may share.
func (p *Plan) once(it *item, w store.Write) {
	if p.raw[w.Key].Value == nil {
		it.writes = append(it.writes, w)
		p.raw[w.Key] = store.Record{Key: w.Key, Value: w.Value}
	}
}

func (p *Plan) writeBlobs(it *item) error {
	for _, path := range sorted(it.files) {
		sum := it.files[path]
		if p.raw["Blob/"+sum].Value != nil {
			continue
		}
		data, ok := p.req.Files[sum]
		if !ok || hashOf(data) != sum {
			p.Fault(it.object.Ref(), "/spec", fmt.Sprintf("the content of %q is missing: %s is not among the files sent", path, sum))
			continue
		}
		text, err := json.Marshal(data)
		if err != nil {
			return err
		}
		p.once(it, store.Write{Key: "Blob/" + sum, Kind: string(KindBlob), Value: text, Expect: store.Any})
	}
	return nil
}
