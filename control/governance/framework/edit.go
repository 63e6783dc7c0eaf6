package framework

import (
	"fmt"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// maxRemembered bounds the versions, present and past, that are on record of
// one framework.
const maxRemembered = 1000

// An Edit is a change of a framework's document; Before or After is nil where
// there is none.
type Edit struct {
	Before, After           *gatehouse.Framework
	BeforeFiles, AfterFiles map[string]string
	Actor                   string
	// Texts are those of versions that were submitted, by hash.
	Texts map[string]*gatehouse.FrameworkText
}

// TextHashes are the hashes of all texts that an Edit needs.
func (s *Standing) TextHashes() (hashes []string) {
	for _, v := range s.Versions {
		if v.Hash != "" {
			hashes = append(hashes, v.Hash)
		}
	}
	return hashes
}

// A Flaw is what an edit may not do, at a place of the document.
type Flaw struct{ Pointer, Detail string }

// Edit takes an edit into the standing: who changed a draft is one of its
// authors. It reports what the edit may not do: change, or take away, what was
// submitted, and claim a state that no action led to.
func (s *Standing) Edit(e Edit) (flaws []Flaw, err error) {
	if s.rev == store.Absent && claims(e.Before) {
		return nil, gatehouse.E(gatehouse.Unavailable, "framework %q was stored by an earlier program and is being taken over; try again in a minute", s.Framework)
	}
	if e.After == nil {
		return s.missing(&gatehouse.Framework{}), nil
	}
	for i := range e.After.Versions {
		v := &e.After.Versions[i]
		at := []string{"spec", "versions", fmt.Sprint(i)}
		if state := s.State(v.Name); v.State != "" && v.State != state {
			flaws = append(flaws, Flaw{jsonx.Pointer(append(at, "state")...), s.claim(v.Name, v.State, state)})
		}
		if s.fixed(v.Name) {
			f, err := s.compare(v, e, at)
			if err != nil {
				return nil, err
			}
			flaws = append(flaws, f...)
			continue
		}
		changed, err := e.changed(s.Framework, v.Name)
		if err != nil {
			return nil, err
		}
		if changed {
			s.wrote(v.Name, e.Actor)
		}
	}
	if len(s.Versions) > maxRemembered {
		flaws = append(flaws, Flaw{"/spec/versions", fmt.Sprintf("%d versions are on record of this framework, with those that were removed; at most %d", len(s.Versions), maxRemembered)})
	}
	return append(flaws, s.missing(e.After)...), nil
}

// wrote notes an author of a draft.
func (s *Standing) wrote(version, actor string) {
	v := s.Versions[version]
	v.State = gatehouse.Draft
	if !slices.Contains(v.Authors, actor) {
		v.Authors = append(slices.Clone(v.Authors), actor)
		slices.Sort(v.Authors)
	}
	s.Versions[version] = v
}

// changed reports whether an edit changes what a version says.
func (e *Edit) changed(framework, version string) (bool, error) {
	if e.Before == nil || e.Before.Version(version) == nil {
		return true, nil
	}
	_, was, err := e.Before.TextOf(framework, version, e.BeforeFiles).Encode()
	if err != nil {
		return false, err
	}
	_, is, err := e.After.TextOf(framework, version, e.AfterFiles).Encode()
	return was != is, err
}

// compare finds where a fixed version differs from its text.
func (s *Standing) compare(v *gatehouse.FrameworkVersion, e Edit, at []string) ([]Flaw, error) {
	kept, on := s.Versions[v.Name], e.Texts[s.Versions[v.Name].Hash]
	if on == nil {
		return nil, gatehouse.E(gatehouse.Internal, "the text of framework %q, version %q, is not there any more: %q", s.Framework, v.Name, kept.Hash)
	}
	now := e.After.TextOf(s.Framework, v.Name, e.AfterFiles)
	now.PolicySets = on.PolicySets // as they were: what they became is not asked
	// Files that came since are of other versions: its own rulesets name what they
	// extend, and are as they were.
	maps.DeleteFunc(now.Files, func(name, _ string) bool { _, had := on.Files[name]; return !had })
	text, hash, err := now.Encode()
	if err != nil || hash == kept.Hash {
		return nil, err
	}
	before, _, err := on.Encode()
	if err != nil {
		return nil, err
	}
	where := jsonx.Pointer(at...)
	for _, d := range audit.Diff(before, text) {
		if parts := jsonx.PointerParts(d.Path); len(parts) > 1 && parts[0] == "version" {
			where = jsonx.Pointer(append(at, parts[1:]...)...)
			break
		}
	}
	return []Flaw{{where, fmt.Sprintf("version %q is %s, and its text is fixed since it was submitted: make a new version of another name, and submit that", v.Name, kept.State)}}, nil
}

// claim says what leads to the state that a file claims.
func (s *Standing) claim(version, claimed, state string) string {
	verb := map[string]string{
		gatehouse.Submitted: "submit", gatehouse.Approved: "approve", gatehouse.InForce: "enforce", gatehouse.Superseded: "enforce", gatehouse.Withdrawn: "withdraw",
	}[claimed]
	how := fmt.Sprintf("it is %s; leave state out", state)
	switch claimed {
	case gatehouse.Draft:
		return fmt.Sprintf("%q: %s, or make a new version", claimed, how)
	case gatehouse.Superseded:
		return fmt.Sprintf("%q: %s, and put its successor in force with \"gatehouse framework enforce %s@VERSION\"", claimed, how, s.Framework)
	}
	return fmt.Sprintf("%q: %s, and use \"gatehouse framework %s %s@%s\": no file leads there", claimed, how, verb, s.Framework, version)
}

// standing says that a version waits or holds, so that it cannot just go.
func standing(state string) bool {
	return state == gatehouse.Submitted || state == gatehouse.Approved || state == gatehouse.InForce
}

// missing reports versions that wait or hold and are gone from the document.
func (s *Standing) missing(after *gatehouse.Framework) (flaws []Flaw) {
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		if state := s.Versions[name].State; standing(state) && after.Version(name) == nil {
			flaws = append(flaws, Flaw{"/spec/versions", fmt.Sprintf("version %q is %s and cannot be taken out: withdraw it first, with \"gatehouse framework withdraw %s@%s\"", name, state, s.Framework, name)})
		}
	}
	return flaws
}

// claims reports whether a document that is stored says that a version of it is
// more than a draft, as those of earlier programs do.
func claims(f *gatehouse.Framework) bool {
	return f != nil && slices.ContainsFunc(f.Versions, func(v gatehouse.FrameworkVersion) bool { return v.State != "" && v.State != gatehouse.Draft })
}
