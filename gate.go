package gatehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"time"

	"gatehouse/attest"
	"gatehouse/jsonx"
)

// Modes of an environment's gate.
const (
	GateEnforce = "enforce" // gateways refuse what has no attestation
	GateReport  = "report"  // evaluated and shown, never refused
	GateOff     = "off"     // not evaluated
)

// A GateRule says whether an environment demands the compliance gate.
type GateRule struct {
	// Mode: enforce (the default for stage prod, from the moment a framework is
	// in force in the installation), report (the default otherwise) or off.
	Mode string `json:"mode,omitempty"`
	// Framework that judges APIs which name none themselves.
	Framework string `json:"framework,omitempty"`
	// Accepts are the frameworks that count here: an API that is judged by any
	// other does not pass. None: every framework counts, and each API chooses.
	Accepts []string `json:"accepts,omitempty"`
}

func (g *GateRule) check(c *Checker) {
	c.At("mode").OneOf(g.Mode, true, GateEnforce, GateReport, GateOff)
	if g.Framework != "" {
		c.At("framework").Name(g.Framework)
	}
	unique(c.At("accepts"), g.Accepts, "", same)
	for i, name := range g.Accepts {
		c.At("accepts").At(i).Name(name)
	}
	if g.Framework != "" && !g.Counts(g.Framework) {
		c.At("framework").Errorf("%q is not among accepts: APIs that name no framework could not pass", g.Framework)
	}
}

// Counts tells whether a framework may let APIs into the environment.
func (g *GateRule) Counts(framework string) bool {
	return g == nil || len(g.Accepts) == 0 || slices.Contains(g.Accepts, framework)
}

// GateMode is the mode of the environment's gate; governed tells whether any
// framework is, or ever was, in force in the installation.
func (s *Environment) GateMode(governed bool) string {
	switch {
	case s.Gate != nil && s.Gate.Mode != "":
		return s.Gate.Mode
	case s.Stage == "prod" && governed:
		return GateEnforce
	}
	return GateReport
}

// KindAttestation is the kind of the records of attestations.
const KindAttestation Kind = "Attestation"

// An Attested is an attestation as the control plane keeps it, under
// [AttestationKey]. One that is renewed replaces the one before; history keeps it.
type Attested struct {
	attest.Attestation
	By string `json:"by"` // who ran the gate, or "system"
	// Revoked is when it was taken back; gateways then refuse the revision.
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revokedBy,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	// Notices are when each period of notice ends that the revision was given, by
	// framework text and control: "<hash>/<control>". Each is given once.
	Notices map[string]time.Time `json:"notices,omitempty"`
}

// AttestationKey is where the attestation of a revision in an environment lies.
func AttestationKey(environment, team, name, version, revision string) string {
	return string(KindAttestation) + "/" + environment + "/" + team + "/" + name + "/" + version + "/" + revision
}

// KindFrameworkState is the kind of the records of what became of a framework's
// versions.
const KindFrameworkState Kind = "FrameworkState"

// States of a framework version.
const (
	Draft      = "draft"
	Submitted  = "submitted"
	InForce    = "in-force"
	Superseded = "superseded"
	Withdrawn  = "withdrawn"
)

// A FrameworkState is what became of the versions of a framework, kept under
// "FrameworkState/<name>". Files say what a version demands; actions alone say
// where it stands, so that no file walks around an approval.
type FrameworkState struct {
	Framework string `json:"framework"`
	InForce   string `json:"inForce,omitempty"` // the version; "" when none is
	// Governed is when a version was first in force; it never goes back.
	Governed time.Time                        `json:"governed,omitzero"`
	Versions map[string]FrameworkVersionState `json:"versions"`
}

// FrameworkStateKey is where the record of a framework's versions lies.
func FrameworkStateKey(framework string) string {
	return string(KindFrameworkState) + "/" + framework
}

// A FrameworkVersionState is where one version stands, and how it came there.
type FrameworkVersionState struct {
	State string `json:"state"` // Draft, Submitted, Approved, InForce, Superseded or Withdrawn
	// Hash is the SHA-256 of the version's [FrameworkText] as it was submitted,
	// kept under "FrameworkText/<hash>"; from then on it cannot be edited.
	Hash string `json:"hash,omitempty"`
	// Approvals is how many persons had to approve it, Stated what its framework
	// said then.
	Approvals int `json:"approvals,omitempty"`
	Stated    int `json:"stated,omitempty"`
	// Authors wrote it and do not approve it: everybody who changed its text, and
	// from its submission on the persons behind a service account that did.
	Authors     []string  `json:"authors,omitempty"`
	Submitted   time.Time `json:"submitted,omitzero"`
	SubmittedBy string    `json:"submittedBy,omitempty"`
	ApprovedAt  time.Time `json:"approvedAt,omitzero"`
	Since       time.Time `json:"since,omitzero"` // in the state it is in
	By          string    `json:"by,omitempty"`   // who brought it there
	Reason      string    `json:"reason,omitempty"`
	// Document is the SHA-256 of the service description as it was approved,
	// word for word, in Markdown, kept under "Blob/<hash>".
	Document string `json:"document,omitempty"`
	// DocumentHTML is that document as HTML.
	DocumentHTML string `json:"documentHtml,omitempty"`
	// Warned is the last time the end of its validity was announced, Ended when
	// it came: no attestation lasts longer.
	Warned time.Time `json:"warned,omitzero"`
	Ended  time.Time `json:"ended,omitzero"`
}

