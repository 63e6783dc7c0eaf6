package lint

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// errMissing is a reference within a schema that leads nowhere there. Where
// references of the document are resolved before, it is one of a circle, and
// nothing is judged by such a schema.
var errMissing = errors.New("reference leads nowhere")

// A compiler makes schemas of values.
type compiler struct {
	dialect  dialect
	resolved bool
	nullable string // the key that allows null: "nullable" or "x-nullable"
	relax    uint8  // zoneRequest, zoneResponse: readOnly or writeOnly members are not required
	root     *value // that "#" leads to; nil when references are not followed
	dropTop  bool   // "required" of the top is a truth value of OpenAPI 2
	done     map[compileKey]compiled
	depth    int
	steps    *int // left; nil where the schema is bounded by its text
}

// maxSchemaDepth bounds how deep schemas nest through references.
const maxSchemaDepth = 2000

var errDeep = errors.New("schema nests too deep")

type compileKey struct {
	v     *value
	relax uint8
}

// compile makes a schema of a value, its references resolved within it.
func (c *compiler) compile(v *value) (*schema, error) {
	if c.resolved {
		v = v.follow()
	}
	c.root, c.done = v, make(map[compileKey]compiled)
	if err := (&metaCheck{c: c, done: make(map[*value]error)}).schema(v); err != nil {
		return nil, fmt.Errorf("schema is not valid: %w", err)
	}
	return c.schema(v)
}

func (c *compiler) get(v *value, key string) *value {
	m := v.get(key)
	if c.resolved {
		m = m.follow()
	}
	return m
}

func (c *compiler) schema(v *value) (*schema, error) {
	if c.resolved {
		v = v.follow()
	}
	k := compileKey{v, c.relax}
	if s, ok := c.done[k]; ok {
		return s.schema, s.err
	}
	if c.steps != nil {
		if *c.steps--; *c.steps < 0 {
			return nil, errDeep
		}
	}
	s := &schema{}
	if v.is(boolean) {
		s.never = !v.truth
		return s, nil
	}
	if !v.is(object) {
		return nil, fmt.Errorf("a schema is an object, not %s", v.show())
	}
	if c.depth++; c.depth > maxSchemaDepth {
		return nil, errDeep
	}
	c.done[k] = compiled{schema: s}
	err := c.fill(s, v)
	c.depth--
	if err != nil {
		c.done[k] = compiled{err: err}
		return nil, err
	}
	return s, nil
}

func (c *compiler) fill(s *schema, v *value) error {
	if ref := c.get(v, "$ref"); ref.is(text) {
		to, err := c.target(ref.str)
		if err != nil {
			return err
		}
		if s.ref, err = c.schema(to); err != nil {
			return err
		}
	}
	if err := c.types(s, v); err != nil {
		return err
	}
	if m := c.get(v, "const"); m != nil && c.dialect >= draft6 {
		s.constant = m
	}
	if m := c.get(v, "enum"); m.is(list) {
		if len(m.items) == 0 {
			return errors.New("enum must have values")
		}
		s.enum, s.hasEnum = m.items, true
	}
	for _, step := range []func(*schema, *value) error{c.combine, c.numbers, c.texts, c.arrays, c.objects} {
		if err := step(s, v); err != nil {
			return err
		}
	}
	if m := c.get(v, "errorMessage"); m.is(text) {
		s.errorText = &errorTexts{all: m.str}
	} else if m.is(object) {
		s.errorText = &errorTexts{keyword: make(map[string]string)}
		for i, k := range m.keys {
			if m.items[i].is(text) {
				s.errorText.keyword[k] = m.items[i].str
			}
		}
	}
	s.typeFirst = s.types != 0 && !s.rulesFor()
	return nil
}

// rulesFor reports whether there is one type and rules of that type: then the
// type is asked only where those rules would be.
func (s *schema) rulesFor() bool {
	switch s.types {
	case tNumber:
		return s.number != nil || s.format != ""
	case tString:
		return s.str != nil || s.format != ""
	case tArray:
		return s.array != nil
	case tObject:
		return s.obj != nil
	}
	return false
}

func (c *compiler) target(ref string) (*value, error) {
	fragment, ok := strings.CutPrefix(ref, "#")
	if !ok || c.root == nil {
		return nil, errMissing
	}
	path, ok := pointerPath(fragment)
	if !ok {
		return nil, errMissing
	}
	to := c.root
	for _, p := range path {
		if to = c.get(to, p); to == nil {
			return nil, errMissing
		}
	}
	return to, nil
}

func (c *compiler) types(s *schema, v *value) error {
	switch t := c.get(v, "type"); {
	case t.is(text):
		s.types = typeBits[t.str]
	case t.is(list):
		for _, e := range t.items {
			s.types |= typeBits[e.str]
		}
	}
	key := "nullable"
	if c.nullable != "" && v.has(c.nullable) {
		key = c.nullable
	}
	n := c.get(v, key)
	if n == nil || key != "nullable" && !n.truth {
		return nil
	}
	switch {
	case !n.is(boolean):
		return errors.New("nullable is true or false")
	case s.types&tNull != 0:
		if !n.truth {
			return errors.New("the type null and nullable: false are at odds")
		}
	case s.types == 0:
		return fmt.Errorf("%q means nothing without \"type\"", key)
	case n.truth:
		s.types |= tNull
	}
	return nil
}

func (c *compiler) combine(s *schema, v *value) (err error) {
	relax := c.relax
	c.relax = 0
	s.not, err = c.optional(v, "not")
	if c.relax = relax; err != nil {
		return err
	}
	for key, into := range map[string]*[]*schema{"anyOf": &s.anyOf, "oneOf": &s.oneOf, "allOf": &s.allOf} {
		if *into, err = c.several(c.get(v, key)); err != nil {
			return err
		}
	}
	if c.dialect >= draft7 {
		for key, into := range map[string]**schema{"if": &s.cond, "then": &s.then, "else": &s.otherwise} {
			if *into, err = c.optional(v, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *compiler) optional(v *value, key string) (*schema, error) {
	m := c.get(v, key)
	if m == nil {
		return nil, nil
	}
	return c.schema(m)
}

func (c *compiler) several(v *value) ([]*schema, error) {
	if !v.is(list) {
		return nil, nil
	}
	out := make([]*schema, len(v.items))
	for i, e := range v.items {
		var err error
		if out[i], err = c.schema(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

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
