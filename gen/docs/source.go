package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strings"
)

// A source is the types of one package, as their comments describe them.
type source map[string]*typ

type typ struct {
	doc    string
	fields []field
	expr   ast.Expr // of a type that is no struct
}

type field struct {
	name     string // in files
	doc      string
	expr     ast.Expr
	optional bool
}

// parse reads the Go files of a folder but its tests.
func parse(dir string) (source, error) {
	pkgs, err := parser.ParseDir(token.NewFileSet(), dir, func(i fs.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("reading types of %q: %w", dir, err)
	}
	s := make(source)
	for _, p := range pkgs {
		for _, f := range p.Files {
			for _, d := range f.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
					s.declare(g)
				}
			}
		}
	}
	return s, nil
}

func (s source) declare(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		ts := spec.(*ast.TypeSpec)
		t := &typ{doc: words(g.Doc), expr: ts.Type}
		if d := words(ts.Doc); d != "" {
			t.doc = d
		}
		if st, ok := ts.Type.(*ast.StructType); ok {
			t.expr = nil
			for _, f := range st.Fields.List {
				t.fields = append(t.fields, fieldsOf(f)...)
			}
		}
		s[ts.Name.Name] = t
	}
}

func fieldsOf(f *ast.Field) []field {
	if f.Tag == nil {
		return nil
	}
	name, opts, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
	if name == "" || name == "-" {
		return nil
	}
	doc := words(f.Doc)
	if line := words(f.Comment); line != "" {
		doc = strings.TrimSpace(doc + " " + line)
	}
	return []field{{name: name, doc: doc, expr: f.Type, optional: strings.Contains(opts, "omitempty") || strings.Contains(opts, "omitzero")}}
}

// words is a comment as running text, paragraphs kept.
func words(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	paragraphs := strings.Split(strings.TrimSpace(c.Text()), "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.NewReplacer("\n", " ", "[", "", "]", "").Replace(p)
	}
	return strings.Join(paragraphs, "\n\n")
}

// typeName writes a type as readers of files know it, and the struct it is made
// of, if any.
func (s source) typeName(e ast.Expr) (text, inner string) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return s.typeName(e.X)
	case *ast.ArrayType:
		text, inner = s.typeName(e.Elt)
		return "list of " + text, inner
	case *ast.MapType:
		text, inner = s.typeName(e.Value)
		return "map to " + text, inner
	case *ast.SelectorExpr:
		switch e.Sel.Name {
		case "Duration":
			return "duration", ""
		case "Time":
			return "time", ""
		}
		return "any value", ""
	case *ast.Ident:
		switch {
		case e.Name == "string":
			return "text", ""
		case e.Name == "bool":
			return "true or false", ""
		case strings.HasPrefix(e.Name, "int"), strings.HasPrefix(e.Name, "uint"), strings.HasPrefix(e.Name, "float"):
			return "number", ""
		case e.Name == "PolicyUse":
			return "policy", ""
		}
		if t, ok := s[e.Name]; ok && t.expr == nil {
			return e.Name, e.Name
		} else if ok {
			return s.typeName(t.expr)
		}
	}
	return "any value", ""
}
