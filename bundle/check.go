package bundle

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/admission"
	"gatehouse/jsonx"
	"gatehouse/policy"
	"gatehouse/rule"
)

// A Lookup finds an object that is not in the bundle. Built-in roles are found
// with a nil object.
type Lookup func(kind gatehouse.Kind, team, name string) (o *gatehouse.Object, ok bool, err error)

// CheckOptions say what a bundle is checked against.
type CheckOptions struct {
	// Policies finds a policy by name; nil leaves configurations unread.
	Policies func(name string) (policy.Kind, bool)
	// PolicyNames are all names, to suggest one.
	PolicyNames []string
	// Lookup finds what is stored already. Without it (no server), references
	// into the same team must be met by the bundle; whether an organization's
	// or another team's object exists cannot be known and is a note.
	Lookup Lookup
	// Strict makes notes on references faults: the bundle must be complete.
	Strict bool
	// Partial makes faults on references notes: the bundle is a part.
	Partial bool
	// Claims are the stored versions with a base path; nil: none are known.
	Claims func(path string) ([]Claim, error)
}

// Findings are what a check found. Notes keep nothing from being applied.
type Findings struct{ Faults, Notes []gatehouse.Fault }

// Err is the faults as one error of kind gatehouse.Invalid, nil without any.
func (f Findings) Err() error { return gatehouse.InvalidFaults(clip(f.Faults)) }

// Check checks the documents of a decoded bundle against one another, their
// definitions, and what the options know. The error is one of Lookup or Claims;
// what is wrong with the bundle is in the findings.
func Check(b *Bundle, o CheckOptions) (Findings, error) {
	c := &checker{CheckOptions: o, bundle: b, own: make(map[string]*Document, len(b.Documents))}
	c.found.Faults = duplicates(b)
	for i := range b.Documents {
		if d := &b.Documents[i]; d.object != nil {
			c.own[d.object.Key()] = d
		}
	}
	for i := range b.Documents {
		if d := &b.Documents[i]; d.object != nil && c.err == nil {
			c.document(d)
		}
		if len(c.found.Faults) >= MaxFaults {
			break
		}
	}
	c.routes()
	c.found.Faults = clip(c.found.Faults)
	return c.found, c.err
}

type checker struct {
	CheckOptions
	bundle *Bundle
	own    map[string]*Document
	found  Findings
	err    error
}

func (c *checker) fault(d *Document, pointer []string, format string, args ...any) {
	c.found.Faults = append(c.found.Faults, d.fault(jsonx.Pointer(pointer...), format, args...))
}

// at is a pointer into the spec.
func at(parts ...any) []string {
	out := []string{"spec"}
	for _, p := range parts {
		out = append(out, fmt.Sprint(p))
	}
	return out
}

// find looks for an object in the bundle, then in the store.
func (c *checker) find(kind gatehouse.Kind, team, name string) (*gatehouse.Object, bool) {
	if d, ok := c.own[gatehouse.Key(kind, team, name)]; ok {
		return d.object, true
	}
	if c.Lookup == nil || c.err != nil {
		return nil, false
	}
	o, ok, err := c.Lookup(kind, team, name)
	if err != nil {
		c.err = fmt.Errorf("looking up %s %q: %w", kind, gatehouse.Metadata{Team: team, Name: name}.Ref(), err)
	}
	return o, ok
}

// ref reports a reference that leads to nothing. It returns the object if that
// is at hand.
func (c *checker) ref(d *Document, pointer []string, kind gatehouse.Kind, ref string) *gatehouse.Object {
	if ref == "" {
		return nil
	}
	team, name := "", ref
	if info, _ := gatehouse.Info(string(kind)); info.Owned {
		if team, name = gatehouse.ParseRef(ref, d.object.Metadata.Team); team == "" {
			c.fault(d, pointer, "%q: an organization's object names a team's as \"team/%s\"", ref, ref)
			return nil
		}
	}
	o, ok := c.find(kind, team, name)
	if !ok && c.err == nil {
		c.dangling(d, pointer, kind, team, name, ref)
	}
	return o
}

