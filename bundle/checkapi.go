package bundle

import (
	"fmt"
	"path"
	"strings"

	"gatehouse"
)

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
	for _, name := range sorted(v.Operations) {
		if _, ok := def.Find(name); !ok {
			var ids, routes []string
			for _, o := range def.Operations {
				ids, routes = append(ids, o.ID), append(routes, o.Method+" "+o.Path)
			}
			c.fault(d, at("versions", i, "operations", name), "%s", NoOperation(name, v.Definition, ids, routes))
		}
	}
	c.tell(d, func(s Surroundings) ([]Finding, error) { return Parameters(d.object, i, def.Operations, s) })
}

// NoOperation says that a definition lacks an operation to which policies are
// attached, and which of its ids or routes ("POST /orders") may have been meant.
func NoOperation(name, definition string, ids, routes []string) string {
	text := fmt.Sprintf("operation %q is not in definition %q, so its policies would hold nowhere", name, definition)
	for _, known := range [][]string{ids, routes} {
		if near := gatehouse.Nearest(name, known); near != "" {
			return text + fmt.Sprintf("; did you mean %q?", near)
		}
	}
	if len(ids) > 8 {
		return text + fmt.Sprintf("; it has %d, among them %q, %q and %q", len(ids), ids[0], ids[1], ids[2])
	}
	return text + Choose(name, ids)
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
