package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/attest"
)

// framework verifies the texts, and who approved them.
func (v *verifier) framework() {
	v.texts, v.named = map[string]string{}, map[string]string{}
	data, err := v.read(StateFile, 64<<20)
	if err == nil {
		err = json.Unmarshal(data, &v.state)
	}
	if err != nil {
		v.fault("where the framework's versions stand cannot be read: %v", err)
		return
	}
	if v.state.Framework != v.Manifest.Framework {
		v.fault("%s is of framework %q", StateFile, v.state.Framework)
	}
	decisions := map[string][]gatehouse.Decision{}
	lines(v, DecisionsFile, func(d *gatehouse.Decision) {
		v.Counts.Decisions++
		v.names(d.Evidence, "a decision of "+d.By)
		for _, other := range decisions[d.Subject] {
			if other.Digest == d.Digest && other.By == d.By {
				v.fault("%s decided twice on %s", d.By, d.Subject)
			}
		}
		decisions[d.Subject] = append(decisions[d.Subject], *d)
	})
	for _, version := range sorted(v.state.Versions) {
		on := v.state.Versions[version]
		if on.Hash == "" {
			continue
		}
		v.text(version, on)
		v.approvals(version, on, decisions["Framework "+v.state.Framework+"@"+version])
		v.document(version, ".md", on.Document)
		v.document(version, ".html", on.DocumentHTML)
	}
	if at := v.state.InForce; at != "" && v.state.Versions[at].State != gatehouse.InForce {
		v.fault("version %q is said to be in force, and is %q", at, v.state.Versions[at].State)
	}
}

func (v *verifier) names(hashes []string, by string) {
	for _, h := range hashes {
		v.named[h] = by
	}
}

