package compile

import (
	"encoding/json"
	"fmt"
	"slices"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/policy"
)

// maxSteps bounds a list of policies once its sets are expanded, and maxNest
// how deep sets may include sets.
const (
	maxSteps = 200
	maxNest  = 5
)

// policySet is how a list includes a set.
const policySet = "policy-set"

// A chain expands lists of policies. set finds a policy set by "team/name".
type chain struct {
	set       func(ref string) ([]gatehouse.PolicyUse, bool)
	variables map[string]string // of the environment
}

// expand turns a list into steps, sets replaced by what they hold. A bare set
// name belongs to team; from says whose list it is.
func (c chain) expand(uses []gatehouse.PolicyUse, team, from string) ([]policy.Use, error) {
	return c.add(nil, uses, team, from, 0)
}

func (c chain) add(out []policy.Use, uses []gatehouse.PolicyUse, team, from string, depth int) ([]policy.Use, error) {
	for _, u := range uses {
		if u.Name != policySet {
			if len(out) == maxSteps {
				return nil, fmt.Errorf("%s: more than %d policies", from, maxSteps)
			}
			config, unset := u.Resolve(c.variables)
			if len(unset) > 0 {
				return nil, fmt.Errorf("%s: policy %s: variables %q are not set in the environment", from, u.Name, unset)
			}
			out = append(out, policy.Use{Name: u.Name, Config: config, From: from})
			continue
		}
		var name string
		if err := json.Unmarshal(u.Config, &name); err != nil {
			return nil, fmt.Errorf("%s: a policy-set is included by its name, not by %s", from, u.Config)
		}
		ref := qualify(name, team)
		uses, ok := c.set(ref)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: policy set %q does not exist", from, ref)
		case depth == maxNest:
			return nil, fmt.Errorf("%s: policy set %q is nested deeper than %d sets", from, ref, maxNest)
		}
		setTeam, _ := gatehouse.ParseRef(ref, team)
		var err error
		if out, err = c.add(out, uses, setTeam, from+", policy set "+ref, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mandatory are the steps that run first for every API: those of the framework
// version in force that hold for the stage and audience, then the environment's.
func (c chain) mandatory(in *Inputs) ([]policy.Use, error) {
	var steps []policy.Use
	if name := in.Revision.Form.Framework; name != "" {
		if in.Framework == nil {
			return nil, fmt.Errorf("framework %q does not exist", name)
		}
		audience := in.Revision.Form.Audience
		if audience == "" {
			audience = "internal"
		}
		v, sets := inForce(in.Framework, in.Standing), c
		if in.Text != nil { // what was approved is what holds, with the sets as they were
			v = &in.Text.Version
			sets.set = func(ref string) ([]gatehouse.PolicyUse, bool) {
				uses, ok := in.Text.PolicySets[ref]
				return uses, ok
			}
		}
		if v != nil {
			for _, m := range v.Policies {
				if !holds(m.Stages, in.Environment.Stage) || !holds(m.Audiences, audience) {
					continue
				}
				more, err := sets.expand(m.Policies, "", "framework "+name+" "+v.Name)
				if err != nil {
					return nil, err
				}
				steps = append(steps, more...)
			}
		}
	}
	more, err := c.expand(in.Environment.Policies, "", "environment "+in.EnvironmentName)
	return append(steps, more...), err
}

// inForce is the framework's version that the record says is in force. One
// that nothing is on record of, because an earlier program stored it and this
// one has not adopted it yet, is taken at its file's word.
func inForce(f *gatehouse.Framework, on *gatehouse.FrameworkState) *gatehouse.FrameworkVersion {
	if on != nil {
		return f.Version(on.InForce)
	}
	for i := range slices.Backward(f.Versions) {
		if f.Versions[i].State == gatehouse.InForce {
			return &f.Versions[i]
		}
	}
	return nil
}

func holds(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// plan writes what a plan says as rateLimit and quota in the form every policy
// has.
func (c chain) plan(p *gatehouse.Plan, team, product string) ([]policy.Use, error) {
	from := "plan " + product + "/" + p.Name
	var steps []policy.Use
	if l := p.RateLimit; l != nil {
		config, err := jsonx.Marshal(struct {
			Requests int64          `json:"requests"`
			Per      jsonx.Duration `json:"per"`
			By       string         `json:"by"`
			Burst    int64          `json:"burst,omitempty"`
			Scope    string         `json:"scope,omitempty"`
		}{l.Requests, l.Per, "subscription", l.Burst, l.Scope})
		if err != nil {
			return nil, err
		}
		steps = append(steps, policy.Use{Name: "rate-limit", Config: config, From: from})
	}
	if q := p.Quota; q != nil {
		config, err := jsonx.Marshal(struct {
			Requests int64  `json:"requests"`
			Per      string `json:"per"`
			By       string `json:"by"`
			Scope    string `json:"scope,omitempty"`
		}{q.Requests, q.Per, "subscription", q.Scope})
		if err != nil {
			return nil, err
		}
		steps = append(steps, policy.Use{Name: "quota", Config: config, From: from})
	}
	more, err := c.expand(p.Policies, team, from)
	return append(steps, more...), err
}
