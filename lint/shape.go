package lint

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The structure of documents is told in files of shapes. A shape is the type
// of a value, or an object of fields and their types:
//
//	text, text FORMAT, text /REGEXP/     number, above0, count, bool, any, object
//	one of A B C, text one of A B C      is X, true
//	list T, some T (not empty), set T    map T, names T (keys of components)
//	NAME of another shape                ref NAME: that, or a reference
//
// "name!" is a field that must be there, "/REGEXP/" stands for all fields that
// match, "x-" for extensions. A field of any other name is too many, unless
// "+" says open; "+: untyped" lets what is no object pass. "=keyword" is a
// keyword of JSON Schema, word for word; there "#/NAME" and "#/ref:NAME" lead
// to shapes.
//
//go:embed shapes/*.yaml
var shapeFiles embed.FS

// shapeOf is the schema of documents of a format, compiled when it is needed first.
var shapeOf = map[formatSet]func() (*schema, error){
	oas2:   shapesFrom("oas2"),
	oas3_0: shapesFrom("oas3_0"),
	oas3_1: shapesFrom("oas3_1", "schema2020"),
	oas3_2: shapesFrom("oas3_2", "schema2020"),
}

func shapesFrom(names ...string) func() (*schema, error) {
	return sync.OnceValues(func() (*schema, error) {
		s := &shapes{defs: &value{kind: object, index: make(map[string]int)}}
		for _, n := range names {
			data, err := shapeFiles.ReadFile("shapes/" + n + ".yaml")
			if err != nil {
				return nil, err
			}
			root, _, err := readValue(n+".yaml", data)
			if err != nil {
				return nil, err
			}
			if err := s.read(root); err != nil {
				return nil, fmt.Errorf("%s.yaml: %w", n, err)
			}
		}
		s.defs.set("$ref", stringValue("#/Document"))
		return (&compiler{dialect: draft2020}).compile(s.defs)
	})
}

// shapes turns the notation into JSON Schema.
type shapes struct {
	defs   *value
	closed string // the keyword that closes objects
}

func stringValue(s string) *value { return &value{kind: text, str: s} }

func objectValue(pairs ...any) *value {
	v := &value{kind: object}
	for i := 0; i < len(pairs); i += 2 {
		v.set(pairs[i].(string), pairs[i+1].(*value))
	}
	return v
}

func listValue(items ...*value) *value { return &value{kind: list, items: items} }
func trueValue(b bool) *value          { return &value{kind: boolean, truth: b} }
func numValue(n float64) *value        { return &value{kind: number, num: n} }

func (s *shapes) read(root *value) error {
	if c := root.get("closed"); c != nil {
		s.closed = c.str
	}
	defs := root.get("shapes")
	for i, name := range defs.keys {
		v, err := s.shape(defs.items[i])
		if err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
		s.defs.set(name, v)
		s.defs.set("ref:"+name, orReference(name))
	}
	return nil
}

// orReference is a shape, or a reference where there is a "$ref".
func orReference(name string) *value {
	return objectValue("if", objectValue("type", stringValue("object"), "required", listValue(stringValue("$ref"))),
		"then", reference("Reference"), "else", reference(name))
}

func reference(name string) *value { return objectValue("$ref", stringValue("#/"+name)) }

func (s *shapes) shape(v *value) (*value, error) {
	switch v.kind {
	case text:
		return s.typed(v.str)
	case boolean:
		return objectValue("type", stringValue("boolean"), "enum", listValue(v)), nil
	case object:
		return s.fields(v)
	}
	return nil, fmt.Errorf("%s is no shape", v.show())
}

