package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// metaCheck says whether a value is a schema of its dialect: what is known
// must have the type that the dialect gives it, what is not known is let be.
type metaCheck struct {
	c     *compiler
	done  map[*value]error // of schemas that were looked at; nil for those that are good
	depth int
}

// A metaError is a fault of a schema at a place below it.
type metaError struct {
	path []string
	text string
}

func (e *metaError) Error() string {
	return strings.Join(append([]string{"data"}, e.path...), "/") + " " + e.text
}

func metaFault(format string, args ...any) error {
	return &metaError{text: fmt.Sprintf(format, args...)}
}

// under is the fault of a schema that has the faulty one under a key.
func under(key string, err error) error {
	e, ok := err.(*metaError)
	if !ok || len(e.path) > 50 {
		return err
	}
	return &metaError{append([]string{key}, e.path...), e.text}
}

// metaRule is what a keyword must be, and in which dialects it is known.
type metaRule struct {
	from, until dialect
	check       func(m *metaCheck, v *value) error
}

func metaType(want string, is func(v *value) bool) func(*metaCheck, *value) error {
	return func(_ *metaCheck, v *value) error {
		if !is(v) {
			return metaFault("must be %s", want)
		}
		return nil
	}
}

var (
	metaText   = metaType("text", func(v *value) bool { return v.is(text) })
	metaBool   = metaType("true or false", func(v *value) bool { return v.is(boolean) })
	metaNumber = metaType("a number", func(v *value) bool { return v.is(number) })
	metaList   = metaType("a list", func(v *value) bool { return v.is(list) })
	metaCount  = metaType("a whole number, 0 or more", func(v *value) bool { return v.integer() && v.num >= 0 })
	metaAbove  = metaType("a number above 0", func(v *value) bool { return v.is(number) && v.num > 0 })
	metaRegexp = metaType("a regular expression", func(v *value) bool {
		if !v.is(text) {
			return false
		}
		_, err := compileRegexp(v.str, "")
		// What only our engine does not know is one all the same.
		return err == nil || strings.Contains(err.Error(), "looks ") || strings.Contains(err.Error(), "refers back") || strings.Contains(err.Error(), "repeats ")
	})
	metaURI = metaType("a URI reference", func(v *value) bool { return v.is(text) && textFormat("uri-reference", v.str) })
)

// metaRules are the keywords of JSON Schema in all its drafts.
var metaRules map[string]metaRule

func init() { // the rules for lists of schemas refer to the map
	schemas := metaRule{draft4, draft2020, (*metaCheck).named}
	one := metaRule{draft4, draft2020, (*metaCheck).schema}
	other := metaRule{draft4, draft2020, (*metaCheck).schemaOrTruth}
	several := metaRule{draft4, draft2020, (*metaCheck).several}
	from := func(d dialect, r metaRule) metaRule { r.from = d; return r }
	all := func(f func(*metaCheck, *value) error) metaRule { return metaRule{draft4, draft2020, f} }
	metaRules = map[string]metaRule{
		"$schema": all(metaURI), "$ref": all(metaText), "$comment": from(draft7, all(metaText)), "$id": from(draft6, all(metaURI)), "id": {draft4, draft4, metaText},
		"title": all(metaText), "description": all(metaText), "format": all(metaText), "pattern": all(metaRegexp),
		"contentEncoding": from(draft7, all(metaText)), "contentMediaType": from(draft7, all(metaText)),
		"readOnly": from(draft6, all(metaBool)), "writeOnly": from(draft7, all(metaBool)), "deprecated": from(draft2019, all(metaBool)), "examples": from(draft6, all(metaList)),
		"multipleOf": all(metaAbove), "maximum": all(metaNumber), "minimum": all(metaNumber),
		"exclusiveMaximum": all((*metaCheck).exclusive), "exclusiveMinimum": all((*metaCheck).exclusive),
		"maxLength": all(metaCount), "minLength": all(metaCount), "maxItems": all(metaCount), "minItems": all(metaCount), "maxProperties": all(metaCount), "minProperties": all(metaCount),
		"maxContains": from(draft2019, all(metaCount)), "minContains": from(draft2019, all(metaCount)),
		"uniqueItems": all(metaBool), "required": all((*metaCheck).required), "enum": all((*metaCheck).enum), "type": all((*metaCheck).types),
		"items": all((*metaCheck).items), "additionalItems": other, "contains": from(draft6, one), "prefixItems": from(draft2020, several),
		"properties": schemas, "patternProperties": schemas, "definitions": schemas, "$defs": from(draft2019, schemas), "dependentSchemas": from(draft2019, schemas),
		"dependencies": all((*metaCheck).dependencies), "additionalProperties": other, "propertyNames": from(draft6, one),
		"unevaluatedProperties": from(draft2019, one), "unevaluatedItems": from(draft2019, one),
		"if": from(draft7, one), "then": from(draft7, one), "else": from(draft7, one),
		"allOf": several, "anyOf": several, "oneOf": several, "not": one,
		"$anchor": from(draft2019, all(metaText)), "$dynamicRef": from(draft2020, all(metaText)), "$dynamicAnchor": from(draft2020, all(metaText)),
		"$recursiveRef": from(draft2019, all(metaText)), "$recursiveAnchor": {draft2019, draft2020, (*metaCheck).recursiveAnchor},
	}
}

