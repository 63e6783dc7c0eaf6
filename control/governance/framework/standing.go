// Package framework moves a framework's versions through the compliance gate:
// submitted, approved by persons who did not write them, put in force, and
// superseded or withdrawn.
//
// What a version demands stands in files; where it stands is on record here,
// under "FrameworkState/<name>", and only the actions of this package move it.
// A version that was submitted is kept word for word by its hash and cannot be
// edited any more: [Standing.Edit] is what package catalog asks before it
// stores a framework's document. Every decision is a record that is written
// once.
//
// The package judges no API; package governance does that.
package framework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A Standing is the record of a framework's versions and the revision it is at.
type Standing struct {
	gatehouse.FrameworkState
	rev store.Seq
}

// StandingOf reads the record; one that is not there yet has no versions.
func StandingOf(name string, r store.Record) (*Standing, error) {
	s := &Standing{rev: r.Rev}
	if r.Value != nil {
		if err := json.Unmarshal(r.Value, &s.FrameworkState); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
		}
	}
	s.Framework = name
	if s.Versions == nil {
		s.Versions = map[string]gatehouse.FrameworkVersionState{}
	}
	return s, nil
}

// Write is the standing as the store takes it, on top of the one it was read as.
func (s *Standing) Write() (store.Write, error) {
	value, err := jsonx.Canonical(&s.FrameworkState)
	return store.Write{
		Key: gatehouse.FrameworkStateKey(s.Framework), Kind: string(gatehouse.KindFrameworkState), Value: value, Expect: s.rev,
		Index: map[string]string{"framework": s.Framework, "inForce": s.InForce},
	}, err
}

// State is where a version stands; one that nothing is known of is a draft.
func (s *Standing) State(version string) string {
	if v, ok := s.Versions[version]; ok {
		return v.State
	}
	return gatehouse.Draft
}

// fixed reports whether a version's text can no longer be edited.
func (s *Standing) fixed(version string) bool { return s.State(version) != gatehouse.Draft }

// A document is a framework as it is stored.
type document struct {
	*gatehouse.Framework
	files map[string]string
	rev   store.Seq
}

func (d *Desk) document(ctx context.Context, name string) (*document, error) {
	r, err := d.db.Get(ctx, gatehouse.Key(gatehouse.KindFramework, "", name))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "there is no framework %q", name)
	}
	if err != nil {
		return nil, err
	}
	return documentOf(r)
}

func documentOf(r store.Record) (*document, error) {
	stored, o, err := gatehouse.ReadStored(r.Key, r.Value)
	if err != nil {
		return nil, err
	}
	return &document{o.Spec.(*gatehouse.Framework), stored.Files, r.Rev}, nil
}

// Standing reads the record of a framework's versions.
func (d *Desk) Standing(ctx context.Context, name string) (*Standing, error) {
	r, err := d.db.Get(ctx, gatehouse.FrameworkStateKey(name))
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	return StandingOf(name, r)
}

// Text is a version's text as it was submitted, by its hash.
func (d *Desk) Text(ctx context.Context, hash string) (*gatehouse.FrameworkText, error) {
	r, err := d.db.Get(ctx, textKey(hash))
	if err != nil {
		return nil, err
	}
	return TextOf(r)
}

// TextOf reads the record of a version's text.
func TextOf(r store.Record) (*gatehouse.FrameworkText, error) {
	t := new(gatehouse.FrameworkText)
	if err := json.Unmarshal(r.Value, t); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return t, nil
}

func textKey(hash string) string { return string(gatehouse.KindFrameworkText) + "/" + hash }

// text is the write that keeps the version's text as it is now.
func (d *Desk) text(ctx context.Context, name, version string, doc *document) (hash string, keep store.Write, err error) {
	_, text, hash, err := d.written(ctx, name, version, doc)
	return hash, store.Write{
		Key: textKey(hash), Kind: string(gatehouse.KindFrameworkText), Value: text, Expect: store.Any,
		Index: map[string]string{"framework": name, "version": version},
	}, err
}

// written is the version's text with the policy sets as they are now.
func (d *Desk) written(ctx context.Context, name, version string, doc *document) (t *gatehouse.FrameworkText, text []byte, hash string, err error) {
	t = doc.TextOf(name, version, doc.files)
	for _, ref := range t.Version.PolicySetRefs() {
		set, err := d.policySet(ctx, ref)
		if err != nil {
			return nil, nil, "", err
		}
		if t.PolicySets == nil {
			t.PolicySets = map[string][]gatehouse.PolicyUse{}
		}
		t.PolicySets[ref] = set
	}
	text, hash, err = t.Encode()
	return t, text, hash, err
}

func (d *Desk) policySet(ctx context.Context, ref string) ([]gatehouse.PolicyUse, error) {
	team, name := gatehouse.ParseRef(ref, "")
	r, err := d.db.Get(ctx, gatehouse.Key(gatehouse.KindPolicySet, team, name))
	if err != nil {
		return nil, err
	}
	_, o, err := gatehouse.ReadStored(r.Key, r.Value)
	if err != nil {
		return nil, err
	}
	return o.Spec.(*gatehouse.PolicySet).Policies, nil
}

// Blob is the write that keeps bytes by their hash.
func Blob(data []byte) (w store.Write, hash string, err error) {
	sum := sha256.Sum256(data)
	hash = hex.EncodeToString(sum[:])
	value, err := json.Marshal(data)
	return store.Write{Key: "Blob/" + hash, Kind: "Blob", Value: value, Expect: store.Any}, hash, err
}