func (s *shapes) fields(v *value) (*value, error) {
	out, raw, closed, typed := &value{kind: object}, true, true, true
	var required []*value
	props, patterns := &value{kind: object}, &value{kind: object}
	for i, k := range v.keys {
		m := v.items[i]
		if strings.HasPrefix(k, "=") {
			out.set(k[1:], m)
			continue
		}
		raw = false
		if k == "+" {
			closed, typed = !strings.Contains(m.str, "open"), !strings.Contains(m.str, "untyped")
			continue
		}
		sub, err := s.shape(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		switch name, must := strings.CutSuffix(k, "!"); {
		case k == "x-":
			patterns.set("^x-", trueValue(true))
		case strings.HasPrefix(k, "/"):
			patterns.set(strings.TrimSuffix(k[1:], "/"), sub)
		default:
			props.set(name, sub)
			if must {
				required = append(required, stringValue(name))
			}
		}
	}
	if raw {
		return out, nil
	}
	if typed {
		out.set("type", stringValue("object"))
	}
	if required != nil {
		out.set("required", listValue(required...))
	}
	out.set("properties", props)
	if len(patterns.keys) > 0 {
		out.set("patternProperties", patterns)
	}
	if closed {
		out.set(s.closed, trueValue(false))
	}
	return out, nil
}

// typed reads a type in one line.
func (s *shapes) typed(line string) (*value, error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "any":
		return trueValue(true), nil
	case "object":
		return objectValue("type", stringValue("object")), nil
	case "bool":
		return objectValue("type", stringValue("boolean")), nil
	case "number":
		return objectValue("type", stringValue("number")), nil
	case "above0":
		return objectValue("type", stringValue("number"), "exclusiveMinimum", numValue(0)), nil
	case "count":
		return objectValue("type", stringValue("integer"), "minimum", numValue(0)), nil
	case "is":
		return objectValue("const", stringValue(rest)), nil
	case "one":
		return objectValue("enum", words(rest)), nil
	case "text":
		return textShape(rest)
	case "list", "some", "set", "map", "names":
		return s.several(word, rest)
	case "ref":
		return reference("ref:" + rest), nil
	}
	if rest != "" || word == "" || word[0] < 'A' || word[0] > 'Z' {
		return nil, fmt.Errorf("%q is no type", line)
	}
	return reference(word), nil
}

func words(of string) *value {
	out := &value{kind: list}
	for w := range strings.FieldsSeq(strings.TrimPrefix(of, "of ")) {
		out.items = append(out.items, stringValue(w))
	}
	return out
}

func textShape(rest string) (*value, error) {
	v := objectValue("type", stringValue("string"))
	if head, pattern, ok := strings.Cut(rest, "/"); ok {
		v.set("pattern", stringValue(strings.TrimSuffix(pattern, "/")))
		rest = strings.TrimSpace(head)
	}
	if strings.HasPrefix(rest, "one of ") {
		v.set("enum", words(rest[len("one "):]))
	} else if rest != "" {
		if _, known := textFormats[rest]; !known {
			return nil, fmt.Errorf("%q is no format", rest)
		}
		v.set("format", stringValue(rest))
	}
	return v, nil
}

func (s *shapes) several(word, of string) (*value, error) {
	inner, err := s.typed(of)
	if err != nil {
		return nil, err
	}
	switch word {
	case "map":
		return objectValue("type", stringValue("object"), "additionalProperties", inner), nil
	case "names":
		return objectValue("type", stringValue("object"), "patternProperties", objectValue(`^[a-zA-Z0-9._\-]+$`, inner)), nil
	}
	v := objectValue("type", stringValue("array"), "items", inner)
	if word == "some" {
		v.set("minItems", numValue(1))
	} else if word == "set" {
		v.set("uniqueItems", trueValue(true))
	}
	return v, nil
}

// oasDocumentSchema tells what is wrong with the structure of a document.
func oasDocumentSchema(c *call, v *value, _ any) error {
	shape := oas3_0
	for _, f := range []formatSet{oas3_1, oas3_2, oas2} {
		if c.d.formats&f != 0 {
			shape = f
		}
	}
	if c.d.formats&(oas2|oas3) == 0 {
		return nil
	}
	s, err := shapeOf[shape]()
	if err != nil {
		return err
	}
	k := checker{all: true, resolved: c.resolved, steps: c.steps}
	if k.run(s, v, nil) {
		return nil
	}
	for _, f := range k.faults {
		if f.keyword == "if" {
			continue
		}
		at := append(slices.Clone(c.path), f.path...)
		if f.prop != "" {
			at = append(at, f.prop)
		}
		if err := c.tell(at, theProperty+f.text); err != nil {
			return err
		}
	}
	return nil
}
