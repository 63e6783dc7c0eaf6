package bundle

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/definition"
)

func (c *checker) api(d *Document, s *gatehouse.API) {
	c.ref(d, at("framework"), gatehouse.KindFramework, s.Framework)
	names := versionNames(s)
	for i := range s.Versions {
		v := &s.Versions[i]
		c.ref(d, at("versions", i, "backend"), gatehouse.KindBackend, v.Backend)
		c.policies(d, at("versions", i, "policies"), v.Policies)
		for _, op := range slices.Sorted(maps.Keys(v.Operations)) {
			c.policies(d, at("versions", i, "operations", op, "policies"), v.Operations[op].Policies)
		}
		if v.Deprecation != nil {
			c.successor(d, i, v, names)
		}
		if v.Definition != "" {
			c.definition(d, i, v)
		}
	}
}

func (c *checker) successor(d *Document, i int, v *gatehouse.Version, names []string) {
	s, where := v.Deprecation.Successor, at("versions", i, "deprecation", "successor")
	switch ref, _, _ := strings.Cut(s, "@"); {
	case s == "" || strings.Contains(s, "://"):
	case s == v.Name:
		c.fault(d, where, "%q succeeds itself", s)
	case strings.ContainsAny(s, "/@"):
		c.ref(d, where, gatehouse.KindAPI, ref)
	case !slices.Contains(names, s):
		c.fault(d, where, "%q is not a version of this API%s", s, choose(s, names))
	}
}

// definition checks that the version's definition reads and has every
// operation that policies are attached to.
func (c *checker) definition(d *Document, i int, v *gatehouse.Version) {
	if _, ok := d.Files[path.Clean(v.Definition)]; !ok {
		c.fault(d, at("versions", i, "definition"), "%q does not come with the document", v.Definition)
		return
	}
	def, err := c.bundle.Definition(d, v.Definition)
	if err != nil {
		for _, f := range d.definitionFaults(err) {
			f.Object = d.object.Ref()
			c.found.Faults = append(c.found.Faults, f)
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(v.Operations)) {
		if _, ok := def.Find(name); !ok {
			c.fault(d, at("versions", i, "operations", name), "operation %q is not in definition %q, so its policies would hold nowhere%s",
				name, v.Definition, nearestOperations(name, def))
		}
	}
}

// nearestOperations suggests what an attachment may have meant.
func nearestOperations(name string, def *definition.Definition) string {
	var ids, routes []string
	for _, o := range def.Operations {
		ids, routes = append(ids, o.ID), append(routes, o.Method+" "+o.Path)
	}
	if near := gatehouse.Nearest(name, ids); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if near := gatehouse.Nearest(name, routes); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(ids) > 8 {
		return fmt.Sprintf("; it has %d, among them %q, %q and %q", len(ids), ids[0], ids[1], ids[2])
	}
	return choose(name, ids)
}

// policies checks that every policy of a list exists and takes its
// configuration.
func (c *checker) policies(d *Document, where []string, uses []gatehouse.PolicyUse) {
	for i, u := range uses {
		use := append(slices.Clone(where), fmt.Sprint(i), u.Name)
		if set, ok := u.Set(); ok {
			c.ref(d, use, gatehouse.KindPolicySet, set)
			continue
		}
		if c.Policies == nil || u.Name == gatehouse.PolicySetUse {
			continue
		}
		kind, ok := c.Policies(u.Name)
		if !ok {
			c.fault(d, use, "%q is not a policy%s", u.Name, choose(u.Name, c.PolicyNames))
			continue
		}
		if _, err := kind.Decode(u.Config); err != nil {
			c.fault(d, append(use, PolicyField(err, u.Name)...), "%s", err)
		}
	}
}

// PolicyField is the pointer, in parts, of the field that an error of a policy
// names: its text begins "rate-limit: per: " or "ip-filter: networks[1]: ".
func PolicyField(err error, name string) []string {
	text, field := strings.TrimPrefix(err.Error(), name+": "), ""
	if head, _, ok := strings.Cut(text, ": "); ok {
		field = head
	}
	if unknown, ok := strings.CutPrefix(text, "unknown field "); ok {
		field, _, _ = strings.Cut(strings.TrimPrefix(unknown, `"`), `"`)
	}
	if field == "" || strings.ContainsAny(field, " \"") {
		return nil
	}
	field = strings.NewReplacer("[", ".", "]", "").Replace(field)
	return strings.Split(field, ".")
}
