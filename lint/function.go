package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A function judges one value for a rule.
type function struct {
	// options reads "functionOptions" when the ruleset is read; nil for a
	// function that takes none.
	options func(o options) (any, error)
	run     func(c *call, v *value, opts any) error
}

// A call is one value that a function judges. v is nil for a field that is
// not there.
type call struct {
	d        *Document
	path     []string // of the value
	resolved bool
	zone     uint8
	steps    *int
	schemas  *schemaCache
	tell     func(path []string, message string) error
}

// say tells a fault of the value itself.
func (c *call) say(format string, args ...any) error {
	return c.tell(c.path, fmt.Sprintf(format, args...))
}

// at tells a fault below the value.
func (c *call) at(message string, below ...string) error {
	return c.tell(append(slices.Clone(c.path), below...), message)
}

// get is a member, references followed if the rule looks at them so.
func (c *call) get(v *value, key string) *value {
	m := v.get(key)
	if c.resolved {
		return m.follow()
	}
	return m
}

// follow is an item as the rule looks at it.
func (c *call) follow(v *value) *value {
	if c.resolved {
		return v.follow()
	}
	return v
}

// Messages use these where Spectral's functions name what they judge.
const (
	theProperty = `#{{print("property")}}`
	theValue    = `#{{print("value")}}`
)

// functions are all there are: a ruleset cannot bring its own.
var functions = map[string]function{
	"truthy":                     {nil, truthy},
	"falsy":                      {nil, falsy},
	"defined":                    {nil, defined},
	"undefined":                  {nil, notDefined},
	"enumeration":                {enumerationOptions, enumeration},
	"length":                     {lengthOptions, length},
	"pattern":                    {patternOptions, pattern},
	"casing":                     {casingOptions, casing},
	"alphabetical":               {alphabeticalOptions, alphabetical},
	"xor":                        {propertiesOptions, xor},
	"or":                         {propertiesOptions, or},
	"schema":                     {schemaOptions, schemaFunction},
	"typedEnum":                  {nil, typedEnum},
	"unreferencedReusableObject": {unreferencedOptions, unreferenced},
	"oasDiscriminator":           {nil, oasDiscriminator},
	"oasDocumentSchema":          {nil, oasDocumentSchema},
	"oasExample":                 {oasExampleOptions, oasExample},
	"oasOpFormDataConsumeCheck":  {nil, oasOpFormDataConsumeCheck},
	"oasOpIdUnique":              {nil, oasOpIDUnique},
	"oasOpParams":                {nil, oasOpParams},
	"oasOpSuccessResponse":       {nil, oasOpSuccessResponse},
	"oasPathParam":               {nil, oasPathParam},
	"oasSchema":                  {oasSchemaOptions, oasSchema},
	"oasSecurityDefined":         {oasVersionOptions, oasSecurityDefined},
	"oasTagDefined":              {nil, oasTagDefined},
	"oasUnusedComponent":         {nil, oasUnusedComponent},
	"refSiblings":                {nil, refSiblings},
	"serverVariables":            {serverVariablesOptions, serverVariables},
	"uniquenessTags":             {nil, uniquenessTags},
}

// functionAliases are older or other names of the same.
var functionAliases = map[string]string{
	"oasOpSecurityDefined": "oasSecurityDefined",
	"oasOpTags":            "oasTagDefined",
}

// Functions are the names that rules may call.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// options are what a rule gives its function.
type options struct {
	*value
	function string
}

func (o options) fault(v *value, format string, args ...any) error {
	return &optionError{v, fmt.Sprintf("function %q: ", o.function) + fmt.Sprintf(format, args...)}
}

// An optionError names the option at fault.
type optionError struct {
	at   *value
	text string
}

func (e *optionError) Error() string { return e.text }

// only refuses what is not known, and options that are no object.
func (o options) only(names ...string) error {
	if o.value == nil {
		return o.fault(nil, "options are missing: %s", strings.Join(names, ", "))
	}
	if !o.is(object) {
		return o.fault(o.value, "options are an object with %s", strings.Join(names, ", "))
	}
	for i, k := range o.keys {
		if !slices.Contains(names, k) {
			return o.fault(o.items[i], "option %q is not known: %s", k, strings.Join(names, ", "))
		}
	}
	return nil
}

// strings reads an option that is a list of text.
func (o options) strings(name string, least int) ([]string, error) {
	v := o.get(name)
	if !v.is(list) || len(v.items) < least {
		return nil, o.fault(v.or(o.value), "option %q is a list of at least %d texts", name, least)
	}
	out := make([]string, len(v.items))
	for i, e := range v.items {
		if !e.is(text) {
			return nil, o.fault(e, "option %q holds text only", name)
		}
		out[i] = e.str
	}
	return out, nil
}

// or is v, or another value where there is none.
func (v *value) or(other *value) *value {
	if v != nil {
		return v
	}
	return other
}
