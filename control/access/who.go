package access

import (
	"slices"
	"strings"
)

// MaxWho bounds how many subjects one page of Who has.
const MaxWho = 1000

// A Holder is a subject that may do something, and why.
type Holder struct {
	Subject string     `json:"subject"`
	Because Assignment `json:"because"`
	// Via are the groups from the subject to the one the assignment is for.
	Via []string `json:"via,omitempty"`
}

// Holders is one page of those who may do something, sorted by subject.
type Holders struct {
	Holders []Holder `json:"holders"`
	Total   int      `json:"total"`
	// Next is what After must be for the next page; "" at the end.
	Next string `json:"next,omitempty"`
	// Everyone is true when whoever is signed in may; the holders are then
	// those who also have it by an assignment.
	Everyone bool `json:"everyone,omitempty"`
	// Audience that may as well, because the object is meant for it; "" for none.
	Audience string `json:"audience,omitempty"`
}

// Who lists the users and service accounts that may do the action on the
// object, after one subject (exclusive) and limit of them at most (0: MaxWho).
func (x *Index) Who(action string, on On, after string, limit int) Holders {
	if limit <= 0 || limit > MaxWho {
		limit = MaxWho
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	why := map[uint32]uint32{} // subject or group to entry
	for _, from := range x.holding(action, on) {
		x.spread(x.entries[from].subject, from, why)
	}
	var subjects []string
	for id := range why {
		if s := x.names.subjects.text[id]; signedIn(s) && !x.people[id] {
			subjects = append(subjects, s)
		}
	}
	slices.Sort(subjects)
	h := Holders{Holders: []Holder{}, Total: len(subjects), Everyone: compiled[""].Allow(action)}
	if finding.Allow(action) {
		h.Audience, h.Everyone = on.Audience, h.Everyone || on.Audience == "public"
	}
	at, found := slices.BinarySearch(subjects, after)
	if found {
		at++
	}
	for _, s := range subjects[at:] {
		if len(h.Holders) == limit {
			h.Next = h.Holders[limit-1].Subject
			break
		}
		id := x.names.subjects.ids[s]
		because := x.assignment(why[id])
		h.Holders = append(h.Holders, Holder{Subject: s, Because: because, Via: x.pathTo(id, because.Subject)})
	}
	return h
}

// holding are the live entries that permit the action on one of the scopes
// that enclose the object, in an order that does not depend on chance.
func (x *Index) holding(action string, on On) (found []uint32) {
	now := x.now().UnixMicro()
	for _, s := range compact(x.enclosing(on, nil)) {
		id, ok := x.names.scopes.ids[s]
		if !ok {
			continue
		}
		from := len(found)
		for _, e := range x.byScope[id] {
			if x.perms[x.entries[e].role].Allow(action) && x.entries[e].live(now) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found[from:], func(a, b uint32) int { return strings.Compare(x.entries[a].name, x.entries[b].name) })
	}
	return found
}

// spread notes entry as the reason for the subject and all members below it
// that have none yet.
func (x *Index) spread(subject, entry uint32, why map[uint32]uint32) {
	for todo := []uint32{subject}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, has := why[id]; has {
			continue
		}
		why[id] = entry
		todo = append(todo, x.members[id]...)
	}
}

// pathTo is a shortest way through groups from a subject to the named one.
func (x *Index) pathTo(from uint32, to string) []string {
	id, ok := x.names.subjects.ids[to]
	if !ok || id == from {
		return nil
	}
	return x.paths(from)[id]
}
