package lint

import (
	"math"
)

func (c *compiler) limit(v *value, key string) *float64 {
	if m := c.get(v, key); m.is(number) {
		return &m.num
	}
	return nil
}

func (c *compiler) numbers(s *schema, v *value) error {
	n := &numberRules{max: c.limit(v, "maximum"), min: c.limit(v, "minimum"), multiple: c.limit(v, "multipleOf")}
	if c.dialect == draft4 {
		if c.get(v, "exclusiveMaximum").truthy() {
			n.under, n.max = n.max, nil
		}
		if c.get(v, "exclusiveMinimum").truthy() {
			n.over, n.min = n.min, nil
		}
	} else {
		n.under, n.over = c.limit(v, "exclusiveMaximum"), c.limit(v, "exclusiveMinimum")
	}
	if *n != (numberRules{}) {
		s.number = n
	}
	if f := c.get(v, "format"); f.is(text) {
		s.format = f.str
	}
	return nil
}

func (c *compiler) texts(s *schema, v *value) error {
	t := &textRules{max: c.limit(v, "maxLength"), min: c.limit(v, "minLength")}
	if p := c.get(v, "pattern"); p.is(text) {
		// What Go's engine cannot tell is not asked: a schema in a document is
		// not a rule, and its author is not here to change it.
		t.source = p.str
		t.pattern, _ = compileRegexp(p.str, "")
	}
	if *t != (textRules{}) {
		s.str = t
	}
	return nil
}

func (c *compiler) arrays(s *schema, v *value) (err error) {
	a := &arrayRules{max: c.limit(v, "maxItems"), min: c.limit(v, "minItems"), unique: c.get(v, "uniqueItems").truthy()}
	found := a.max != nil || a.min != nil || v.has("uniqueItems")
	items := c.get(v, "items")
	switch {
	case c.dialect == draft2020:
		if a.prefix, err = c.several(c.get(v, "prefixItems")); err != nil {
			return err
		}
		if items != nil && !items.is(list) {
			a.rest, err = c.schema(items)
		}
	case items.is(list):
		if a.prefix, err = c.several(items); err == nil {
			a.additional = true
			a.rest, err = c.optional(v, "additionalItems")
		}
	case items != nil:
		a.rest, err = c.schema(items)
	}
	if err != nil {
		return err
	}
	if c.dialect >= draft6 {
		if a.contains, err = c.optional(v, "contains"); err != nil {
			return err
		}
	}
	if c.dialect >= draft2019 {
		a.minContains, a.maxContains = c.limit(v, "minContains"), c.limit(v, "maxContains")
		if a.unevaluated, err = c.optional(v, "unevaluatedItems"); err != nil {
			return err
		}
	}
	if found || items != nil || a.prefix != nil || a.contains != nil || a.unevaluated != nil {
		s.array = a
	}
	return nil
}

func (c *compiler) objects(s *schema, v *value) (err error) {
	o := &objectRules{max: c.limit(v, "maxProperties"), min: c.limit(v, "minProperties"), required: c.required(v)}
	found := o.max != nil || o.min != nil || o.required != nil
	if c.dialect >= draft6 {
		if o.names, err = c.optional(v, "propertyNames"); err != nil {
			return err
		}
	}
	if o.additional, err = c.optional(v, "additionalProperties"); err != nil {
		return err
	}
	o.hasOther = o.additional != nil
	if o.deps, err = c.dependencies(c.get(v, "dependencies")); err != nil {
		return err
	}
	if err := c.properties(o, v); err != nil {
		return err
	}
	if c.dialect >= draft2019 {
		for _, key := range []string{"dependentRequired", "dependentSchemas"} {
			deps, err := c.dependencies(c.get(v, key))
			if err != nil {
				return err
			}
			o.laterDeps = append(o.laterDeps, deps...)
		}
		if o.unevaluated, err = c.optional(v, "unevaluatedProperties"); err != nil {
			return err
		}
	}
	if found || o.names != nil || o.hasOther || o.deps != nil || c.get(v, "properties").is(object) || c.get(v, "patternProperties").is(object) || o.laterDeps != nil || o.unevaluated != nil {
		s.obj = o
	}
	return nil
}

// required are the members that must be there; of a request those that are
// only read are not, and of a response those that are only written.
func (c *compiler) required(v *value) []string {
	m := c.get(v, "required")
	if !m.is(list) {
		return nil
	}
	names := make([]string, 0, len(m.items))
	for _, e := range m.items {
		if !e.is(text) || c.relaxed(v, e.str) {
			continue
		}
		names = append(names, e.str)
	}
	if len(names) == 0 {
		return nil
	}
	return names
}

func (c *compiler) relaxed(v *value, name string) bool {
	key := ""
	switch c.relax {
	case zoneRequest:
		key = "readOnly"
	case zoneResponse:
		key = "writeOnly"
	default:
		return false
	}
	m := c.get(c.get(c.get(v, "properties"), name), key)
	return m.is(boolean) && m.truth
}

func (c *compiler) properties(o *objectRules, v *value) error {
	if m := c.get(v, "properties"); m.is(object) {
		o.byName = make(map[string]int, len(m.keys))
		for i, k := range m.keys {
			s, err := c.schema(m.items[i])
			if err != nil {
				return err
			}
			o.byName[k] = len(o.props)
			o.props = append(o.props, property{k, s})
		}
	}
	if m := c.get(v, "patternProperties"); m.is(object) {
		for i, k := range m.keys {
			s, err := c.schema(m.items[i])
			if err != nil {
				return err
			}
			if re, err := compileRegexp(k, ""); err == nil {
				o.patterns = append(o.patterns, patternProperty{re, s})
			}
		}
	}
	return nil
}

func (c *compiler) dependencies(v *value) (deps []dependency, err error) {
	if !v.is(object) {
		return nil, nil
	}
	for i, k := range v.keys {
		d := dependency{name: k}
		if m := v.items[i]; m.is(list) {
			for _, e := range m.items {
				d.required = append(d.required, e.str)
			}
		} else if d.schema, err = c.schema(m); err != nil {
			return nil, err
		}
		deps = append(deps, d)
	}
	return deps, nil
}

func integral(f float64) bool { return f == math.Trunc(f) }