// text verifies that a version's text is the one that was submitted, with the
// rulesets it names.
func (v *verifier) text(version string, on gatehouse.FrameworkVersionState) {
	name := TextDir + version + ".json"
	data, err := v.read(name, 64<<20)
	if err != nil {
		v.fault("the text of version %q: %v", version, err)
		return
	}
	if is := sum(data); is != on.Hash {
		v.fault("%s is not the text that was submitted: its hash is %.12s, not %.12s", name, is, on.Hash)
		return
	}
	var t gatehouse.FrameworkText
	if err := json.Unmarshal(data, &t); err != nil {
		v.fault("%s cannot be read: %v", name, err)
		return
	}
	if t.Framework != v.state.Framework || t.Version.Name != version {
		v.fault("%s is the text of %s@%s", name, t.Framework, t.Version.Name)
	}
	v.texts[on.Hash] = version
	for _, path := range sorted(t.Files) {
		data, err := v.read(RulesetDir+t.Files[path], MaxFile)
		if err != nil {
			v.fault("ruleset %q of version %q: %v", path, version, err)
		} else if sum(data) != t.Files[path] {
			v.fault("ruleset %q of version %q was changed", path, version)
		}
	}
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// approvals counts persons who approved the text and neither wrote nor
// submitted it.
func (v *verifier) approvals(version string, on gatehouse.FrameworkVersionState, all []gatehouse.Decision) {
	var counted []string
	for _, d := range all {
		if d.Digest != on.Hash || d.Decision != gatehouse.Approved || slices.Contains(counted, d.By) {
			continue
		}
		switch {
		case slices.Contains(on.Authors, d.By) || d.By == on.SubmittedBy:
			v.fault("%s approved version %q and wrote or submitted it", d.By, version)
		case !strings.HasPrefix(d.By, "user:"):
			v.fault("%s approved version %q and is no person", d.By, version)
		default:
			counted = append(counted, d.By)
		}
	}
	line := fmt.Sprintf("%s %s, approved by %d of %d needed", version, on.State, min(len(counted), on.Approvals), on.Approvals)
	if len(counted) > on.Approvals {
		v.note("%d persons approved version %q and %d were needed; whose role had ended does not count, and only the server knows", len(counted), version, on.Approvals)
	}
	switch {
	case on.Submitted.IsZero() && on.State != gatehouse.Draft:
		line = version + " " + on.State + ", from before approvals were on record"
		v.note("version %q was taken over from before approvals were on record", version)
	case !on.ApprovedAt.IsZero() && len(counted) < max(on.Approvals, 1):
		v.fault("version %q was approved by %d persons who did not write it; %d are needed", version, len(counted), max(on.Approvals, 1))
	case on.State == gatehouse.InForce && on.ApprovedAt.IsZero():
		v.fault("version %q is in force and was never approved", version)
	}
	v.Versions = append(v.Versions, line)
}

func (v *verifier) document(version, ending, hash string) {
	if hash == "" {
		return
	}
	data, err := v.read(DocumentDir+version+ending, MaxFile)
	if err != nil {
		v.fault("the approved document of version %q: %v", version, err)
	} else if sum(data) != hash {
		v.fault("the document of version %q is not the one that was approved", version)
	}
}

// gate verifies attestations, and the waivers they lean on.
func (v *verifier) gate() {
	v.excepted = map[string]gatehouse.Waiver{}
	lines(v, WaiversFile, func(w *gatehouse.Waiver) {
		v.Counts.Waivers++
		v.excepted[w.ID] = *w
		if w.State == gatehouse.Approved && (w.DecidedBy == "" || w.DecidedBy == w.AskedBy) {
			v.fault("waiver %s was approved by who asked for it, %q", w.ID, w.AskedBy)
		}
		if w.Expires.IsZero() {
			v.fault("waiver %s has no end", w.ID)
		}
	})
	lines(v, AnswersFile, func(a *gatehouse.Answer) {
		v.names(a.Evidence, "an answer of "+a.By)
		if a.State == gatehouse.Approved && a.DecidedBy == a.By {
			v.fault("%s confirmed their own answer to %q for %s@%s", a.By, a.Control, a.API, a.Version)
		}
	})
	lines(v, AttestationsFile, v.attestation)
}

func (v *verifier) attestation(a *gatehouse.Attested) {
	v.Counts.Attestations++
	s := &a.Statement
	what := fmt.Sprintf("the attestation of %s@%s in %s", s.API, s.Version, s.Environment)
	key := v.keys.find(a.KeyID)
	if key == nil {
		v.fault("%s is signed with key %q, which is not among the keys", what, a.KeyID)
		return
	}
	if err := a.Verify(key); err != nil {
		v.fault("%s: %v", what, err)
		return
	}
	if s.Installation != v.Manifest.Installation {
		v.fault("%s is of installation %q", what, s.Installation)
	}
	if version, ok := v.texts[s.FrameworkHash]; s.FrameworkHash != "" && (!ok || version != s.FrameworkVersion) {
		v.fault("%s is by framework text %.12s, which is not in the pack as version %q", what, s.FrameworkHash, s.FrameworkVersion)
	}
	for _, c := range s.Controls {
		v.names(c.Evidence, what)
		if c.Outcome != attest.Waived {
			continue
		}
		if w, ok := v.excepted[c.Waiver]; !ok {
			v.fault("%s leans on waiver %q, which is not in the pack", what, c.Waiver)
		} else if w.Control != c.ID {
			v.fault("%s leans on waiver %q, which is for control %q, not %q", what, c.Waiver, w.Control, c.ID)
		}
	}
	if a.Revoked.IsZero() && v.now.Before(s.Expires) && v.state.Versions[s.FrameworkVersion].State != gatehouse.Withdrawn {
		v.Counts.Valid++
	}
}

// trail verifies each event by itself, and those that are neighbours against
// each other.
func (v *verifier) trail() {
	type link struct{ hash, previous string }
	chain := map[int64]link{}
	for _, name := range sorted(v.files) {
		if !strings.HasPrefix(name, EventsDir) {
			continue
		}
		last := int64(0)
		lines(v, name, func(e *gatehouse.Event) {
			v.Counts.Events++
			is, err := e.Sum()
			switch before, twice := chain[e.Number]; {
			case err != nil || is != e.Hash:
				v.fault("event %d was changed: its content does not have its hash", e.Number)
			case e.Number <= last:
				v.fault("%s is out of order at event %d", name, e.Number)
			case twice && before.hash != e.Hash:
				v.fault("event %d is in the pack in two forms", e.Number)
			case e.Number > v.Manifest.Trail.Number:
				v.fault("event %d is later than the pack says that it reaches", e.Number)
			}
			last = e.Number
			chain[e.Number] = link{e.Hash, e.Previous}
		})
	}
	for number, l := range chain {
		if before, ok := chain[number-1]; ok {
			v.Counts.Links++
			if before.hash != l.previous {
				v.fault("event %d does not follow event %d", number, number-1)
			}
		}
		if number == v.Manifest.Trail.Number && l.hash != v.Manifest.Trail.Hash {
			v.fault("event %d is not the one that the manifest names", number)
		}
	}
}

// evidence verifies that what proves something is there, as it was brought.
func (v *verifier) evidence() {
	known := map[string]bool{}
	lines(v, EvidenceFile, func(e *gatehouse.Evidence) { known[e.Hash] = true })
	for _, name := range sorted(v.files) {
		hash, ok := strings.CutPrefix(name, EvidenceDir)
		if !ok {
			continue
		}
		v.Counts.Evidence++
		if data, err := v.read(name, MaxFile); err != nil {
			v.fault("evidence: %v", err)
		} else if sum(data) != hash {
			v.fault("evidence %s was changed", hash)
		}
		if !known[hash] {
			v.fault("evidence %s is not in the index", hash)
		}
	}
	for _, hash := range sorted(v.named) {
		if v.files[EvidenceDir+hash] == nil {
			v.fault("evidence %s, which %s names, is not there", hash, v.named[hash])
		}
	}
}
