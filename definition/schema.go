package definition

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse/yamlx"
)

// A generator makes one value that a schema allows, the same one every time. It
// is bounded in steps and depth; what leads back into itself is left out.
type generator struct {
	*openapi
	steps int
	depth int
	open  map[*yamlx.Node]bool // schemas being made
}

// value makes a value; ok is false when it would never end.
func (g *generator) value(at loc, depth int) (any, bool) {
	at, err := g.resolve(at)
	if err != nil || at.node == nil || !yamlx.IsMap(at.node) {
		return nil, err == nil && at.node != nil // a schema of true, or none: null will do
	}
	if g.steps--; g.steps < 0 || g.budget <= 0 || g.open[at.node] || depth > g.depth {
		return nil, false
	}
	g.budget--
	if v, ok := g.written(at.node); ok {
		return v, true
	}
	g.open[at.node] = true
	defer delete(g.open, at.node)
	for _, word := range []string{"oneOf", "anyOf"} {
		if v, ok := g.first(at, word, depth); ok {
			return v, true
		}
	}
	f := g.facts(at, 0)
	switch f.kind() {
	case "object":
		return g.object(f, depth)
	case "array":
		return g.array(f, depth)
	case "string":
		return text(f), true
	case "integer", "number":
		return f.number(f.kind() == "integer"), true
	case "boolean":
		return true, true
	}
	if f.inner != nil { // allOf of one thing that is neither
		return g.value(*f.inner, depth+1)
	}
	return nil, true
}

