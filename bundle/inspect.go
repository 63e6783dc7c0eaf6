package bundle

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/admission"
	"gatehouse/jsonx"
	"gatehouse/policy"
)

// Surroundings are what an object is inspected among.
type Surroundings struct {
	// Find is the object at a key, as it will be; nil when there is none.
	Find func(kind gatehouse.Kind, team, name string) (*gatehouse.Object, error)
	// Policies finds a policy by name; nil leaves configurations unread.
	Policies func(name string) (policy.Kind, bool)
	// PolicyNames are all names, to suggest one.
	PolicyNames []string
	// Actions are what a role can permit; nil: it is not known.
	Actions []string
}

// A Finding is what is wrong with one object among others.
type Finding struct {
	Pointer string
	Detail  string
	// Dangling is set, and Detail is not, when a reference leads to nothing:
	// how bad that is, and what to call it, the caller knows.
	Dangling *Reference
}

// Inspect finds what is wrong with an object beyond what [gatehouse.Object.Check]
// tells by itself: references, policies, what refers to itself, permissions that
// permit nothing. Definitions and routes are not looked at. Files and server both
// use it, so that they say the same of the same fault. The error is Find's.
func Inspect(o *gatehouse.Object, s Surroundings) ([]Finding, error) {
	i := inspection{Surroundings: s, object: o}
	for _, r := range References(o) {
		i.reference(r)
	}
	Uses(o, i.policies)
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		i.successors(s)
	case *gatehouse.Subscription:
		if t, _ := gatehouse.ParseRef(s.Application, o.Metadata.Team); t != o.Metadata.Team {
			i.fault("application %q belongs to another team: a subscription is of its application's team", s.Application)("spec", "application")
		}
	case *gatehouse.Environment:
		if s.Release != nil {
			if n := slices.Index(s.Release.After, o.Metadata.Name); n >= 0 {
				i.fault("%q waits for itself", o.Metadata.Name)("spec", "release", "after", itoa(n))
			}
		}
	case *gatehouse.Team:
		i.parents(s)
	case *gatehouse.Backend:
		i.unverified(s)
	case *gatehouse.Role:
		i.permissions(s)
	case *gatehouse.Framework:
		for _, f := range admission.Check(s) {
			i.fault("%s", f.Detail)("spec", "versions", itoa(f.Version), "onboarding", "autoApprove", itoa(f.Rule))
		}
	}
	return i.found, i.err
}

type inspection struct {
	Surroundings
	object *gatehouse.Object
	found  []Finding
	err    error
}

// fault says what is wrong, then where.
func (i *inspection) fault(format string, args ...any) func(pointer ...string) {
	return func(pointer ...string) {
		i.found = append(i.found, Finding{Pointer: jsonx.Pointer(pointer...), Detail: fmt.Sprintf(format, args...)})
	}
}

func (i *inspection) find(kind gatehouse.Kind, team, name string) *gatehouse.Object {
	if i.err != nil {
		return nil
	}
	var o *gatehouse.Object
	o, i.err = i.Find(kind, team, name)
	return o
}

// reference reports one that leads nowhere, or to what lacks the named part.
func (i *inspection) reference(r Reference) {
	if r.Kind == gatehouse.KindRole && slices.Contains(gatehouse.BuiltInRoles, r.Name) {
		return
	}
	if info, _ := gatehouse.Info(string(r.Kind)); info.Owned && r.Team == "" {
		i.found = append(i.found, Finding{Pointer: r.Pointer, Detail: fmt.Sprintf("%q: an organization's object names a team's as \"team/%s\"", r.Text, r.Text)})
		return
	}
	o := i.find(r.Kind, r.Team, r.Name)
	if o == nil {
		if i.err == nil {
			i.found = append(i.found, Finding{Pointer: r.Pointer, Dangling: &r})
		}
		return
	}
	if r.Part == "" {
		return
	}
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		if names := versionNames(s); !slices.Contains(names, r.Part) {
			i.found = append(i.found, Finding{Pointer: r.Pointer, Detail: fmt.Sprintf("API %q has no version %q%s", o.Metadata.Ref(), r.Part, Choose(r.Part, names))})
		}
	case *gatehouse.Product:
		var plans []string
		for _, p := range s.Plans {
			plans = append(plans, p.Name)
		}
		if !slices.Contains(plans, r.Part) {
			i.fault("product %q has no plan %q%s", r.Text, r.Part, Choose(r.Part, plans))("spec", "plan")
		}
	}
}

// policies checks that every policy of a list exists and takes its configuration.
func (i *inspection) policies(uses []gatehouse.PolicyUse, pointer ...string) {
	if i.Policies == nil {
		return
	}
	for n, u := range uses {
		if u.Name == gatehouse.PolicySetUse {
			continue
		}
		where := append(slices.Clone(pointer), itoa(n), u.Name)
		kind, ok := i.Policies(u.Name)
		if !ok {
			i.fault("%q is not a policy%s", u.Name, Choose(u.Name, i.PolicyNames))(where...)
			continue
		}
		if names, bad := u.Variables(); bad != "" {
			i.fault("%q is not the name of a variable, such as ${var:ISSUER}", bad)(where...)
			continue
		} else if len(names) > 0 {
			continue // what it says depends on the environment
		}
		if _, err := kind.Decode(u.Config); err != nil {
			i.fault("%s", err)(append(where, PolicyField(err, u.Name)...)...)
		}
	}
}

