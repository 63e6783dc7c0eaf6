package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxConsidered bounds how many assignments one explanation lists.
const MaxConsidered = 100

// What an assignment came to, from best to least.
const (
	Allows  = "allows"
	Ended   = "expired"   // role and scope would do, but it is over
	Narrow  = "elsewhere" // the role permits the action, but the scope does not enclose the object
	Lacks   = "lacks"     // the scope encloses the object, but the role does not permit the action
	Neither = "neither"   // neither role nor scope
)

// A Considered is one assignment and what it came to.
type Considered struct {
	Assignment
	// Via are the groups from the subject to the one the assignment is for.
	Via     []string `json:"via,omitempty"`
	Verdict string   `json:"verdict"`
	Detail  string   `json:"detail"`
}

// An Explanation is why a subject may or may not do something.
type Explanation struct {
	Subject string `json:"subject"`
	Action  string `json:"action"`
	On      On     `json:"on"`
	Allowed bool   `json:"allowed"`
	// Because allowed it; nil when refused.
	Because *Assignment `json:"because,omitempty"`
	Reason  string      `json:"reason"`
	// Scopes that enclose the object, the narrowest first.
	Scopes []string `json:"scopes"`
	// Groups the subject is in, directly or through others.
	Groups []string `json:"groups,omitempty"`
	// Considered are the assignments looked at, what helps first; More is how
	// many were left out.
	Considered []Considered `json:"considered,omitempty"`
	More       int          `json:"more,omitempty"`
	// Remedies say what would do when refused.
	Remedies []string `json:"remedies,omitempty"`
}

// Why explains what Can decides.
func (x *Index) Why(subject, action string, on On) Explanation {
	d := x.Can(subject, action, on)
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := Explanation{Subject: subject, Action: action, On: on, Allowed: d.Allowed, Scopes: compact(x.enclosing(on, nil))}
	if d.Allowed {
		e.Because = &d.Because
	}
	x.consider(&e)
	e.Reason = x.reason(e)
	if !e.Allowed {
		e.Remedies = x.remedies(e)
	}
	return e
}

func (x *Index) consider(e *Explanation) {
	id, ok := x.names.subjects.ids[e.Subject]
	if !ok {
		return
	}
	via := x.paths(id)
	now := x.now().UnixMicro()
	for _, p := range x.principals(e.Subject, nil) {
		if p != id {
			e.Groups = append(e.Groups, x.names.subjects.text[p])
		}
		for _, g := range x.grants[p] {
			c := Considered{Assignment: x.assignment(g.entry), Via: via[p]}
			covers, permits := slices.Contains(e.Scopes, c.Scope), x.perms[g.role].Allow(e.Action)
			c.Verdict, c.Detail = verdict(c.Assignment, covers, permits, x.entries[g.entry].live(now), e)
			e.Considered = append(e.Considered, c)
			if len(e.Considered) > 2*MaxConsidered {
				e.keepBest()
			}
		}
	}
	e.keepBest()
	slices.Sort(e.Groups)
}

func (e *Explanation) keepBest() {
	rank := []string{Allows, Ended, Narrow, Lacks, Neither}
	slices.SortStableFunc(e.Considered, func(a, b Considered) int {
		return cmp.Or(slices.Index(rank, a.Verdict)-slices.Index(rank, b.Verdict), strings.Compare(a.Name, b.Name))
	})
	if n := len(e.Considered) - MaxConsidered; n > 0 {
		e.More += n
		e.Considered = e.Considered[:MaxConsidered]
	}
}

func verdict(a Assignment, covers, permits, live bool, e *Explanation) (string, string) {
	switch {
	case covers && permits && live:
		return Allows, fmt.Sprintf("role %q permits %q and %s encloses %s", a.Role, e.Action, a.Scope, e.On)
	case covers && permits:
		return Ended, fmt.Sprintf("ended %s", expired(a.Expires))
	case permits:
		return Narrow, fmt.Sprintf("role %q permits %q, but %s does not enclose %s", a.Role, e.Action, a.Scope, e.On)
	case covers:
		return Lacks, fmt.Sprintf("%s encloses %s, but role %q does not permit %q", a.Scope, e.On, a.Role, e.Action)
	}
	return Neither, fmt.Sprintf("role %q does not permit %q, and %s does not enclose %s", a.Role, e.Action, a.Scope, e.On)
}

