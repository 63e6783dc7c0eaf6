package gatehouse

import (
	"bytes"
	"encoding/json"
	"errors"
)

// MarshalJSON writes the one-key map.
func (u PolicyUse) MarshalJSON() ([]byte, error) {
	config := u.Config
	if len(config) == 0 {
		config = json.RawMessage("null")
	}
	return json.Marshal(map[string]json.RawMessage{u.Name: config})
}

// UnmarshalJSON reads a one-key map, or a bare name for a policy that needs no
// configuration.
func (u *PolicyUse) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, &u.Name)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil || len(m) != 1 {
		return errors.New("a policy is a map with one key, its name: {rate-limit: {requests: 60, per: 1m}}")
	}
	for name, config := range m {
		u.Name, u.Config = name, config
	}
	return nil
}

// A PolicySet is a named list of policies that other documents include as
// {policy-set: name}.
type PolicySet struct {
	Version  string      `json:"version,omitempty"` // for people; what counts is the content
	Summary  string      `json:"summary,omitempty"` // for people, a sentence or two
	Policies []PolicyUse `json:"policies"`          // steps, in order
}

// PolicySetUse is the name in a list of policies that stands for the steps of a
// policy set.
const PolicySetUse = "policy-set"

// Set is the policy set that the use stands for, "name" or "team/name", if any.
func (u PolicyUse) Set() (string, bool) {
	var ref string
	if u.Name != PolicySetUse || json.Unmarshal(u.Config, &ref) != nil {
		return "", false
	}
	return ref, true
}

// Check reports what is wrong with the set alone.
func (s *PolicySet) Check(c *Checker) {
	if s.Version != "" {
		c.At("version").versionName(s.Version)
	}
	c.text("summary", s.Summary, 5000)
	if len(s.Policies) == 0 {
		c.At("policies").Errorf("is empty: a set holds at least one policy")
	}
	c.At("policies").policies(s.Policies)
	for i, u := range s.Policies {
		if u.Name == PolicySetUse {
			c.At("policies").At(i).Errorf("a policy set cannot include another one: list its policies here")
		}
	}
}

// policies reports uses that are not shaped as uses. Whether a policy of the
// name exists and takes the configuration is for package bundle.
func (c *Checker) policies(uses []PolicyUse) {
	if len(uses) > 50 {
		c.Errorf("%d policies in one list; at most 50", len(uses))
	}
	for i, u := range uses {
		at := c.At(i)
		config := bytes.TrimSpace(u.Config)
		switch {
		case u.Name == PolicySetUse:
			if ref, ok := u.Set(); ok {
				at.At(u.Name).Reference(ref)
			} else {
				at.At(u.Name).Errorf("is not the name of a policy set: {policy-set: name}")
			}
		case !nameForm.MatchString(u.Name):
			at.Errorf("%q is not the name of a policy", u.Name)
		case len(config) > 0 && config[0] != '{' && string(config) != "null":
			at.At(u.Name).Errorf("the configuration of %s is a map, not %s", u.Name, clip(string(config)))
		}
	}
}

// audience reports what is no audience.
func (c *Checker) audience(value string) { c.OneOf(value, true, "internal", "partner", "public") }
