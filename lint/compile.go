package lint

import (
	"errors"
	"fmt"
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
