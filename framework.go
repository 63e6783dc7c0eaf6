package gatehouse

import "encoding/json"

// A Framework is the rules by which APIs may be exposed: controls and
// mandatory policies, versioned and approved.
type Framework struct {
	Title    string             `json:"title,omitempty"`   // for people, a few words
	Summary  string             `json:"summary,omitempty"` // for people, a sentence or two
	Versions []FrameworkVersion `json:"versions"`
}

// A FrameworkVersion is one version of a framework.
type FrameworkVersion struct {
	Name string `json:"name"` // "2026.1"
	// State: draft (the default), submitted, approved, in-force, superseded, withdrawn.
	State      string    `json:"state,omitempty"`
	ValidFrom  string    `json:"validFrom,omitempty"`  // first day, 2027-01-31
	ValidUntil string    `json:"validUntil,omitempty"` // last day, 2027-12-31
	Controls   []Control `json:"controls,omitempty"`   // rules, each with an id
	// Policies are mandatory: they run first and cannot be removed further in.
	Policies []MandatoryPolicies `json:"policies,omitempty"`
	// Service describes the service to consumer teams, in structured fields.
	Service json.RawMessage `json:"service,omitempty"`
}

// MandatoryPolicies are policies for some stages and audiences; none named
// means all.
type MandatoryPolicies struct {
	Stages    []string    `json:"stages,omitempty"`    // dev, qa, prod; none: all
	Audiences []string    `json:"audiences,omitempty"` // internal, partner, public; none: all
	Policies  []PolicyUse `json:"policies"`            // steps, in order
}

// A Control is one rule of a framework.
type Control struct {
	ID       string              `json:"id"`
	Title    string              `json:"title,omitempty"`    // for people, a few words
	Text     string              `json:"text,omitempty"`     // what it demands, and why
	Severity string              `json:"severity,omitempty"` // low, medium, high, critical
	Level    string              `json:"level,omitempty"`    // required (the default) or advisory
	Mappings map[string][]string `json:"mappings,omitempty"` // standard to references
	// Check is a one-key map: lint, policy, cel, placement, change or question.
	Check map[string]json.RawMessage `json:"check"`
}

// Check reports what is wrong with the framework alone.
func (s *Framework) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	if len(s.Versions) == 0 {
		c.At("versions").Errorf("is empty: a framework has at least one version")
	}
	unique(c.At("versions"), s.Versions, "name", func(v FrameworkVersion) string { return v.Name })
	inForce := ""
	for i := range s.Versions {
		v := &s.Versions[i]
		v.check(c.At("versions").At(i))
		if v.State != "in-force" {
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
	c.At("state").OneOf(v.State, true, "draft", "submitted", "approved", "in-force", "superseded", "withdrawn")
	if v.ValidFrom != "" {
		c.At("validFrom").Date(v.ValidFrom)
	}
	if v.ValidUntil != "" {
		c.At("validUntil").Date(v.ValidUntil)
	}
	if v.ValidFrom != "" && v.ValidUntil != "" && v.ValidUntil < v.ValidFrom {
		c.At("validUntil").Errorf("%q is before validFrom %q", v.ValidUntil, v.ValidFrom)
	}
	unique(c.At("controls"), v.Controls, "id", func(k Control) string { return k.ID })
	for i := range v.Controls {
		v.Controls[i].check(c.At("controls").At(i))
	}
	for i, m := range v.Policies {
		at := c.At("policies").At(i)
		for j, s := range m.Stages {
			at.At("stages").At(j).OneOf(s, false, "dev", "qa", "prod")
		}
		for j, a := range m.Audiences {
			at.At("audiences").At(j).audience(a)
		}
		if len(m.Policies) == 0 {
			at.At("policies").Errorf("is empty: name the policies that are mandatory")
		}
		at.At("policies").policies(m.Policies)
	}
	if len(v.Service) > 0 && v.Service[0] != '{' {
		c.At("service").Errorf("is not a map of what the service offers")
	}
}

func (k *Control) check(c *Checker) {
	if k.ID == "" {
		c.Errorf("id is missing: what waivers and results refer to")
	} else if !labelForm(k.ID) {
		c.At("id").Errorf("%q is not an id: letters, digits, \"-\", \".\", \"_\" and \"/\", at most 100", k.ID)
	}
	c.text("title", k.Title, 200)
	c.text("text", k.Text, 20000)
	c.At("severity").OneOf(k.Severity, true, "low", "medium", "high", "critical")
	c.At("level").OneOf(k.Level, true, "required", "advisory")
	if len(k.Check) != 1 {
		c.At("check").Errorf("has %d keys; a control has one check: lint, policy, cel, placement, change or question", len(k.Check))
	}
	for kind, what := range k.Check {
		c.At("check").At(kind).OneOf(kind, false, "lint", "policy", "cel", "placement", "change", "question")
		if len(what) == 0 || string(what) == "null" {
			c.At("check").At(kind).Errorf("is empty: say what to check")
		}
	}
}