func (c *checker) dangling(d *Document, pointer []string, kind gatehouse.Kind, team, name, ref string) {
	elsewhere := c.Lookup == nil && (team == "" || team != d.object.Metadata.Team)
	detail := fmt.Sprintf("%s %q does not exist", Noun(kind), ref)
	if c.Lookup == nil {
		detail = fmt.Sprintf("%s %q is not in these files", Noun(kind), ref)
	}
	if near := c.near(kind, team, name); near != "" {
		detail += fmt.Sprintf("; did you mean %q?", near)
	}
	f := d.fault(jsonx.Pointer(pointer...), "%s", detail)
	if c.Partial || elsewhere && !c.Strict {
		if len(c.found.Notes) < MaxFaults {
			c.found.Notes = append(c.found.Notes, f)
		}
		return
	}
	c.found.Faults = append(c.found.Faults, f)
}

// near is the bundle's object of the kind whose name is nearest.
func (c *checker) near(kind gatehouse.Kind, team, name string) string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(c.own)) {
		if rest, ok := strings.CutPrefix(key, strings.TrimSuffix(gatehouse.Key(kind, team, "x"), "x")); ok {
			names = append(names, rest)
		}
	}
	return gatehouse.Nearest(name, names)
}

func (c *checker) document(d *Document) {
	if team := d.object.Metadata.Team; team != "" {
		c.ref(d, []string{"metadata", "team"}, gatehouse.KindTeam, team)
	}
	switch s := d.object.Spec.(type) {
	case *gatehouse.API:
		c.api(d, s)
	case *gatehouse.Backend:
		c.backend(d, s)
	case *gatehouse.PolicySet:
		c.policies(d, at("policies"), s.Policies)
	case *gatehouse.Product:
		c.product(d, s)
	case *gatehouse.Subscription:
		c.subscription(d, s)
	case *gatehouse.Environment:
		c.environment(d, s)
	case *gatehouse.Gateway:
		c.ref(d, at("environment"), gatehouse.KindEnvironment, s.Environment)
	case *gatehouse.RoleAssignment:
		if !slices.Contains(gatehouse.BuiltInRoles, s.Role) {
			c.ref(d, at("role"), gatehouse.KindRole, s.Role)
		}
		c.scope(d, s.Scope)
	case *gatehouse.Team:
		c.parent(d, s)
		for i, env := range s.Environments {
			c.ref(d, at("environments", i), gatehouse.KindEnvironment, env)
		}
	case *gatehouse.ServiceAccount:
		c.ref(d, at("team"), gatehouse.KindTeam, s.Team)
	case *gatehouse.Framework:
		for _, f := range admission.Check(s) {
			c.fault(d, at("versions", f.Version, "onboarding", "autoApprove", f.Rule), "%s", f.Detail)
		}
		for i := range s.Versions {
			c.controls(d, i, &s.Versions[i])
			for j, m := range s.Versions[i].Policies {
				c.policies(d, at("versions", i, "policies", j, "policies"), m.Policies)
			}
		}
	}
}

// controls makes the controls of a version that may still change ready, as the
// gate does, and reports those that cannot be.
func (c *checker) controls(d *Document, version int, v *gatehouse.FrameworkVersion) {
	if v.State != "" && v.State != gatehouse.Draft {
		return
	}
	_, faults := rule.All(v, func(name string) ([]byte, error) {
		data, ok := c.bundle.Files[d.Files[path.Clean(name)]]
		if !ok {
			return nil, fmt.Errorf("file %q is missing", name)
		}
		return data, nil
	})
	for _, f := range faults {
		c.fault(d, append(at("versions", version), jsonx.PointerParts(f.Pointer)...), "%s", f.Detail)
	}
}

func (c *checker) environment(d *Document, s *gatehouse.Environment) {
	c.policies(d, at("policies"), s.Policies)
	if s.Release == nil {
		return
	}
	for i, after := range s.Release.After {
		if after == d.object.Metadata.Name {
			c.fault(d, at("release", "after", i), "%q waits for itself", after)
			continue
		}
		c.ref(d, at("release", "after", i), gatehouse.KindEnvironment, after)
	}
}