func (m *metaCheck) follow(v *value) *value {
	if m.c.resolved {
		return v.follow()
	}
	return v
}

func (m *metaCheck) schemaOrTruth(v *value) error {
	if m.follow(v).is(boolean) {
		return nil
	}
	return m.schema(v)
}

func (m *metaCheck) schema(v *value) error {
	v = m.follow(v)
	if v.is(boolean) && m.c.dialect >= draft6 {
		return nil
	}
	if !v.is(object) {
		return metaFault("must be an object")
	}
	if err, known := m.done[v]; known {
		return err
	}
	m.done[v] = nil
	if m.depth++; m.depth > maxSchemaDepth {
		m.depth--
		return errDeep
	}
	err := m.keywords(v)
	m.depth--
	m.done[v] = err
	return err
}

func (m *metaCheck) keywords(v *value) error {
	for i, k := range v.keys {
		r, known := metaRules[k]
		if !known || m.c.dialect < r.from || m.c.dialect > r.until {
			continue
		}
		if k == "required" && m.c.dropTop && v == m.c.root {
			continue
		}
		if err := r.check(m, m.follow(v.items[i])); err != nil {
			return under(k, err)
		}
	}
	if m.c.dialect == draft4 {
		for _, k := range [][2]string{{"exclusiveMaximum", "maximum"}, {"exclusiveMinimum", "minimum"}} {
			if v.has(k[0]) && !v.has(k[1]) {
				return metaFault("must have %s with %s", k[1], k[0])
			}
		}
	}
	return nil
}

func (m *metaCheck) named(v *value) error {
	if !v.is(object) {
		return metaFault("must be an object")
	}
	for i, k := range v.keys {
		if err := m.schema(v.items[i]); err != nil {
			return under(k, err)
		}
	}
	return nil
}

func (m *metaCheck) several(v *value) error {
	if !v.is(list) || len(v.items) == 0 {
		return metaFault("must be a list of schemas")
	}
	for i, e := range v.items {
		if err := m.schema(e); err != nil {
			return under(strconv.Itoa(i), err)
		}
	}
	return nil
}

func (m *metaCheck) items(v *value) error {
	if v.is(list) && m.c.dialect < draft2020 {
		return m.several(v)
	}
	return m.schema(v)
}

func (m *metaCheck) exclusive(v *value) error {
	if m.c.dialect == draft4 {
		return metaBool(m, v)
	}
	return metaNumber(m, v)
}

func (m *metaCheck) recursiveAnchor(v *value) error {
	if m.c.dialect == draft2019 {
		return metaBool(m, v)
	}
	return metaText(m, v)
}

func (m *metaCheck) required(v *value) error {
	if !v.is(list) || m.c.dialect == draft4 && len(v.items) == 0 {
		return metaFault("must be a list of names")
	}
	return uniqueTexts(v)
}

func uniqueTexts(v *value) error {
	seen := make(map[string]bool, len(v.items))
	for _, e := range v.items {
		if !e.is(text) {
			return metaFault("must hold text only")
		}
		if seen[e.str] {
			return metaFault("holds %q twice", e.str)
		}
		seen[e.str] = true
	}
	return nil
}

func (m *metaCheck) enum(v *value) error {
	if !v.is(list) || m.c.dialect == draft4 && len(v.items) == 0 {
		return metaFault("must be a list of values")
	}
	if m.c.dialect == draft4 {
		c := checker{resolved: m.c.resolved}
		if !c.unique(v) {
			return metaFault("%s", c.faults[0].text)
		}
	}
	return nil
}

func (m *metaCheck) types(v *value) error {
	switch {
	case v.is(text) && isJSONType(v.str):
		return nil
	case v.is(list) && len(v.items) > 0:
		if i := slices.IndexFunc(v.items, func(e *value) bool { return !e.is(text) || !isJSONType(e.str) }); i >= 0 {
			return metaFault("holds %s, which is no type", v.items[i].show())
		}
		return uniqueTexts(v)
	}
	return metaFault("is %s, which is no type", v.show())
}

func (m *metaCheck) dependencies(v *value) error {
	if !v.is(object) {
		return metaFault("must be an object")
	}
	for i, k := range v.keys {
		e := m.follow(v.items[i])
		var err error
		if e.is(list) {
			err = uniqueTexts(e)
		} else {
			err = m.schema(e)
		}
		if err != nil {
			return under(k, err)
		}
	}
	return nil
}
