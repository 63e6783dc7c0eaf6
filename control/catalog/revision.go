package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"gatehouse"
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
