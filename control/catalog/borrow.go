package catalog

import (
	"gatehouse"
	"gatehouse/bundle"
)

// A Loan is an object of another team that a write names for the first time,
// and the action that the writer must be permitted on it.
type Loan struct {
	Action string
	Kind   gatehouse.Kind
	Team   string
	Name   string
}

// loans are the actions that putting another team's object to use asks for.
// Whoever puts an API into a product, or a backend behind an API, opens it to
// callers, and so must be one who may say so for that team; a policy set is
// only read.
var loans = map[gatehouse.Kind]string{
	gatehouse.KindAPI: "api.put", gatehouse.KindBackend: "backend.put", gatehouse.KindPolicySet: "policy-set.get",
}

// Loans lists what the write newly takes from other teams. What the object
// named before stays as it was agreed. Subscriptions are asked for and decided
// on instead, so a product is none.
func (w Write) Loans() []Loan {
	if w.After == nil || w.After.Metadata.Team == "" {
		return nil
	}
	had := map[string]bool{}
	if w.Before != nil {
		for _, r := range bundle.References(w.Before) {
			had[r.Key()] = true
		}
	}
	var all []Loan
	for _, r := range bundle.References(w.After) {
		action, ok := loans[r.Kind]
		if !ok || r.Team == w.After.Metadata.Team || had[r.Key()] {
			continue
		}
		had[r.Key()] = true
		all = append(all, Loan{Action: action, Kind: r.Kind, Team: r.Team, Name: r.Name})
	}
	return all
}
