package lint

import (
	"fmt"
	"strconv"
	"strings"
)

// metaCheck says whether a value is a schema of its dialect: what is known
// must have the type that the dialect gives it, what is not known is let be.
type metaCheck struct {
	c    *compiler
	done map[*value]bool
}

// rule of a keyword: from which dialect on it is known, and what it must be.
type metaRule struct {
	from  dialect
	until dialect
	check func(m *metaCheck, v *value, at string) error
}

func metaType(want string, is func(v *value) bool) func(*metaCheck, *value, string) error {
	return func(_ *metaCheck, v *value, at string) error {
		if !is(v) {
			return fmt.Errorf("%s must be %s", at, want)
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
	several := metaRule{draft4, draft2020, (*metaCheck).several}
	from := func(d dialect, r metaRule) metaRule { r.from = d; return r }
	all := func(f func(*metaCheck, *value, string) error) metaRule { return metaRule{draft4, draft2020, f} }
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
		"items": all((*metaCheck).items), "additionalItems": one, "contains": from(draft6, one), "prefixItems": from(draft2020, several),
		"properties": schemas, "patternProperties": schemas, "definitions": schemas, "$defs": from(draft2019, schemas), "dependentSchemas": from(draft2019, schemas),
		"dependencies": all((*metaCheck).dependencies), "additionalProperties": one, "propertyNames": from(draft6, one),
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

func (m *metaCheck) schema(v *value, at string) error {
	v = m.follow(v)
	if v.is(boolean) && (m.c.dialect >= draft6 || strings.HasSuffix(at, "/additionalProperties") || strings.HasSuffix(at, "/additionalItems")) {
		return nil
	}
	if !v.is(object) {
		return fmt.Errorf("%s must be an object", at)
	}
	if m.done[v] {
		return nil
	}
	m.done[v] = true
	for i, k := range v.keys {
		r, known := metaRules[k]
		if !known || m.c.dialect < r.from || m.c.dialect > r.until {
			continue
		}
		if k == "required" && m.c.dropTop && at == "data" {
			continue
		}
		if err := r.check(m, m.follow(v.items[i]), at+"/"+k); err != nil {
			return err
		}
	}
	if m.c.dialect == draft4 {
		for _, k := range [][2]string{{"exclusiveMaximum", "maximum"}, {"exclusiveMinimum", "minimum"}} {
			if v.has(k[0]) && !v.has(k[1]) {
				return fmt.Errorf("%s must have %s with %s", at, k[1], k[0])
			}
		}
	}
	return nil
}

func (m *metaCheck) named(v *value, at string) error {
	if !v.is(object) {
		return fmt.Errorf("%s must be an object", at)
	}
	for i, k := range v.keys {
		if err := m.schema(v.items[i], at+"/"+k); err != nil {
			return err
		}
	}
	return nil
}

func (m *metaCheck) several(v *value, at string) error {
	if !v.is(list) || len(v.items) == 0 {
		return fmt.Errorf("%s must be a list of schemas", at)
	}
	for i, e := range v.items {
		if err := m.schema(e, at+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func (m *metaCheck) items(v *value, at string) error {
	if v.is(list) && m.c.dialect < draft2020 {
		return m.several(v, at)
	}
	return m.schema(v, at)
}

func (m *metaCheck) exclusive(v *value, at string) error {
	if m.c.dialect == draft4 {
		return metaBool(m, v, at)
	}
	return metaNumber(m, v, at)
}

func (m *metaCheck) recursiveAnchor(v *value, at string) error {
	if m.c.dialect == draft2019 {
		return metaBool(m, v, at)
	}
	return metaText(m, v, at)
}

func (m *metaCheck) required(v *value, at string) error {
	if !v.is(list) || m.c.dialect == draft4 && len(v.items) == 0 {
		return fmt.Errorf("%s must be a list of names", at)
	}
	return uniqueTexts(v, at)
}

func uniqueTexts(v *value, at string) error {
	seen := make(map[string]bool, len(v.items))
	for _, e := range v.items {
		if !e.is(text) {
			return fmt.Errorf("%s must hold text only", at)
		}
		if seen[e.str] {
			return fmt.Errorf("%s holds %q twice", at, e.str)
		}
		seen[e.str] = true
	}
	return nil
}

func (m *metaCheck) enum(v *value, at string) error {
	if !v.is(list) || m.c.dialect == draft4 && len(v.items) == 0 {
		return fmt.Errorf("%s must be a list of values", at)
	}
	if m.c.dialect == draft4 {
		c := checker{resolved: m.c.resolved}
		if !c.unique(v) {
			return fmt.Errorf("%s %s", at, c.faults[0].text)
		}
	}
	return nil
}

func (m *metaCheck) types(v *value, at string) error {
	switch {
	case v.is(text) && isJSONType(v.str):
		return nil
	case v.is(list) && len(v.items) > 0:
		for _, e := range v.items {
			if !e.is(text) || !isJSONType(e.str) {
				return fmt.Errorf("%s holds %s, which is no type", at, e.show())
			}
		}
		return uniqueTexts(v, at)
	}
	return fmt.Errorf("%s is %s, which is no type", at, v.show())
}

func (m *metaCheck) dependencies(v *value, at string) error {
	if !v.is(object) {
		return fmt.Errorf("%s must be an object", at)
	}
	for i, k := range v.keys {
		e := m.follow(v.items[i])
		if e.is(list) {
			if err := uniqueTexts(e, at+"/"+k); err != nil {
				return err
			}
		} else if err := m.schema(e, at+"/"+k); err != nil {
			return err
		}
	}
	return nil
}
