package bundle

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
)

// A Reference is one place where an object names another.
type Reference struct {
	Kind       gatehouse.Kind
	Team, Name string
	Part       string // version of an API or plan of a product; "" for the whole
	Pointer    string
	Text       string // as written
}

// Key is the key of what is named.
func (r Reference) Key() string { return gatehouse.Key(r.Kind, r.Team, r.Name) }

// References lists what an object names, in the order it stands there.
func References(o *gatehouse.Object) []Reference {
	c := collector{team: o.Metadata.Team}
	if c.team != "" {
		c.add(gatehouse.KindTeam, "", c.team, c.team, "metadata", "team")
	}
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		c.api(s)
	case *gatehouse.Product:
		c.product(s)
	case *gatehouse.Subscription:
		c.owned(gatehouse.KindApplication, s.Application, "spec", "application")
		c.product1(s)
		c.add(gatehouse.KindEnvironment, "", s.Environment, s.Environment, "spec", "environment")
	case *gatehouse.Backend:
		for _, env := range sorted(s.Environments) {
			c.add(gatehouse.KindEnvironment, "", env, env, "spec", "environments", env)
		}
	case *gatehouse.PolicySet:
		c.uses(s.Policies, "spec", "policies")
	case *gatehouse.Environment:
		c.uses(s.Policies, "spec", "policies")
		if s.Release != nil {
			for i, e := range s.Release.After {
				c.add(gatehouse.KindEnvironment, "", e, e, "spec", "release", "after", itoa(i))
			}
		}
		if s.Gate != nil {
			for i, f := range s.Gate.Accepts {
				c.add(gatehouse.KindFramework, "", f, f, "spec", "gate", "accepts", itoa(i))
			}
		}
	case *gatehouse.Gateway:
		c.add(gatehouse.KindEnvironment, "", s.Environment, s.Environment, "spec", "environment")
	case *gatehouse.Framework:
		for i, v := range s.Versions {
			if v.Service != nil {
				c.add(gatehouse.KindTeam, "", v.Service.Team, v.Service.Team, "spec", "versions", itoa(i), "service", "team")
			}
			for j, m := range v.Policies {
				c.uses(m.Policies, "spec", "versions", itoa(i), "policies", itoa(j), "policies")
			}
		}
	case *gatehouse.Team:
		c.add(gatehouse.KindTeam, "", s.Parent, s.Parent, "spec", "parent")
		for i, e := range s.Environments {
			c.add(gatehouse.KindEnvironment, "", e, e, "spec", "environments", itoa(i))
		}
	case *gatehouse.ServiceAccount:
		c.add(gatehouse.KindTeam, "", s.Team, s.Team, "spec", "team")
	case *gatehouse.RoleAssignment:
		c.add(gatehouse.KindRole, "", s.Role, s.Role, "spec", "role")
		c.scope(s.Scope)
	}
	return c.found
}

type collector struct {
	team  string
	found []Reference
}

func (c *collector) add(kind gatehouse.Kind, team, name, text string, pointer ...string) {
	if name != "" {
		c.found = append(c.found, Reference{Kind: kind, Team: team, Name: name, Text: text, Pointer: jsonx.Pointer(pointer...)})
	}
}

func (c *collector) owned(kind gatehouse.Kind, ref string, pointer ...string) {
	if ref != "" {
		team, name := gatehouse.ParseRef(ref, c.team)
		c.add(kind, team, name, ref, pointer...)
	}
}

func (c *collector) uses(uses []gatehouse.PolicyUse, pointer ...string) {
	for i, u := range uses {
		if ref, ok := u.Set(); ok {
			c.owned(gatehouse.KindPolicySet, ref, append(pointer[:len(pointer):len(pointer)], itoa(i), u.Name)...)
		}
	}
}

func (c *collector) api(s *gatehouse.API) {
	c.add(gatehouse.KindFramework, "", s.Framework, s.Framework, "spec", "framework")
	for i, v := range s.Versions {
		at := []string{"spec", "versions", itoa(i)}
		c.owned(gatehouse.KindBackend, v.Backend, append(at[:3:3], "backend")...)
		c.uses(v.Policies, append(at[:3:3], "policies")...)
		for _, name := range sorted(v.Operations) {
			c.uses(v.Operations[name].Policies, append(at[:3:3], "operations", name, "policies")...)
		}
	}
}

func (c *collector) product(s *gatehouse.Product) {
	for i, ref := range s.APIs {
		team, name, version, _ := gatehouse.ParseVersionRef(ref, c.team)
		c.found = append(c.found, Reference{
			Kind: gatehouse.KindAPI, Team: team, Name: name, Part: version, Text: ref, Pointer: jsonx.Pointer("spec", "apis", itoa(i)),
		})
	}
	for i, p := range s.Plans {
		c.uses(p.Policies, "spec", "plans", itoa(i), "policies")
	}
}

func (c *collector) product1(s *gatehouse.Subscription) {
	team, name := gatehouse.ParseRef(s.Product, c.team)
	c.found = append(c.found, Reference{
		Kind: gatehouse.KindProduct, Team: team, Name: name, Part: s.Plan, Text: s.Product, Pointer: jsonx.Pointer("spec", "product"),
	})
}

func (c *collector) scope(scope string) {
	kind, rest, ok := strings.Cut(scope, "/")
	switch {
	case !ok:
	case kind == "team":
		c.add(gatehouse.KindTeam, "", rest, rest, "spec", "scope")
	case kind == "environment":
		c.add(gatehouse.KindEnvironment, "", rest, rest, "spec", "scope")
	default:
		info, known := gatehouse.Info(kind)
		team, name, owned := strings.Cut(rest, "/")
		if known && info.Owned == owned {
			if !owned {
				team, name = "", rest
			}
			c.add(info.Kind, team, name, rest, "spec", "scope")
		}
	}
}

func itoa(i int) string { return strconv.Itoa(i) }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
