package lint

import (
	"errors"
	"slices"
	"strconv"
)

func oasSchemaOptions(o options) (any, error) {
	if err := o.only("schema"); err != nil {
		return nil, err
	}
	s := o.get("schema")
	if !s.is(object) {
		return nil, o.fault(s.or(o.value), "option \"schema\" is a JSON Schema")
	}
	for _, d := range []dialect{draft4, draft2020} {
		if _, err := (&compiler{dialect: d}).compile(s); err != nil {
			return nil, o.fault(s, "option \"schema\": %s", err)
		}
	}
	return s, nil
}

func oasSchema(c *call, v *value, opts any) error {
	return c.oasJudge(opts.(*value), v, c.path, c.compiler(0))
}

// compiler is for schemas of the document's own dialect.
func (c *call) compiler(relax uint8) *compiler {
	k := &compiler{dialect: draft4, resolved: c.resolved, relax: relax}
	switch f := c.d.formats; {
	case f&(oas3_1|oas3_2) != 0:
		k.dialect = draft2020
		if j := c.d.root.get("jsonSchemaDialect"); j.is(text) {
			if d, ok := dialects[draftOf(j.str)]; ok {
				k.dialect = d
			}
		}
	case f&oas2 != 0:
		k.nullable = "x-nullable"
	case f == 0:
		k.dialect = draft7
	}
	return k
}

func (c *call) oasJudge(schema, v *value, path []string, k *compiler) error {
	if v == nil {
		return c.tell(path, theProperty+"must be there")
	}
	s := c.schemas.get(schema, k)
	if errors.Is(s.err, errMissing) {
		return nil // a circle: there is no schema to judge by
	}
	if s.err != nil {
		return c.tell(path, s.err.Error())
	}
	return c.judge(s.schema, v, false, path)
}

type exampleRule struct {
	field   string // of the schema, "$" for the value itself
	version int
	media   bool
}

func oasExampleOptions(o options) (any, error) {
	if err := o.only("oasVersion", "schemaField", "type"); err != nil {
		return nil, err
	}
	version, err := oasVersionOptions(options{&value{kind: object, keys: []string{"oasVersion"}, items: []*value{o.get("oasVersion").or(&value{})}, at: o.at}, o.function})
	if err != nil {
		return nil, err
	}
	r := exampleRule{version: version.(int)}
	if f := o.get("schemaField"); f.is(text) {
		r.field = f.str
	} else {
		return nil, o.fault(o.value, "option \"schemaField\" names the schema, \"$\" the value itself")
	}
	switch t := o.get("type"); {
	case t.is(text) && t.str == "media":
		r.media = true
	case t.is(text) && t.str == "schema":
	default:
		return nil, o.fault(t.or(o.value), "option \"type\" is \"media\" or \"schema\"")
	}
	return r, nil
}

func oasExample(c *call, v *value, opts any) error {
	if !v.is(object) {
		return nil
	}
	r := opts.(exampleRule)
	schema := v
	if r.field != "$" {
		schema = c.get(v, r.field)
	}
	if !schema.container() {
		return nil
	}
	relax := uint8(0)
	if r.media {
		if relax = c.zone; r.version == 2 && relax == zoneRequest {
			relax = 0
		}
	}
	k := c.compiler(relax)
	k.dropTop = c.d.formats&oas2 != 0 && c.get(schema, "required").is(boolean)
	judge := func(example *value, below ...string) error {
		return c.oasJudge(schema, example, append(slices.Clone(c.path), below...), k)
	}
	if !r.media {
		for _, field := range []string{"example", "x-example", "default"} {
			if e := c.get(v, field); e != nil && (field != "x-example" || r.version == 2) {
				if err := judge(e, field); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if e := c.get(v, "example"); e != nil && r.version == 3 {
		return judge(e, "example")
	}
	examples := c.get(v, "examples")
	if !examples.container() {
		return nil
	}
	for i, e := range examples.items {
		key := strconv.Itoa(i)
		if examples.kind == object {
			key = examples.keys[i]
		}
		var err error
		switch e = c.follow(e); {
		case r.version == 2:
			err = judge(e, "examples", key)
		case e.container() && !e.has("externalValue"):
			err = judge(c.get(e, "value"), "examples", key, "value")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
