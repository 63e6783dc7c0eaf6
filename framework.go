package gatehouse

import (
	"gatehouse/jsonx"
)

// A Framework is the rules by which APIs may be exposed: controls and
// mandatory policies, versioned and approved.
type Framework struct {
	Title   string `json:"title,omitempty"`   // for people, a few words
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Approvals is how many persons must approve a version before it can be put
	// in force; default 2, at least 1. A lower number holds for versions submitted
	// once one that states it is in force.
	Approvals int                `json:"approvals,omitempty"`
	Versions  []FrameworkVersion `json:"versions"`
}

// DefaultApprovals is how many persons approve a framework version unless the
// framework says otherwise: four eyes, none of them the author's.
const DefaultApprovals = 2

// Bounds of a framework.
const (
	maxFrameworkVersions = 200
	maxControls          = 500
)

// A FrameworkVersion is one version of a framework.
type FrameworkVersion struct {
	Name string `json:"name"` // "2026.1"
	// State where it stands: draft, submitted, approved, in-force, superseded or
	// withdrawn. Actions lead from one to the next, files do not: leave it out, or
	// say what the server has.
	State      string `json:"state,omitempty"`
	ValidFrom  string `json:"validFrom,omitempty"`  // first day, 2027-01-31
	ValidUntil string `json:"validUntil,omitempty"` // last day, 2027-12-31
	// AttestationsLast is for how long a pass of the gate holds before it is
	// evaluated again; default 365d.
	AttestationsLast jsonx.Duration `json:"attestationsLast,omitempty"`
	Controls         []Control      `json:"controls,omitempty"` // rules, each with an id
	// Policies are mandatory: they run first and cannot be removed further in.
	Policies []MandatoryPolicies `json:"policies,omitempty"`
	// Service describes the service to consumer teams, in structured fields.
	Service *Service `json:"service,omitempty"`
	// Onboarding says how teams come onto it.
	Onboarding *OnboardingRules `json:"onboarding,omitempty"`
}

// MandatoryPolicies are policies for some stages and audiences; none named
// means all.
type MandatoryPolicies struct {
	Stages    []string    `json:"stages,omitempty"`    // dev, qa, prod; none: all
	Audiences []string    `json:"audiences,omitempty"` // internal, partner, public; none: all
	Policies  []PolicyUse `json:"policies"`            // steps, in order
}

// Needed is how many persons must approve a version of the framework.
func (s *Framework) Needed() int {
	if s.Approvals == 0 {
		return DefaultApprovals
	}
	return s.Approvals
}

// Version is the framework's version of that name, nil if there is none.
func (s *Framework) Version(name string) *FrameworkVersion {
	for i := range s.Versions {
		if s.Versions[i].Name == name {
			return &s.Versions[i]
		}
	}
	return nil
}

// Control is the version's control with that id, nil if there is none.
func (v *FrameworkVersion) Control(id string) *Control {
	for i := range v.Controls {
		if v.Controls[i].ID == id {
			return &v.Controls[i]
		}
	}
	return nil
}

// Check reports what is wrong with the framework alone.
func (s *Framework) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	if s.Approvals < 0 || s.Approvals > 20 || s.Approvals == 0 && c.Written("approvals") {
		c.At("approvals").Errorf("%d persons cannot approve: at least 1, at most 20", s.Approvals)
	}
	switch n := len(s.Versions); {
	case n == 0:
		c.At("versions").Errorf("is empty: a framework has at least one version")
	case n > maxFrameworkVersions:
		c.At("versions").Errorf("are %d; at most %d", n, maxFrameworkVersions)
		return
	}
	unique(c.At("versions"), s.Versions, "name", func(v FrameworkVersion) string { return v.Name })
	inForce := ""
	for i := range s.Versions {
		v := &s.Versions[i]
		v.check(c.At("versions").At(i))
		if v.State != InForce {
			continue
		}
		if inForce != "" {
			c.At("versions").At(i).At("state").Errorf("%q is in force already; one version is at a time", inForce)
		}
		inForce = v.Name
	}
}

func (v *FrameworkVersion) check(c *Checker) {
	c.At("name").versionName(v.Name)
	c.At("state").OneOf(v.State, true, Draft, Submitted, Approved, InForce, Superseded, Withdrawn)
	if v.ValidFrom != "" {
		c.At("validFrom").Date(v.ValidFrom)
	}
	if v.ValidUntil != "" {
		c.At("validUntil").Date(v.ValidUntil)
	}
	if v.ValidFrom != "" && v.ValidUntil != "" && v.ValidUntil < v.ValidFrom {
		c.At("validUntil").Errorf("%q is before validFrom %q", v.ValidUntil, v.ValidFrom)
	}
	c.At("attestationsLast").days(v.AttestationsLast, c.Written("attestationsLast"))
	if len(v.Controls) > maxControls {
		c.At("controls").Errorf("are %d; at most %d", len(v.Controls), maxControls)
		return
	}
	unique(c.At("controls"), v.Controls, "id", func(k Control) string { return k.ID })
	for i := range v.Controls {
		v.Controls[i].check(c.At("controls").At(i))
	}
	for i := range v.Policies {
		v.Policies[i].check(c.At("policies").At(i))
	}
	if v.Service != nil {
		v.Service.check(c.At("service"))
	}
	if v.Onboarding != nil {
		v.Onboarding.check(c.At("onboarding"))
	}
}

func (m *MandatoryPolicies) check(c *Checker) {
	c.At("stages").eachOf(m.Stages, stages)
	c.At("audiences").eachOf(m.Audiences, audiences)
	if len(m.Policies) == 0 {
		c.At("policies").Errorf("is empty: name the policies that are mandatory")
	}
	c.At("policies").policies(m.Policies)
}

// What many documents choose from.
var (
	stages          = []string{"dev", "qa", "prod"}
	audiences       = []string{"internal", "partner", "public"}
	classifications = []string{"public", "internal", "confidential", "restricted"}
	networks        = []string{"private", "public"}
)

// eachOf reports what is not one of the allowed, or stands twice.
func (c *Checker) eachOf(list, allowed []string) {
	unique(c, list, "", same)
	for i, v := range list {
		c.At(i).OneOf(v, false, allowed...)
	}
}

// days reports a length of time that is no period for people: shorter than a
// minute, or longer than ten years.
func (c *Checker) days(d jsonx.Duration, written bool) {
	const least, most = jsonx.Duration(60e9), jsonx.Duration(3653 * 24 * 3600e9)
	if written && (d < least || d > most) || d > most {
		c.Errorf("%q is not a period such as \"30d\": at least 1m, at most 3653d", d.String())
	}
}
