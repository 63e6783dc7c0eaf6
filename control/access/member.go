package access

import (
	"slices"
	"strings"
	"time"
)

// Of reports whether a subject is of a team: a member by the team's document,
// or someone with a live role on that very team, directly or through groups.
// Roles on what lies above the team do not make one of it.
func (x *Index) Of(subject, team string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scope, ok := x.names.scopes.ids["team/"+team]
	if !ok {
		return false
	}
	now := x.now().UnixMicro()
	for _, p := range x.principals(subject, nil) {
		for _, g := range x.grants[p] {
			if g.scope == scope && x.entries[g.entry].live(now) {
				return true
			}
		}
	}
	return false
}

// Among reports whether a subject is one of others, or in a group that is,
// directly or through other groups.
func (x *Index) Among(subject string, others []string) bool {
	if slices.Contains(others, subject) {
		return true
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, p := range x.principals(subject, nil) {
		if slices.Contains(others, x.names.subjects.text[p]) {
			return true
		}
	}
	return false
}

// A Person is somebody who is of a team, and what they hold on it.
type Person struct {
	Subject  string
	Disabled bool
	Holds    []Held
}

// A Held is one role of a person on a team.
type Held struct {
	Role    string
	Name    string    // of the RoleAssignment; "" for the viewer that membership gives
	Via     []string  // groups from the person to whom the role is given
	Expires time.Time // zero: it stays
}

// People lists the users and service accounts that are of a team, through
// groups too, after one subject and limit of them at most, and how many there
// are.
func (x *Index) People(team, after string, limit int) (page []Person, total int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scope, ok := x.names.scopes.ids["team/"+team]
	if !ok {
		return nil, 0
	}
	held := map[uint32][]uint32{} // subject to entries
	now := x.now().UnixMicro()
	for _, e := range x.byScope[scope] {
		if !x.entries[e].live(now) {
			continue
		}
		reached := map[uint32]uint32{}
		x.spread(x.entries[e].subject, e, reached)
		for id := range reached {
			if signedIn(x.names.subjects.text[id]) {
				held[id] = append(held[id], e)
			}
		}
	}
	var subjects []string
	for id := range held {
		subjects = append(subjects, x.names.subjects.text[id])
	}
	slices.Sort(subjects)
	from, found := slices.BinarySearch(subjects, after)
	if found {
		from++
	}
	for _, s := range subjects[from:] {
		if len(page) == limit {
			break
		}
		page = append(page, x.holds(s, held[x.names.subjects.ids[s]]))
	}
	return page, len(subjects)
}

func (x *Index) holds(subject string, entries []uint32) Person {
	id := x.names.subjects.ids[subject]
	p := Person{Subject: subject, Disabled: x.people[id]}
	for _, e := range entries {
		a := x.assignment(e)
		p.Holds = append(p.Holds, Held{Role: a.Role, Name: a.Name, Via: x.pathTo(id, a.Subject), Expires: a.Expires})
	}
	slices.SortFunc(p.Holds, func(a, b Held) int {
		return strings.Compare(a.Role+" "+a.Name, b.Role+" "+b.Name)
	})
	return p
}
