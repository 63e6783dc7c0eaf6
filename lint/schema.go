package lint

import (
	"regexp"
	"strings"
)

// A dialect is which edition of JSON Schema a schema is written in.
type dialect uint8

const (
	draft4 dialect = iota
	draft6
	draft7
	draft2019
	draft2020
)

var dialects = map[string]dialect{"draft4": draft4, "draft6": draft6, "draft7": draft7, "draft2019-09": draft2019, "draft2020-12": draft2020}

// A schema is a compiled JSON Schema. It checks in the order in which the
// validator behind Spectral does, because of a value with several faults only
// the first is told.
type schema struct {
	never     bool // the schema false
	types     typeSet
	typeFirst bool // the type is asked before all else
	ref       *schema
	constant  *value
	enum      []*value
	hasEnum   bool
	not       *schema
	anyOf     []*schema
	oneOf     []*schema
	allOf     []*schema
	cond      *schema
	then      *schema
	otherwise *schema
	number    *numberRules
	str       *textRules
	format    string
	array     *arrayRules
	obj       *objectRules
	errorText *errorTexts
}

type numberRules struct {
	max, min, over, under, multiple *float64 // over and under are exclusive
}

type textRules struct {
	max, min *float64
	pattern  *regexp.Regexp
	source   string
}

type arrayRules struct {
	max, min    *float64
	unique      bool
	prefix      []*schema
	rest        *schema // beyond prefix
	additional  bool    // rest is "additionalItems"
	contains    *schema
	minContains *float64
	maxContains *float64
	unevaluated *schema
}

type objectRules struct {
	max, min    *float64
	required    []string
	names       *schema
	additional  *schema
	hasOther    bool // additional is told
	deps        []dependency
	props       []property
	byName      map[string]int
	patterns    []patternProperty
	laterDeps   []dependency // dependentRequired and dependentSchemas
	unevaluated *schema
}

type property struct {
	name   string
	schema *schema
}

type patternProperty struct {
	re     *regexp.Regexp
	schema *schema
}

type dependency struct {
	name     string
	required []string
	schema   *schema
}

// errorTexts is "errorMessage": one text for all faults, or one for each keyword.
type errorTexts struct {
	all     string
	keyword map[string]string
}

// A typeSet holds types of JSON.
type typeSet uint8

const (
	tArray typeSet = 1 << iota
	tBoolean
	tInteger
	tNull
	tNumber
	tObject
	tString
)

var typeBits = map[string]typeSet{"array": tArray, "boolean": tBoolean, "integer": tInteger, "null": tNull, "number": tNumber, "object": tObject, "string": tString}

func (t typeSet) String() string {
	var names []string
	for _, n := range []string{"string", "number", "integer", "boolean", "object", "array", "null"} {
		if t&typeBits[n] != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

func (t typeSet) holds(v *value) bool {
	switch v.kind {
	case null:
		return t&tNull != 0
	case boolean:
		return t&tBoolean != 0
	case number:
		return t&tNumber != 0 || t&tInteger != 0 && v.integer()
	case text:
		return t&tString != 0
	case list:
		return t&tArray != 0
	}
	return t&tObject != 0
}