// written is a value that the schema itself states.
func (g *generator) written(n *yamlx.Node) (any, bool) {
	for _, word := range []string{"example", "const", "default"} {
		if v, ok := raw(g.get(n, word)); ok {
			return v, true
		}
	}
	for _, word := range []string{"examples", "enum"} {
		if list := yamlx.Follow(g.get(n, word)); yamlx.IsList(list) && len(list.Content) > 0 {
			if v, ok := raw(list.Content[0]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

func raw(n *yamlx.Node) (any, bool) {
	if n == nil {
		return nil, false
	}
	b, faults := yamlx.JSON(n)
	if faults != nil || len(b) > maxExample || string(b) == "null" {
		return nil, false
	}
	return b, true
}

// first tries the alternatives in order and adds what stands beside them.
func (g *generator) first(at loc, word string, depth int) (any, bool) {
	list := yamlx.Follow(g.get(at.node, word))
	if !yamlx.IsList(list) {
		return nil, false
	}
	for _, e := range list.Content[:min(len(list.Content), 10)] {
		if yamlx.Text(g.get(e, "type")) == "null" {
			continue
		}
		v, ok := g.value(loc{at.file, e}, depth+1)
		if !ok {
			continue
		}
		m, isMap := v.(map[string]any)
		if f := g.facts(at, 0); isMap && len(f.properties) > 0 {
			if own, ok := g.object(f, depth); ok {
				for k, v := range own.(map[string]any) {
					m[k] = v
				}
			}
		}
		return v, true
	}
	return nil, false
}

// facts are what a schema and its allOf say together.
type facts struct {
	types      []string
	format     string
	properties []property
	required   []string
	additional *loc
	items      *loc
	inner      *loc // last member of allOf
	bounds     map[string]float64
	exclusive  map[string]bool // OpenAPI 3.0: exclusiveMinimum is true or false
}

type property struct {
	name string
	at   loc
}

func (g *generator) facts(at loc, depth int) *facts {
	f := &facts{bounds: make(map[string]float64), exclusive: make(map[string]bool)}
	g.gather(f, at, depth)
	return f
}

func (g *generator) gather(f *facts, at loc, depth int) {
	n := at.node
	if t := yamlx.Follow(g.get(n, "type")); t != nil && f.types == nil {
		if f.types = g.texts(t); t.Kind == yaml.ScalarNode {
			f.types = []string{t.Value}
		}
	}
	if f.format == "" {
		f.format = yamlx.Text(g.get(n, "format"))
	}
	f.required = append(f.required, g.texts(g.get(n, "required"))...)
	if p := yamlx.Follow(g.get(n, "properties")); yamlx.IsMap(p) {
		for i := 0; i+1 < len(p.Content) && len(f.properties) < 500; i += 2 {
			f.properties = append(f.properties, property{p.Content[i].Value, loc{at.file, p.Content[i+1]}})
		}
	}
	if a := g.get(n, "additionalProperties"); yamlx.IsMap(a) {
		f.additional = &loc{at.file, a}
	}
	for _, word := range []string{"items", "prefixItems"} {
		if i := yamlx.Follow(g.get(n, word)); yamlx.IsMap(i) {
			f.items = &loc{at.file, i}
		} else if yamlx.IsList(i) && len(i.Content) > 0 && f.items == nil {
			f.items = &loc{at.file, i.Content[0]}
		}
	}
	for _, word := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties"} {
		v := yamlx.Text(g.get(n, word))
		if x, err := strconv.ParseFloat(v, 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
			f.bounds[word] = x
		}
		f.exclusive[word] = f.exclusive[word] || v == "true"
	}
	all := yamlx.Follow(g.get(n, "allOf"))
	if !yamlx.IsList(all) || depth > 20 {
		return
	}
	for _, e := range all.Content {
		if in, err := g.resolve(loc{at.file, e}); err == nil && yamlx.IsMap(in.node) && g.steps > 0 {
			g.steps--
			f.inner = &in
			g.gather(f, in, depth+1)
		}
	}
}

// kind is the type to make, as the schema says or as its other words imply.
func (f *facts) kind() string {
	for _, t := range f.types {
		if t != "null" {
			return t
		}
	}
	switch {
	case len(f.properties) > 0 || f.additional != nil:
		return "object"
	case f.items != nil:
		return "array"
	case f.format != "" && f.format != "int32" && f.format != "int64" && f.format != "float" && f.format != "double":
		return "string"
	}
	return ""
}

func (g *generator) object(f *facts, depth int) (any, bool) {
	m := make(map[string]any, len(f.properties))
	for _, p := range f.properties {
		if _, done := m[p.name]; done {
			continue
		}
		v, ok := g.value(p.at, depth+1)
		switch {
		case ok:
			m[p.name] = v
		case slices.Contains(f.required, p.name):
			return nil, false
		}
	}
	if f.additional != nil && len(f.properties) == 0 {
		if v, ok := g.value(*f.additional, depth+1); ok {
			m["key"] = v
		}
	}
	for _, name := range f.required {
		if _, ok := m[name]; !ok && len(m) < 600 {
			m[name] = "string" // required, and described nowhere
		}
	}
	return m, true
}

func (g *generator) array(f *facts, depth int) (any, bool) {
	n := 1
	if low, ok := f.bounds["minItems"]; ok && low > 1 {
		n = int(min(low, 20))
	}
	if high, ok := f.bounds["maxItems"]; ok && high < float64(n) {
		n = int(max(high, 0))
	}
	list := []any{}
	for range n {
		if f.items == nil {
			break
		}
		v, ok := g.value(*f.items, depth+1)
		if !ok {
			return list, f.bounds["minItems"] < 1
		}
		list = append(list, v)
	}
	return list, true
}

// number is the least number within the bounds that is not below 1, if any.
func (f *facts) number(whole bool) any {
	low, high := math.Inf(-1), math.Inf(1)
	step := f.bounds["multipleOf"]
	if step <= 0 && whole {
		step = 1
	}
	set := func(word string, to *float64, sign float64) {
		if v, ok := f.bounds[word]; ok {
			*to = v
			name := "exclusive" + strings.ToUpper(word[:1]) + word[1:]
			if f.exclusive[name] {
				*to += sign * max(step, 0.5)
			}
		}
	}
	set("minimum", &low, 1)
	set("maximum", &high, -1)
	if v, ok := f.bounds["exclusiveMinimum"]; ok {
		low = max(low, v+max(step, 0.5))
	}
	if v, ok := f.bounds["exclusiveMaximum"]; ok {
		high = min(high, v-max(step, 0.5))
	}
	v := min(max(1, low), high)
	if step > 0 {
		if v = math.Ceil(v/step) * step; v > high {
			v = math.Floor(high/step) * step
		}
	}
	if whole {
		return json.Number(strconv.FormatFloat(math.Trunc(v), 'f', -1, 64))
	}
	return json.Number(strconv.FormatFloat(v, 'f', -1, 64))
}

// formats are texts that the formats of OpenAPI and JSON Schema allow.
var formats = map[string]string{
	"date": "2024-01-31", "date-time": "2024-01-31T12:00:00Z", "time": "12:00:00Z", "duration": "PT1H",
	"uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "email": "someone@example.com", "idn-email": "someone@example.com",
	"uri": "https://example.com/", "url": "https://example.com/", "uri-reference": "/example", "iri": "https://example.com/",
	"hostname": "example.com", "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ip": "192.0.2.1", "ipv6": "2001:db8::1",
	"byte": "c3RyaW5n", "base64": "c3RyaW5n", "binary": "string", "password": "string", "json-pointer": "/example", "regex": "^a$",
}

func text(f *facts) string {
	v, fixed := formats[f.format]
	if !fixed {
		v = "string"
	}
	if low := int(min(f.bounds["minLength"], 1000)); len(v) < low {
		v = strings.Repeat(v+" ", low/len(v)+1)[:low]
	}
	if high, ok := f.bounds["maxLength"]; ok && !fixed && float64(len(v)) > high {
		v = v[:int(max(high, 0))]
	}
	return v
}
