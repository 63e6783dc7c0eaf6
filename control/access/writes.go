package access

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gatehouse"
)

// System is the actor of what the control plane does by itself. It is bound by
// no role.
const System = "system"

// A Write is a document that is being written: Before is nil for a new one,
// After for one that is deleted.
type Write struct {
	Action        string // "api.put"
	Before, After *gatehouse.Object
}

// CheckWrites refuses documents, written together, by which the actor would
// give anyone more than the actor holds: assignments, roles, groups and teams
// that add members, and teams that move below another. It also refuses to take
// the last administrator away, be it the role or the person. Whether the actor may write the documents at
// all is for Can; kinds that give nobody anything pass.
func (x *Index) CheckWrites(actor string, writes ...Write) error {
	if err := x.keepsAdmin(writes); err != nil {
		return err
	}
	if actor == System {
		return nil
	}
	more, err := gather(writes)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if w.After == nil {
			continue
		}
		if err := x.checkWrite(actor, w, more); err != nil {
			return err
		}
	}
	return nil
}

// gather is what the writes bring that checks of the others need.
func gather(writes []Write) (pending, error) {
	more := pending{roles: map[string]Permissions{}, parents: map[string]string{}}
	for _, w := range writes {
		if w.After == nil {
			continue
		}
		name := w.After.Metadata.Name
		switch s := w.After.Spec.(type) {
		case *gatehouse.Role:
			p, err := CompilePermissions(s.Permissions)
			if err != nil {
				return more, gatehouse.E(gatehouse.Invalid, "writing role %q: %w", name, err)
			}
			if _, taken := BuiltIn(name); taken {
				return more, gatehouse.InvalidFaults([]gatehouse.Fault{{Object: w.After.Ref(), Pointer: "/metadata/name", Detail: fmt.Sprintf("%q is the name of a built-in role: choose another", name)}})
			}
			more.roles[name] = p
		case *gatehouse.Team:
			if w.Before == nil {
				more.parents[name] = s.Parent
			}
		}
	}
	return more, nil
}

func (x *Index) checkWrite(actor string, w Write, more pending) error {
	name := w.After.Metadata.Name
	switch s := w.After.Spec.(type) {
	case *gatehouse.RoleAssignment:
		if old, ok := before[*gatehouse.RoleAssignment](w); ok && *old == *s {
			return nil
		}
		if !x.hasRole(s.Role, more) {
			return gatehouse.InvalidFaults([]gatehouse.Fault{{Object: w.After.Ref(), Pointer: "/spec/role", Detail: x.noRole(s.Role, more)}})
		}
		return x.mayGrant(actor, *s, more)
	case *gatehouse.Role:
		return x.checkRole(actor, name, w, s)
	case *gatehouse.Group:
		old, _ := before[*gatehouse.Group](w)
		if old != nil && len(added(old.Members, s.Members)) == 0 || len(s.Members) == 0 {
			return nil
		}
		if err := x.mayHandOn(actor, "group:"+name, more); err != nil {
			return gatehouse.E(gatehouse.Denied, "adding members to group %q: %w", name, err)
		}
	case *gatehouse.Team:
		return x.checkTeam(actor, name, w, s, more)
	}
	return nil
}

func before[T gatehouse.Spec](w Write) (spec T, ok bool) {
	if w.Before == nil {
		return spec, false
	}
	spec, ok = w.Before.Spec.(T)
	return spec, ok
}

