package expr

import (
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
)

// Paths are the values a condition looks at, each from a variable down as far
// as fields are named: "api.data.personal", "operations". Values that agree on
// all of them get the same answer.
func (p *Program) Paths() []string { return p.paths }

func pathsOf(e ast.Expr, vars []string) []string {
	found := map[string]bool{}
	visit(e, vars, found)
	all := slices.Sorted(maps.Keys(found))
	// What lies below another that is looked at whole is looked at with it.
	return slices.DeleteFunc(all, func(p string) bool {
		for i := range p {
			if p[i] == '.' && found[p[:i]] {
				return true
			}
		}
		return false
	})
}

func visit(e ast.Expr, vars []string, found map[string]bool) {
	if path, ok := chain(e); ok {
		name, _, _ := strings.Cut(path, ".")
		if slices.Contains(vars, name) {
			found[path] = true
		}
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		visit(e.AsSelect().Operand(), vars, found)
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			visit(c.Target(), vars, found)
		}
		for _, a := range c.Args() {
			visit(a, vars, found)
		}
	case ast.ListKind:
		for _, a := range e.AsList().Elements() {
			visit(a, vars, found)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			visit(entry.AsMapEntry().Key(), vars, found)
			visit(entry.AsMapEntry().Value(), vars, found)
		}
	case ast.StructKind:
		for _, entry := range e.AsStruct().Fields() {
			visit(entry.AsStructField().Value(), vars, found)
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, part := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			visit(part, vars, found)
		}
	}
}

// chain is "a.b.c" for a variable and the fields selected from it.
func chain(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), true
	case ast.SelectKind:
		s := e.AsSelect()
		if path, ok := chain(s.Operand()); ok {
			return path + "." + s.FieldName(), true
		}
	}
	return "", false
}

// Pick is what values hold at a path; what is not there is nil.
func Pick(values map[string]any, path string) any {
	var at any = values
	for _, name := range strings.Split(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[name]
	}
	return at
}