func (i *inspection) successors(s *gatehouse.API) {
	names := versionNames(s)
	for n, v := range s.Versions {
		if v.Deprecation == nil || v.Deprecation.Successor == "" || strings.Contains(v.Deprecation.Successor, "://") {
			continue
		}
		where, next := []string{"spec", "versions", itoa(n), "deprecation", "successor"}, v.Deprecation.Successor
		switch {
		case next == v.Name:
			i.fault("%q succeeds itself", next)(where...)
		case strings.ContainsAny(next, "/@"):
			team, name, version, _ := gatehouse.ParseVersionRef(next, i.object.Metadata.Team)
			i.reference(Reference{Kind: gatehouse.KindAPI, Team: team, Name: name, Part: version, Pointer: jsonx.Pointer(where...), Text: next})
		case !slices.Contains(names, next):
			i.fault("%q is not a version of this API%s", next, Choose(next, names))(where...)
		}
	}
}

// parents checks that teams form a tree.
func (i *inspection) parents(s *gatehouse.Team) {
	me := i.object.Metadata.Name
	chain := []string{me}
	for parent := s.Parent; parent != "" && len(chain) < 100; {
		if chain = append(chain, parent); parent == me {
			i.fault("a team cannot be above itself: %s", strings.Join(chain, " below "))("spec", "parent")
			return
		}
		o := i.find(gatehouse.KindTeam, "", parent)
		if o == nil {
			return
		}
		parent = o.Spec.(*gatehouse.Team).Parent
	}
}

// unverified reports certificates left unverified where that is not allowed.
func (i *inspection) unverified(s *gatehouse.Backend) {
	for _, name := range sorted(s.Environments) {
		if tls := s.Environments[name].TLS; tls == nil || !tls.Insecure {
			continue
		}
		env := i.find(gatehouse.KindEnvironment, "", name)
		if env == nil {
			continue
		}
		if stage := env.Spec.(*gatehouse.Environment).Stage; stage != "dev" {
			i.fault("verification of certificates may be skipped in environments of stage dev only, and %q is of stage %s", name, stage)("spec", "environments", name, "tls", "insecure")
		}
	}
}

// permissions reports those that permit no action there is: a slip of the pen
// would else be a role that silently lacks what it was made for.
func (i *inspection) permissions(s *gatehouse.Role) {
	if i.Actions == nil {
		return
	}
	for n, p := range s.Permissions {
		if slices.ContainsFunc(i.Actions, func(action string) bool { return permits(p, action) }) {
			continue
		}
		known := i.Actions
		noun, verb, _ := strings.Cut(p, ".")
		if noun == "*" || verb == "*" {
			known = patterns(i.Actions)
		}
		detail := "no action has this form"
		if noun != "*" && verb != "*" {
			detail = "there is no such action"
		}
		near := ""
		if word := gatehouse.Nearest(p, known); word != "" {
			near = fmt.Sprintf("; did you mean %q?", word)
		}
		i.fault("%q permits nothing: %s%s", p, detail, near)("spec", "permissions", itoa(n))
	}
}

// permits tells whether a well-formed permission allows the action.
func permits(p, action string) bool {
	noun, verb, _ := strings.Cut(p, ".")
	n, v, two := strings.Cut(action, ".")
	switch {
	case noun == "*" && (verb == "*" || verb == ""):
		return true
	case noun == "*":
		return two && v == verb
	case verb == "*":
		return two && n == noun
	}
	return p == action
}

// patterns are the permissions with a star that allow something.
func patterns(actions []string) []string {
	seen := map[string]bool{}
	for _, a := range actions {
		if noun, verb, ok := strings.Cut(a, "."); ok {
			seen[noun+".*"], seen["*."+verb] = true, true
		}
	}
	return sorted(seen)
}

// Uses goes through every list of policies of an object, each with where it
// stands.
func Uses(o *gatehouse.Object, do func(uses []gatehouse.PolicyUse, pointer ...string)) {
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		for i, v := range s.Versions {
			do(v.Policies, "spec", "versions", itoa(i), "policies")
			for _, name := range sorted(v.Operations) {
				do(v.Operations[name].Policies, "spec", "versions", itoa(i), "operations", name, "policies")
			}
		}
	case *gatehouse.Product:
		for i, plan := range s.Plans {
			do(plan.Policies, "spec", "plans", itoa(i), "policies")
		}
	case *gatehouse.PolicySet:
		do(s.Policies, "spec", "policies")
	case *gatehouse.Environment:
		do(s.Policies, "spec", "policies")
	case *gatehouse.Framework:
		for i, v := range s.Versions {
			for j, m := range v.Policies {
				do(m.Policies, "spec", "versions", itoa(i), "policies", itoa(j), "policies")
			}
		}
	}
}