// checkRole asks for what the role gains, on the organization: the role may be
// assigned anywhere.
func (x *Index) checkRole(actor, name string, w Write, s *gatehouse.Role) error {
	gained := s.Permissions
	if old, ok := before[*gatehouse.Role](w); ok {
		gained = added(old.Permissions, s.Permissions)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, p := range gained {
		if err := x.covered(actor, []string{p}, On{}, time.Time{}); err != nil {
			return gatehouse.E(gatehouse.Denied, "writing role %q: %w", name, err)
		}
	}
	return nil
}

func (x *Index) checkTeam(actor, name string, w Write, s *gatehouse.Team, more pending) error {
	old, existed := before[*gatehouse.Team](w)
	var had []string
	if existed {
		had = old.Members
	}
	if len(added(had, s.Members)) > 0 {
		err := x.mayGrant(actor, gatehouse.RoleAssignment{Subject: "members", Role: "viewer", Scope: "team/" + name}, more)
		if err != nil {
			return gatehouse.E(gatehouse.Denied, "adding members to team %q: %w", name, err)
		}
	}
	if existed && !sameAllowance(old, s) || !existed && s.Provider {
		x.mu.RLock()
		err := x.covered(actor, []string{"team.put"}, On{}, time.Time{})
		x.mu.RUnlock()
		if err != nil {
			return gatehouse.E(gatehouse.Denied, "changing environments, quotas, audience or provider of team %q: %w", name, err)
		}
	}
	if !existed || s.Parent == "" || s.Parent == old.Parent {
		return nil
	}
	// Whoever holds a role on the new parent will hold it here.
	x.mu.RLock()
	var given []Assignment
	for _, scope := range x.inner(On{Team: s.Parent}, nil) {
		if id, ok := x.names.scopes.ids[scope]; ok {
			for _, e := range x.byScope[id] {
				a := x.assignment(e)
				a.Scope = "team/" + name
				given = append(given, a)
			}
		}
	}
	x.mu.RUnlock()
	if err := x.mayGrantAll(actor, given, more); err != nil {
		return gatehouse.E(gatehouse.Denied, "moving team %q below %q: %w", name, s.Parent, err)
	}
	return nil
}

// sameAllowance reports whether a team is allowed what it was: its own
// administrator does not allow it more.
func sameAllowance(a, b *gatehouse.Team) bool {
	quotas := func(t *gatehouse.Team) (q gatehouse.TeamQuotas) {
		if t.Quotas != nil {
			q = *t.Quotas
		}
		return q
	}
	near := func(t *gatehouse.Team) int { return nearness(cmp.Or(t.Audience, "internal")) }
	return a.Provider == b.Provider && near(a) == near(b) && slices.Equal(a.Environments, b.Environments) && quotas(a) == quotas(b)
}

// keepsAdmin refuses writes after which nobody would hold admin on the
// organization for good, where somebody did.
func (x *Index) keepsAdmin(writes []Write) error {
	gone, out, groups := map[string]bool{}, map[string]bool{}, map[string][]string{}
	touched, stays := false, false
	for _, w := range writes { // first: who is to follow may be shut out with them
		if subject := shutOut(w); subject != "" {
			out[subject] = true
			touched = true
		}
		if old, ok := before[*gatehouse.Group](w); ok {
			var members []string
			if w.After != nil {
				members = w.After.Spec.(*gatehouse.Group).Members
			}
			groups["group:"+w.Before.Metadata.Name] = members
			touched = touched || slices.ContainsFunc(old.Members, func(m string) bool { return !slices.Contains(members, m) })
		}
	}
	for _, w := range writes {
		old, wasAssignment := before[*gatehouse.RoleAssignment](w)
		if wasAssignment {
			gone[w.Before.Metadata.Name] = true
			touched = touched || isAdmin(old)
		}
		if w.After != nil {
			if s, ok := w.After.Spec.(*gatehouse.RoleAssignment); ok {
				stays = stays || isAdmin(s) && !out[s.Subject]
			}
		}
	}
	if !touched || stays {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.hasAdmin(gone, out, groups) || !x.hasAdmin(nil, nil, nil) {
		return nil
	}
	return gatehouse.E(gatehouse.Conflict, "taking the role \"admin\" away: nobody would be left who holds it on the organization")
}

// hasAdmin tells whether somebody who may sign in holds admin on the organization
// for good, without the assignments that are gone and the subjects that are out, and
// with groups having the members given.
func (x *Index) hasAdmin(gone, out map[string]bool, groups map[string][]string) bool {
	seen := map[string]bool{}
	var todo []string
	for _, e := range x.holding("role.put", On{}) {
		if a := x.assignment(e); a.Role == "admin" && a.Expires.IsZero() && !gone[a.Name] {
			todo = append(todo, a.Subject)
		}
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		id, known := x.names.subjects.ids[s]
		if signedIn(s) && !out[s] && !(known && x.people[id]) {
			return true
		}
		if members, ok := groups[s]; ok {
			todo = append(todo, members...)
			continue
		}
		if known {
			for _, m := range x.members[id] {
				todo = append(todo, x.names.subjects.text[m])
			}
		}
	}
	return false
}

// shutOut is the user or service account that may sign in no longer; "" for
// none.
func shutOut(w Write) string {
	if w.Before == nil {
		return ""
	}
	prefix, disabled := "", false
	switch w.Before.Spec.(type) {
	case *gatehouse.User:
		prefix = "user:"
		if w.After != nil {
			disabled = w.After.Spec.(*gatehouse.User).Disabled
		}
	case *gatehouse.ServiceAccount:
		prefix = "service:"
		if w.After != nil {
			disabled = w.After.Spec.(*gatehouse.ServiceAccount).Disabled
		}
	default:
		return ""
	}
	if w.After != nil && !disabled {
		return ""
	}
	return prefix + w.Before.Metadata.Name
}

func isAdmin(s *gatehouse.RoleAssignment) bool {
	return s.Role == "admin" && s.Scope == Organization && s.Expires == ""
}

// added are those in now that are not in was.
func added(was, now []string) (more []string) {
	for _, s := range now {
		if !slices.Contains(was, s) {
			more = append(more, s)
		}
	}
	return more
}