// scope checks the object that a role assignment names.
func (c *checker) scope(d *Document, scope string) {
	kind, rest, _ := strings.Cut(scope, "/")
	switch kind {
	case "organization":
	case "team":
		c.ref(d, at("scope"), gatehouse.KindTeam, rest)
	case "environment":
		c.ref(d, at("scope"), gatehouse.KindEnvironment, rest)
	default:
		c.ref(d, at("scope"), gatehouse.Kind(kind), rest)
	}
}

// parent checks that teams form a tree.
func (c *checker) parent(d *Document, s *gatehouse.Team) {
	c.ref(d, at("parent"), gatehouse.KindTeam, s.Parent)
	chain := []string{d.object.Metadata.Name}
	for parent := s.Parent; parent != "" && len(chain) < 100; {
		chain = append(chain, parent)
		if parent == d.object.Metadata.Name {
			c.fault(d, at("parent"), "a team cannot be above itself: %s", strings.Join(chain, " below "))
			return
		}
		o, ok := c.find(gatehouse.KindTeam, "", parent)
		if !ok || o == nil {
			return
		}
		parent = o.Spec.(*gatehouse.Team).Parent
	}
}

func (c *checker) backend(d *Document, s *gatehouse.Backend) {
	for _, name := range slices.Sorted(maps.Keys(s.Environments)) {
		env := c.ref(d, at("environments", name), gatehouse.KindEnvironment, name)
		tls := s.Environments[name].TLS
		if env == nil || tls == nil || !tls.Insecure {
			continue
		}
		if stage := env.Spec.(*gatehouse.Environment).Stage; stage != "dev" {
			c.fault(d, at("environments", name, "tls", "insecure"), "verification of certificates may be skipped in environments of stage dev only, and %q is of stage %s", name, stage)
		}
	}
}

func (c *checker) product(d *Document, s *gatehouse.Product) {
	for i, ref := range s.APIs {
		name, version, pinned := strings.Cut(ref, "@")
		api := c.ref(d, at("apis", i), gatehouse.KindAPI, name)
		if api == nil || !pinned {
			continue
		}
		names := versionNames(api.Spec.(*gatehouse.API))
		if !slices.Contains(names, version) {
			c.fault(d, at("apis", i), "API %q has no version %q%s", name, version, choose(version, names))
		}
	}
	for i, p := range s.Plans {
		c.policies(d, at("plans", i, "policies"), p.Policies)
	}
}

func (c *checker) subscription(d *Document, s *gatehouse.Subscription) {
	if t, _ := gatehouse.ParseRef(s.Application, d.object.Metadata.Team); t != d.object.Metadata.Team {
		c.fault(d, at("application"), "application %q belongs to another team: a subscription is of its application's team", s.Application)
	}
	c.ref(d, at("application"), gatehouse.KindApplication, s.Application)
	c.ref(d, at("environment"), gatehouse.KindEnvironment, s.Environment)
	product := c.ref(d, at("product"), gatehouse.KindProduct, s.Product)
	if product == nil {
		return
	}
	var plans []string
	for _, p := range product.Spec.(*gatehouse.Product).Plans {
		plans = append(plans, p.Name)
	}
	if !slices.Contains(plans, s.Plan) {
		c.fault(d, at("plan"), "product %q has no plan %q%s", s.Product, s.Plan, choose(s.Plan, plans))
	}
}

// Noun is how a kind reads in a sentence.
func Noun(k gatehouse.Kind) string {
	info, ok := gatehouse.Info(string(k))
	switch {
	case k == gatehouse.KindAPI:
		return "API"
	case !ok:
		return strings.ToLower(string(k))
	}
	return strings.ReplaceAll(strings.TrimSuffix(info.Plural, "s"), "-", " ")
}

func versionNames(a *gatehouse.API) []string {
	var names []string
	for _, v := range a.Versions {
		names = append(names, v.Name)
	}
	return names
}

// choose is what follows an unknown word: the nearest known one, else all.
func choose(word string, known []string) string {
	if near := gatehouse.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 12 {
		return ""
	}
	quoted := make([]string, len(known))
	for i, k := range known {
		quoted[i] = fmt.Sprintf("%q", k)
	}
	return "; there is " + strings.Join(quoted, ", ")
}
