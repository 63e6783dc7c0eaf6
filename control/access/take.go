package access

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// kinds are the kinds of record an index is made of, in the order it loads them.
var kinds = []gatehouse.Kind{gatehouse.KindRole, gatehouse.KindUser, gatehouse.KindServiceAccount, gatehouse.KindGroup,
	gatehouse.KindTeam, gatehouse.KindRoleAssignment}

// Take brings one change in; others than those an index is made of are passed
// over. A record that cannot be read gives nobody anything: what it gave
// before is gone, and the error names it.
func (x *Index) Take(c store.Change) error {
	if !slices.Contains(kinds, gatehouse.Kind(c.Kind)) {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.take(c)
}

func (x *Index) take(c store.Change) error {
	_, name, ok := strings.Cut(c.Key, "/")
	if !ok || !strings.HasPrefix(c.Key, c.Kind+"/") {
		return gatehouse.E(gatehouse.Internal, "reading %q: its kind is %q", c.Key, c.Kind)
	}
	value := c.Value
	if c.Deleted {
		value = nil
	}
	var err error
	switch gatehouse.Kind(c.Kind) {
	case gatehouse.KindRole:
		err = x.takeRole(name, value)
	case gatehouse.KindUser:
		var s gatehouse.User
		err = decode(value, &s)
		x.person("user:"+name, value != nil, err != nil || s.Disabled)
	case gatehouse.KindServiceAccount:
		var s gatehouse.ServiceAccount
		err = decode(value, &s)
		x.person("service:"+name, value != nil, err != nil || s.Disabled)
	case gatehouse.KindGroup:
		var s gatehouse.Group
		err = decode(value, &s)
		x.setGroup("group:"+name, s.Members)
	case gatehouse.KindTeam:
		var s gatehouse.Team
		err = decode(value, &s)
		x.setTeam(name, s, value != nil)
	case gatehouse.KindRoleAssignment:
		err = x.takeAssignment(name, value)
	}
	if err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", c.Key, err)
	}
	return nil
}

// decode reads the spec of a stored document; nothing from nil.
func decode(value []byte, spec any) error {
	if value == nil {
		return nil
	}
	var s struct {
		Object struct {
			Spec json.RawMessage `json:"spec"`
		} `json:"object"`
	}
	if err := json.Unmarshal(value, &s); err != nil || len(s.Object.Spec) == 0 {
		return err
	}
	return json.Unmarshal(s.Object.Spec, spec)
}

func (x *Index) takeRole(name string, value []byte) error {
	if _, taken := BuiltIn(name); taken {
		return nil
	}
	var s gatehouse.Role
	err := decode(value, &s)
	var p Permissions
	if err == nil {
		p, err = CompilePermissions(s.Permissions)
	}
	id, had := x.names.roles.ids[name]
	if had {
		_, had = x.perms[id]
	}
	switch {
	case value != nil && !had: // the document itself is one use of the name
		x.perms[x.names.roles.take(name)] = p
	case value != nil:
		x.perms[id] = p
	case had:
		delete(x.perms, id)
		x.dropRole(id)
	}
	return err
}

func (x *Index) takeAssignment(name string, value []byte) error {
	if old, ok := x.byName[name]; ok {
		delete(x.byName, name)
		x.remove(old)
	}
	if value == nil {
		return nil
	}
	var s gatehouse.RoleAssignment
	if err := decode(value, &s); err != nil {
		return err
	}
	expires, err := ParseExpiry(s.Expires)
	if err != nil {
		return err
	}
	id := x.add(name, s.Subject, s.Role, s.Scope, micros(expires))
	x.byName[name] = id
	return nil
}

// ParseExpiry reads when an assignment ends: a day, "2027-06-30", ends with
// that day in UTC; or an RFC 3339 time. "" is the zero time: never.
func ParseExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, gatehouse.E(gatehouse.Invalid, `%q is neither a day such as "2027-06-30" nor a time such as "2027-06-30T18:00:00Z"`, text)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	// A time at or before 1970 is past, not "never".
	return max(t.UnixMicro(), 1)
}

// person notes a user or service account; its document is one use of the name.
func (x *Index) person(subject string, exists, disabled bool) {
	id, known := x.names.subjects.ids[subject]
	if known {
		_, known = x.people[id]
	}
	switch {
	case exists && !known:
		x.people[x.subject(subject)] = disabled
	case exists:
		x.people[id] = disabled
	case known:
		delete(x.people, id)
		x.names.subjects.drop(id)
	}
}

// setGroup makes members the group's members. Each use of a name is counted:
// one for the group and one for the member.
func (x *Index) setGroup(group string, members []string) {
	if id, ok := x.names.subjects.ids[group]; ok {
		old := x.members[id]
		delete(x.members, id)
		for _, m := range old {
			x.groups[m] = slices.DeleteFunc(x.groups[m], func(g uint32) bool { return g == id })
			x.names.subjects.drop(m)
			x.names.subjects.drop(id)
		}
	}
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if seen[m] || m == group {
			continue
		}
		seen[m] = true
		g, id := x.subject(group), x.subject(m)
		x.groups[id] = append(x.groups[id], g)
		x.members[g] = append(x.members[g], id)
	}
}

func (x *Index) setTeam(name string, s gatehouse.Team, exists bool) {
	for _, id := range x.teams[name].members {
		x.remove(id)
	}
	delete(x.teams, name)
	if !exists {
		return
	}
	t := team{parent: s.Parent, audience: s.Audience}
	seen := make(map[string]bool, len(s.Members))
	for _, m := range s.Members {
		if !seen[m] {
			seen[m] = true
			t.members = append(t.members, x.add("", m, "viewer", "team/"+name, 0))
		}
	}
	x.teams[name] = t
}
