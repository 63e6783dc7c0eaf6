package access

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse"
)

// MayGrant refuses an assignment by which the granter would give more than
// they hold: each permission of the role must be the granter's own, on a scope
// that encloses the assignment's, and for at least as long. That holds for
// assignments to oneself too, so no one widens or lengthens what they have. An
// administrator of the organization holds everything and may grant anything.
func (x *Index) MayGrant(granter string, a gatehouse.RoleAssignment) error {
	return x.mayGrant(granter, a, pending{})
}

// pending is what is being written together with what is checked.
type pending struct {
	roles   map[string]Permissions
	parents map[string]string // of teams that are new
}

// on adds to the place of a new team the parent it will have.
func (p pending) on(on On) On {
	name := on.Team
	if on.Kind == gatehouse.KindTeam {
		name = on.Name
	}
	for depth := 0; p.parents[name] != "" && depth < MaxTeamDepth; depth++ {
		name = p.parents[name]
		on.Within = append(on.Within, "team/"+name)
	}
	return on
}

func (x *Index) mayGrant(granter string, a gatehouse.RoleAssignment, more pending) error {
	on, err := ParseScope(a.Scope)
	if err != nil {
		return err
	}
	until, err := ParseExpiry(a.Expires)
	if err != nil {
		return err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	p, ok := x.role(a.Role, more)
	if !ok {
		return gatehouse.E(gatehouse.Invalid, "granting role %q: there is no such role", a.Role)
	}
	if err := x.covered(granter, p.patterns, more.on(on), until); err != nil {
		return gatehouse.E(gatehouse.Denied, "granting role %q on %s to %q: %w", a.Role, a.Scope, a.Subject, err)
	}
	return nil
}

// role finds what a role permits.
func (x *Index) role(name string, more pending) (Permissions, bool) {
	if p, ok := compiled[name]; ok && name != "" {
		return p, true
	}
	if p, ok := more.roles[name]; ok {
		return p, true
	}
	id, ok := x.names.roles.ids[name]
	if !ok {
		return Permissions{}, false
	}
	p, ok := x.perms[id]
	return p, ok
}

func (x *Index) hasRole(name string, more pending) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.role(name, more)
	return ok
}

// noRole says that there is no role of that name, and which one may be meant.
func (x *Index) noRole(name string, more pending) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	known := slices.Concat(gatehouse.BuiltInRoles, slices.Sorted(maps.Keys(more.roles)))
	for id := range x.perms {
		known = append(known, x.names.roles.text[id])
	}
	slices.Sort(known)
	text := fmt.Sprintf("role %q does not exist", name)
	if near := gatehouse.Nearest(name, known); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return text
}

// covered reports the first pattern that the granter does not hold, on a scope
// enclosing on and until then (zero: for ever).
func (x *Index) covered(granter string, patterns []string, on On, until time.Time) error {
	held := x.held(granter, on)
	for _, pattern := range patterns {
		var ended time.Time
		ok := slices.ContainsFunc(held, func(h holding) bool {
			if !h.permissions.Covers(pattern) {
				return false
			}
			if h.expires.IsZero() || (!until.IsZero() && !h.expires.Before(until)) {
				return true
			}
			ended = h.expires
			return false
		})
		switch {
		case ok:
		case !ended.IsZero():
			return fmt.Errorf("%q holds %q there only until %s", granter, pattern, expired(ended))
		default:
			return fmt.Errorf("%q does not hold %q on %s; nobody hands on more than they hold", granter, pattern, on)
		}
	}
	return nil
}

type holding struct {
	permissions Permissions
	expires     time.Time
}

// held is what the subject holds on a scope that encloses on, now.
func (x *Index) held(subject string, on On) (all []holding) {
	if !signedIn(subject) || x.isBarred(subject) {
		return nil
	}
	scopes, now := x.enclosing(on, nil), x.now().UnixMicro()
	all = append(all, holding{permissions: compiled[""]})
	for _, p := range x.principals(subject, nil) {
		for _, g := range x.grants[p] {
			if e := x.entries[g.entry]; e.live(now) && slices.Contains(scopes, x.names.scopes.text[g.scope]) {
				h := holding{permissions: x.perms[g.role]}
				if e.expires != 0 {
					h.expires = time.UnixMicro(e.expires).UTC()
				}
				all = append(all, h)
			}
		}
	}
	return all
}

// MayActAs refuses a granter who would, with a token of the subject, have more
// than they hold. Everyone may act as themselves.
func (x *Index) MayActAs(granter, subject string) error {
	if granter == subject || granter == System {
		return nil
	}
	if err := x.mayHandOn(granter, subject, pending{}); err != nil {
		return gatehouse.E(gatehouse.Denied, "acting as %q: %w", subject, err)
	}
	return nil
}

// mayHandOn refuses a granter who does not hold what the subject, with the
// groups it is in, was given: whoever becomes a member of it gets that.
func (x *Index) mayHandOn(granter, subject string, more pending) error {
	x.mu.RLock()
	given := x.givenTo(subject)
	x.mu.RUnlock()
	return x.mayGrantAll(granter, given, more)
}

func (x *Index) mayGrantAll(granter string, given []Assignment, more pending) error {
	seen := map[gatehouse.RoleAssignment]bool{} // the same for one subject is the same for another
	for _, a := range given {
		r := gatehouse.RoleAssignment{Subject: a.Subject, Role: a.Role, Scope: a.Scope}
		if !a.Expires.IsZero() {
			r.Expires = a.Expires.Format(time.RFC3339Nano)
		}
		same := r
		same.Subject = ""
		if seen[same] {
			continue
		}
		seen[same] = true
		if err := x.mayGrant(granter, r, more); err != nil && !gatehouse.Is(err, gatehouse.Invalid) {
			return err
		}
	}
	return nil
}

// givenTo are the live assignments of the subject and its groups.
func (x *Index) givenTo(subject string) (all []Assignment) {
	now := x.now().UnixMicro()
	id, ok := x.names.subjects.ids[subject]
	if !ok {
		return nil
	}
	for _, p := range slices.Sorted(maps.Keys(x.paths(id))) {
		for _, g := range x.grants[p] {
			if x.entries[g.entry].live(now) {
				all = append(all, x.assignment(g.entry))
			}
		}
	}
	return all
}
