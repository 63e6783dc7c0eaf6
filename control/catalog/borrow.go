package catalog

import "gatehouse"

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
		for _, r := range references(w.Before) {
			had[r.key()] = true
		}
	}
	var all []Loan
	for _, r := range references(w.After) {
		action, ok := loans[r.kind]
		if !ok || r.team == w.After.Metadata.Team || had[r.key()] {
			continue
		}
		had[r.key()] = true
		all = append(all, Loan{Action: action, Kind: r.kind, Team: r.team, Name: r.name})
	}
	return all
}
