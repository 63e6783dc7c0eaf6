package compile

import (
	"encoding/json"

	"gatehouse/policy"
	"gatehouse/policy/all"
)

// AccessStep names the step that finds out who calls, which no list of policies
// holds: every API has it.
const AccessStep = "access"

// An order puts steps as gateways run them: what must hold for strangers, then
// who calls, then the rest in the order of its levels.
type order struct {
	access             string // subscription, token or open
	early, token, rest []policy.Use
}

// add takes the steps of a level.
func (o *order) add(uses []policy.Use) {
	for _, u := range uses {
		kind, _ := all.Find(u.Name)
		switch {
		case kind.Early:
			o.early = append(o.early, u)
		case kind.Identifies && o.access == "token":
			o.token = append(o.token, u)
		default:
			o.rest = append(o.rest, u)
		}
	}
}

// plan takes the steps of a plan: which plan it is shows when the caller is
// known, so that its early steps come first of its own only.
func (o *order) plan(uses []policy.Use) {
	var late []policy.Use
	for _, u := range uses {
		if kind, _ := all.Find(u.Name); kind.Early {
			o.rest = append(o.rest, u)
		} else {
			late = append(late, u)
		}
	}
	o.rest = append(o.rest, late...)
}

// steps are all of them; keys come in the header.
func (o *order) steps(header string) []policy.Use {
	config := map[string]string{"by": o.access}
	if o.access == "subscription" {
		config["header"] = header
	}
	text, err := json.Marshal(config)
	if err != nil {
		panic(err) // a map of texts
	}
	out := append([]policy.Use{}, o.early...)
	out = append(out, policy.Use{Name: AccessStep, Config: text, From: "api"})
	return append(append(out, o.token...), o.rest...)
}