func (x *Index) reason(e Explanation) string {
	switch {
	case e.Allowed && e.Because.Role == Audience && e.Because.Name == "":
		return fmt.Sprintf("%s, and %s is of it", e.Because.Implied, e.Subject)
	case e.Allowed && e.Because.Name != "":
		return fmt.Sprintf("assignment %q gives %s the role %q on %s", e.Because.Name, e.Because.Subject, e.Because.Role, e.Because.Scope)
	case e.Allowed:
		return fmt.Sprintf("%s, which gives the role %q on %s", e.Because.Implied, e.Because.Role, e.Because.Scope)
	case !signedIn(e.Subject):
		return fmt.Sprintf("%q is neither a user nor a service account", e.Subject)
	case x.isBarred(e.Subject):
		return fmt.Sprintf("%s is disabled", e.Subject)
	case len(e.Considered) == 0:
		return fmt.Sprintf("%s has no role anywhere, and is in no group that has one", e.Subject)
	}
	return fmt.Sprintf("none of the assignments of %s and its groups gives %q on %s", e.Subject, e.Action, e.On)
}

// remedies say which roles on which scopes would do, the narrowest first.
func (x *Index) remedies(e Explanation) []string {
	if !signedIn(e.Subject) {
		return []string{"ask for a subject such as \"user:alice@example.com\" or \"service:ci\""}
	}
	if x.isBarred(e.Subject) {
		return []string{"enable it: set disabled to false in its document"}
	}
	type role struct {
		name string
		size int
	}
	var roles []role
	for name, id := range x.names.roles.ids {
		if p := x.perms[id]; p.Allow(e.Action) {
			size := len(p.patterns)
			if p.all {
				size = 1 << 20 // everything is the widest, however short its list
			}
			roles = append(roles, role{name, size})
		}
	}
	slices.SortFunc(roles, func(a, b role) int { return cmp.Or(a.size-b.size, strings.Compare(a.name, b.name)) })
	if len(roles) == 0 {
		return []string{fmt.Sprintf("no role permits %q: check its spelling, or make a role that lists it", e.Action)}
	}
	var names []string
	for _, r := range roles[:min(len(roles), 5)] {
		names = append(names, r.name)
	}
	return []string{fmt.Sprintf("give %s, or a group it is in, one of the roles %s on %s",
		e.Subject, strings.Join(names, ", "), strings.Join(e.Scopes, " or "))}
}

// Given are the live assignments of a subject and the groups it is in, and
// those groups, sorted; at most [MaxConsidered] assignments.
func (x *Index) Given(subject string) (given []Assignment, groups []string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	id, ok := x.names.subjects.ids[subject]
	if !ok {
		return nil, nil
	}
	for p := range x.paths(id) {
		if p != id {
			groups = append(groups, x.names.subjects.text[p])
		}
	}
	slices.Sort(groups)
	given = x.givenTo(subject)
	return given[:min(len(given), MaxConsidered)], groups
}

// paths finds for each group the subject is in a shortest way to it.
func (x *Index) paths(from uint32) map[uint32][]string {
	via := map[uint32][]string{from: nil}
	for queue := []uint32{from}; len(queue) > 0; queue = queue[1:] {
		for _, g := range x.groups[queue[0]] {
			if _, seen := via[g]; !seen {
				via[g] = append(slices.Clone(via[queue[0]]), x.names.subjects.text[g])
				queue = append(queue, g)
			}
		}
	}
	return via
}

// compact drops repeats, keeping the first of each.
func compact(list []string) []string {
	out := list[:0]
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
