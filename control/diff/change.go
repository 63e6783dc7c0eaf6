package diff

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/definition/breaking"
	"gatehouse/jsonx"
)

// compareForms says what two revisions do otherwise beside their definitions:
// where they answer, to whom, by which steps. Those who call are told by level:
// an error stops some of them, a warning may.
func compareForms(a, b *gatehouse.RevisionForm) (all []breaking.Change) {
	add := func(level, id, format string, args ...any) {
		all = append(all, breaking.Change{ID: id, Level: level, Text: fmt.Sprintf(format, args...)})
	}
	va, vb := &a.Version, &b.Version
	if p, q := strings.TrimRight(va.Path, "/"), strings.TrimRight(vb.Path, "/"); p != q {
		add(breaking.Error, "path-changed", "the public path %s becomes %s", va.Path, vb.Path)
	}
	for _, h := range va.Hosts {
		if !slices.Contains(vb.Hosts, h) && len(vb.Hosts) > 0 {
			add(breaking.Error, "host-removed", "it does not answer on host %s any more", h)
		}
	}
	if len(va.Hosts) == 0 && len(vb.Hosts) > 0 {
		add(breaking.Warn, "hosts-named", "it answers on %s only, no longer on all hosts of the environment", strings.Join(vb.Hosts, ", "))
	}
	if x, y := accessOf(va), accessOf(vb); x != y {
		level := breaking.Error
		if y == "open" {
			level = breaking.Info
		}
		add(level, "access-changed", "access %s becomes %s", x, y)
	}
	if x, y := audienceOf(a), audienceOf(b); x != y {
		level := breaking.Info
		if slices.Index(audiences, y) < slices.Index(audiences, x) {
			level = breaking.Error
		}
		add(level, "audience-changed", "audience %s becomes %s", x, y)
	}
	lifecycle(va, vb, add)
	if va.AllowUndefined && !vb.AllowUndefined {
		add(breaking.Warn, "undefined-refused", "paths and methods that the definition does not name are refused now")
	}
	if va.Definition == "" && vb.Definition != "" {
		add(breaking.Warn, "definition-added", "it has a definition now: what that does not name is refused, unless allowUndefined lets it pass")
	}
	if x, y := backendOf(a), backendOf(b); x != y {
		add(breaking.Info, "backend-changed", "backend %q becomes %q", x, y)
	}
	if a.Framework != b.Framework {
		add(breaking.Info, "framework-changed", "framework %q becomes %q", a.Framework, b.Framework)
	}
	all = append(all, compareUses(va.Policies, vb.Policies, "")...)
	for _, op := range union(keys(va.Operations), keys(vb.Operations)) {
		all = append(all, compareUses(va.Operations[op].Policies, vb.Operations[op].Policies, op)...)
	}
	for _, set := range union(keys(a.PolicySets), keys(b.PolicySets)) {
		x, inA := a.PolicySets[set]
		y, inB := b.PolicySets[set]
		if inA && inB && !same(x, y) {
			add(breaking.Warn, "policy-set-changed", "policy set %q, which it includes, has other policies", set)
		}
	}
	return all
}

var audiences = []string{"internal", "partner", "public"}

func accessOf(v *gatehouse.Version) string {
	if v.Access == "" {
		return "subscription"
	}
	return v.Access
}

func audienceOf(f *gatehouse.RevisionForm) string {
	if f.Audience == "" {
		return "internal"
	}
	return f.Audience
}

func backendOf(f *gatehouse.RevisionForm) string {
	if f.Version.Backend == "" {
		return ""
	}
	team, name := gatehouse.ParseRef(f.Version.Backend, f.Team)
	return team + "/" + name
}

func lifecycle(a, b *gatehouse.Version, add func(level, id, format string, args ...any)) {
	state := func(v *gatehouse.Version) string {
		if v.Lifecycle == "" {
			return "published"
		}
		return v.Lifecycle
	}
	x, y := state(a), state(b)
	switch {
	case x == y:
	case y == "retired" || y == "design":
		add(breaking.Error, "lifecycle-changed", "lifecycle %s becomes %s: it is not served any more", x, y)
	case y == "deprecated":
		add(breaking.Info, "lifecycle-changed", "it is deprecated now%s", sunset(b))
	default:
		add(breaking.Info, "lifecycle-changed", "lifecycle %s becomes %s", x, y)
	}
}

func sunset(v *gatehouse.Version) string {
	text := ""
	if d := v.Deprecation; d != nil {
		if d.Sunset != "" {
			text += ", sunset " + d.Sunset
		}
		if d.Successor != "" {
			text += ", successor " + d.Successor
		}
	}
	return text
}

// compareUses compares two lists of policies, by name; op is "" for those of
// the whole version.
func compareUses(a, b []gatehouse.PolicyUse, op string) (all []breaking.Change) {
	where := "the version"
	if op != "" {
		where = "operation " + op
	}
	named := func(uses []gatehouse.PolicyUse, name string) (of []gatehouse.PolicyUse) {
		for _, u := range uses {
			if u.Name == name {
				of = append(of, u)
			}
		}
		return of
	}
	var names []string
	for _, u := range slices.Concat(a, b) {
		if !slices.Contains(names, u.Name) {
			names = append(names, u.Name)
		}
	}
	for _, name := range names {
		x, y := named(a, name), named(b, name)
		c := breaking.Change{Operation: op, Level: breaking.Warn}
		switch {
		case len(x) == 0:
			c.ID, c.Text = "policy-added", fmt.Sprintf("policy %s is added to %s", name, where)
		case len(y) == 0:
			c.ID, c.Level, c.Text = "policy-removed", breaking.Info, fmt.Sprintf("policy %s is taken off %s", name, where)
		case !same(x, y):
			c.ID, c.Text = "policy-changed", fmt.Sprintf("policy %s of %s is configured otherwise", name, where)
		default:
			continue
		}
		all = append(all, c)
	}
	return all
}

func same(a, b any) bool {
	x, errA := jsonx.Canonical(a)
	y, errB := jsonx.Canonical(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
