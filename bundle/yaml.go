package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/yamlx"
)

// YAML writes an object as a YAML document: apiVersion, kind, metadata and spec
// in the order of the kind's fields. Reading it gives the same object.
func YAML(object json.RawMessage) ([]byte, error) {
	tree, err := jsonx.Tree(object)
	if err != nil {
		return nil, fmt.Errorf("writing a document: %w", err)
	}
	m, _ := tree.(map[string]any)
	kind, _ := m["kind"].(string)
	var spec reflect.Type
	if info, ok := gatehouse.Info(kind); ok {
		spec = reflect.TypeOf(info.New())
	}
	root := node(tree, reflect.TypeFor[gatehouse.Object](), spec)
	text, err := dump(root)
	if err != nil {
		return nil, err
	}
	if same(text, object) {
		return text, nil
	}
	var b bytes.Buffer // something YAML could not carry: JSON is YAML too
	if err := json.Indent(&b, object, "", "  "); err != nil {
		return nil, fmt.Errorf("writing a document: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// same proves that text reads as the object.
func same(text []byte, object json.RawMessage) bool {
	docs, err := yamlx.Parse(text)
	if err != nil || len(docs) != 1 {
		return false
	}
	back, faults := yamlx.JSON(docs[0])
	if faults != nil {
		return false
	}
	a, err1 := jsonx.Canonical(back)
	b, err2 := jsonx.Canonical(object)
	return err1 == nil && err2 == nil && bytes.Equal(a, b)
}

func dump(root *yamlx.Node) ([]byte, error) {
	var b bytes.Buffer
	d, err := yaml.NewDumper(&b, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	if err == nil {
		err = d.Dump(root)
	}
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return bytes.TrimPrefix(b.Bytes(), []byte("---\n")), nil
}

// node makes YAML of a tree, the keys of known types in the order of fields.
func node(v any, t, spec reflect.Type) *yamlx.Node {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[gatehouse.Spec]() {
		return node(v, spec, nil)
	}
	switch v := v.(type) {
	case map[string]any:
		n := &yamlx.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, f := range order(v, t) {
			n.Content = append(n.Content, scalar(f.name), node(v[f.name], f.typ, spec))
		}
		if len(v) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	case []any:
		n := &yamlx.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		var elem reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			elem = t.Elem()
		}
		for _, e := range v {
			n.Content = append(n.Content, node(e, elem, spec))
		}
		if len(v) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	case string:
		return scalar(v)
	case json.Number:
		return &yamlx.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: v.String()}
	case bool:
		return &yamlx.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}
	}
	return &yamlx.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}

// scalar is text, quoted where plain it would be read as something else, here
// or by programs that still follow YAML 1.1.
func scalar(s string) *yamlx.Node {
	n := &yamlx.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	plain := &yamlx.Node{Kind: yaml.ScalarNode, Value: s}
	resolved, err := yamlx.Scalar(plain)
	switch {
	case strings.Contains(s, "\n") && !strings.ContainsAny(s, "\r\t") && strings.TrimSpace(s) != "":
		n.Style = yaml.LiteralStyle
	case err != nil || len(resolved) == 0 || resolved[0] != '"' || old[strings.ToLower(s)]:
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

var old = map[string]bool{"yes": true, "no": true, "on": true, "off": true, "y": true, "n": true, "=": true, "<<": true}

type field struct {
	name string
	typ  reflect.Type
}

// order is the keys of m: those of the type's fields first, in their order.
func order(m map[string]any, t reflect.Type) []field {
	var out []field
	rest := maps.Clone(m)
	if t != nil && t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if _, ok := rest[name]; ok {
				out = append(out, field{name, f.Type})
				delete(rest, name)
			}
		}
	}
	var elem reflect.Type
	if t != nil && t.Kind() == reflect.Map {
		elem = t.Elem()
	}
	for _, k := range slices.Sorted(maps.Keys(rest)) {
		out = append(out, field{k, elem})
	}
	return out
}
