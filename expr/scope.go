package expr

import (
	"fmt"
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Vars are the variables a condition may ask about, by name.
type Vars map[string]*Type

// A Type is what is known of a value before it is there.
type Type struct {
	kind   kind
	name   string
	of     *Type
	fields map[string]*Type
}

type kind int

const (
	dyn kind = iota
	boolean
	integer
	number
	text
	list
	dict
	object
)

// Types of values. Any is whatever JSON holds: its fields are not checked
// before the condition is asked.
var (
	Any    = &Type{kind: dyn}
	Bool   = &Type{kind: boolean}
	Int    = &Type{kind: integer}
	Number = &Type{kind: number}
	String = &Type{kind: text}
)

// List is a list of of.
func List(of *Type) *Type { return &Type{kind: list, of: of} }

// Map is a map from strings to of.
func Map(of *Type) *Type { return &Type{kind: dict, of: of} }

// Object is a map whose fields are known: asking for another is an error of
// the text. The name is for messages, and says the same fields wherever used.
func Object(name string, fields map[string]*Type) *Type {
	return &Type{kind: object, name: "object." + name, fields: fields} // apart from variables' names
}

// Fields are the names of an object's fields, in order.
func (t *Type) Fields() []string { return slices.Sorted(maps.Keys(t.fields)) }

// A Scope compiles conditions over the same variables.
type Scope struct {
	env   *cel.Env
	names []string
}

// Declare makes the scope of variables.
func Declare(vars Vars) (*Scope, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := &provider{Registry: registry, objects: map[string]*Type{}}
	options := []cel.EnvOption{
		cel.CustomTypeAdapter(registry), cel.CustomTypeProvider(p), cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true), cel.ParserExpressionSizeLimit(MaxText), cel.ParserRecursionLimit(maxNesting),
		cel.ExpressionNodeLimit(maxNodes), cel.ExpressionNestingDepthLimit(maxNesting), cel.RegexProgramSizeLimit(maxRegexp),
	}
	s := &Scope{names: slices.Sorted(maps.Keys(vars))}
	for _, name := range s.names {
		options = append(options, cel.Variable(name, p.add(vars[name])))
	}
	if s.env, err = cel.NewEnv(options...); err != nil {
		return nil, fmt.Errorf("declaring variables: %w", err)
	}
	return s, nil
}

// A provider tells CEL the fields of objects, which are maps when they run.
type provider struct {
	*types.Registry
	objects map[string]*Type
}

// add is the CEL type of t; objects below it become known.
func (p *provider) add(t *Type) *types.Type {
	if t == nil {
		return types.DynType
	}
	switch t.kind {
	case boolean:
		return types.BoolType
	case integer:
		return types.IntType
	case number:
		return types.DoubleType
	case text:
		return types.StringType
	case list:
		return types.NewListType(p.add(t.of))
	case dict:
		return types.NewMapType(types.StringType, p.add(t.of))
	case object:
		if p.objects[t.name] == nil {
			p.objects[t.name] = t
			for _, f := range t.fields {
				p.add(f)
			}
		}
		return types.NewObjectType(t.name)
	}
	return types.DynType
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return nil, false // no messages can be made: a condition asks, it builds nothing
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if o, ok := p.objects[name]; ok {
		return o.Fields(), true
	}
	return nil, false
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if o, ok := p.objects[name]; ok && o.fields[field] != nil {
		return &types.FieldType{Type: p.add(o.fields[field])}, true
	}
	return nil, false
}
