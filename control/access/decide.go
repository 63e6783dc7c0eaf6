package access

import (
	"slices"
	"time"
)

// everyone is what allows the actions of Everyone.
func everyone(subject string) Assignment {
	return Assignment{Subject: subject, Role: "everyone", Scope: Organization, Implied: "signed in"}
}

// Can decides whether the subject may do the action on an object.
//
// It looks through the subject's groups and, for each, finds the enclosing
// scopes in one sorted list: the time grows with the number of groups the
// subject is in, and with the logarithm of what each was given.
func (x *Index) Can(subject, action string, on On) Decision {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !signedIn(subject) || x.isBarred(subject) {
		return Decision{}
	}
	var room [16]string
	var ids [16]uint32
	scopes := ids[:0]
	for _, s := range x.enclosing(on, room[:0]) {
		if id, ok := x.names.scopes.ids[s]; ok && !slices.Contains(scopes, id) {
			scopes = append(scopes, id)
		}
	}
	now := x.now().UnixMicro()
	var more [64]uint32
	for _, p := range x.principals(subject, more[:0]) {
		if id, ok := x.allows(x.grants[p], scopes, action, now); ok {
			return Decision{Allowed: true, Because: x.assignment(id)}
		}
	}
	if compiled[""].Allow(action) {
		return Decision{Allowed: true, Because: everyone(subject)}
	}
	if because, ok := x.reached(subject, action, on); ok {
		return Decision{Allowed: true, Because: because}
	}
	return Decision{}
}

// allows finds a live grant of a role with the action on one of the scopes.
func (x *Index) allows(list []grant, scopes []uint32, action string, now int64) (uint32, bool) {
	try := func(g grant) bool {
		return x.perms[g.role].Allow(action) && x.entries[g.entry].live(now)
	}
	if len(list) <= 8 {
		for _, g := range list {
			if slices.Contains(scopes, g.scope) && try(g) {
				return g.entry, true
			}
		}
		return 0, false
	}
	for _, s := range scopes {
		at, _ := slices.BinarySearchFunc(list, s, func(g grant, s uint32) int { return int(g.scope) - int(s) })
		for ; at < len(list) && list[at].scope == s; at++ {
			if try(list[at]) {
				return list[at].entry, true
			}
		}
	}
	return 0, false
}

// A Reach is where a subject may do one action: what a list shows them.
type Reach struct {
	// All is true when it is everywhere; the rest is then empty.
	All          bool
	Teams        []string // with the teams below them
	Environments []string
	Objects      []string // "API/payments/orders"

	covers map[string]bool
	near   int // how near the subject is, of an action that finds; else 0
	x      *Index
}

// Reach gathers where the subject may do the action now.
func (x *Index) Reach(subject, action string) Reach {
	x.mu.RLock()
	defer x.mu.RUnlock()
	r := Reach{covers: map[string]bool{}, x: x}
	if !signedIn(subject) || x.isBarred(subject) {
		return r
	}
	now := x.now().UnixMicro()
	var room [64]uint32
	for _, p := range x.principals(subject, room[:0]) {
		for _, g := range x.grants[p] {
			if x.perms[g.role].Allow(action) && x.entries[g.entry].live(now) {
				r.covers[x.names.scopes.text[g.scope]] = true
			}
		}
	}
	if finding.Allow(action) {
		r.near = x.near(subject)
	}
	r.All = r.covers[Organization] || compiled[""].Allow(action)
	if r.All {
		return Reach{All: true}
	}
	for s := range r.covers {
		switch on, err := ParseScope(s); {
		case err != nil:
		case on.Kind != "":
			r.Objects = append(r.Objects, s)
		case on.Team != "":
			r.Teams = append(r.Teams, on.Team)
		default:
			r.Environments = append(r.Environments, on.Environment)
		}
	}
	slices.Sort(r.Objects)
	slices.Sort(r.Teams)
	slices.Sort(r.Environments)
	return r
}

// Empty reports whether there is nowhere.
func (r Reach) Empty() bool { return !r.All && len(r.covers) == 0 && r.near == 0 }

// Covers reports whether on is within the reach.
func (r Reach) Covers(on On) bool {
	if r.All || reach(on.Audience, r.near) {
		return true
	}
	if len(r.covers) == 0 {
		return false
	}
	r.x.mu.RLock()
	defer r.x.mu.RUnlock()
	var room [16]string
	for _, s := range r.x.enclosing(on, room[:0]) {
		if r.covers[s] {
			return true
		}
	}
	return false
}

// expired tells when an assignment ended, for sentences.
func expired(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