// KindFrameworkText is the kind of the records of texts of framework versions.
const KindFrameworkText Kind = "FrameworkText"

// A FrameworkText is all that a framework version says, word for word. Its
// canonical JSON is kept under "FrameworkText/<SHA-256>".
type FrameworkText struct {
	Framework string           `json:"framework"`
	Version   FrameworkVersion `json:"version"` // without its state
	// Files are the rulesets it names, and those they extend: path as written to the SHA-256 of the
	// content, kept under "Blob/<hash>".
	Files map[string]string `json:"files,omitempty"`
	// PolicySets are the sets that its mandatory policies include, "team/name",
	// as they were when it was submitted.
	PolicySets map[string][]PolicyUse `json:"policySets,omitempty"`
}

// TextOf is the text of a version of a framework that is stored with files,
// without its policy sets. It is nil if there is no such version.
func (s *Framework) TextOf(framework, version string, files map[string]string) *FrameworkText {
	v := s.Version(version)
	if v == nil {
		return nil
	}
	t := &FrameworkText{Framework: framework, Version: *v}
	t.Version.State = ""
	named, all := v.RulesetFiles(), []string{}
	for i := range s.Versions {
		all = append(all, s.Versions[i].RulesetFiles()...)
	}
	for p, hash := range files {
		// What no version names is extended by what some name.
		if slices.Contains(named, path.Clean(p)) || len(named) > 0 && !slices.Contains(all, path.Clean(p)) {
			if t.Files == nil {
				t.Files = map[string]string{}
			}
			t.Files[path.Clean(p)] = hash
		}
	}
	return t
}

// RulesetFiles are the files beside the document that the version's controls
// name, clean, each once.
func (v *FrameworkVersion) RulesetFiles() (files []string) {
	for i := range v.Controls {
		lint := v.Controls[i].Check.Lint
		if lint == nil {
			continue
		}
		if name, ok := lint.File(); ok && !slices.Contains(files, path.Clean(name)) {
			files = append(files, path.Clean(name))
		}
	}
	return files
}

// PolicySetRefs are the policy sets, "team/name", that the version's mandatory
// policies include, each once.
func (v *FrameworkVersion) PolicySetRefs() (refs []string) {
	for _, m := range v.Policies {
		for _, u := range m.Policies {
			if ref, ok := u.Set(); ok && !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// Encode is the text's canonical JSON and its SHA-256, in hexadecimal.
func (t *FrameworkText) Encode() (text []byte, hash string, err error) {
	text, err = jsonx.Canonical(t)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	return text, hex.EncodeToString(sum[:]), nil
}

// KindWaiver is the kind of the records of waivers.
const KindWaiver Kind = "Waiver"

// States of a waiver besides Requested, Approved, Rejected and Expired.
const Revoked = "revoked"

// A Waiver excepts one object from one control until a date, kept under
// "Waiver/<id>".
type Waiver struct {
	ID        string `json:"id"`
	Framework string `json:"framework"`
	Control   string `json:"control"`
	// API "payments/orders" or one version of it, "payments/orders@v1".
	API string `json:"api"`
	// Environment it holds in; "" for all.
	Environment string    `json:"environment,omitempty"`
	Reason      string    `json:"reason"`
	State       string    `json:"state"` // Requested, Approved, Rejected, Revoked or Expired
	AskedBy     string    `json:"askedBy"`
	Asked       time.Time `json:"asked"`
	DecidedBy   string    `json:"decidedBy,omitempty"`
	Decided     time.Time `json:"decided,omitzero"`
	Comment     string    `json:"comment,omitempty"`
	Expires     time.Time `json:"expires"`
	// Warned is the last time its end was announced.
	Warned time.Time `json:"warned,omitzero"`
}

// KindEvidence is the kind of the records of evidence.
const KindEvidence Kind = "Evidence"

// Evidence is a file that proves something, kept by its hash under
// "Evidence/<sha256>"; its bytes lie under "Blob/<sha256>".
type Evidence struct {
	Hash      string    `json:"hash"` // SHA-256, hexadecimal
	Name      string    `json:"name"` // of the file, as attached
	MediaType string    `json:"mediaType,omitempty"`
	Team      string    `json:"team,omitempty"` // whose it is; "" is the organization's
	Size      int64     `json:"size"`           // bytes
	By        string    `json:"by"`
	Time      time.Time `json:"time"`
}
