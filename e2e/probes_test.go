package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// probesOf reads a definition by a plain YAML reader, so that what the program
// leaves out is missed, and makes requests for each operation.
func probesOf(t *testing.T, api, file string) []probe {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	paths, _ := doc["paths"].(map[string]any)
	mixed := false
	for key := range paths {
		mixed = mixed || mixedSegment.MatchString(key)
	}
	values := []string{"%C3%BCber%20~1", "'$&()*,=!'", "100%25", "a+b"}
	if !mixed { // else they might be the text around another template's parameter
		values = append(values, "a.b:c@d-e_f", "..a", "%7Bx%7D")
	}
	var probes []probe
	routes, ids := map[string]bool{}, map[string]int{}
	for _, key := range inOrder(t, data, paths) {
		if strings.HasPrefix(key, "x-") {
			continue
		}
		template, _ := cutQuery(key)
		for _, op := range operationsOf(doc, paths[key]) {
			if route := op.method + " " + template; routes[route] {
				continue // told apart by a query, which no request is routed by
			} else {
				routes[route] = true
			}
			id := op.id
			if ids[id]++; id == "" || ids[id] > 1 {
				id = op.method + " " + key
			}
			plain, n := filled(template, func(i int) string { return fmt.Sprintf("p%d", i) })
			probes = append(probes, probe{api, id, op.method, plain})
			if n > 0 {
				strange, _ := filled(template, func(i int) string { return values[(len(probes)+i)%len(values)] })
				probes = append(probes, probe{api, id, op.method, strange})
			}
		}
	}
	return probes
}

type operation struct{ method, id string }

// operationsOf lists what a path item has, seen through a reference.
func operationsOf(doc map[string]any, item any) (ops []operation) {
	m, _ := item.(map[string]any)
	if ref, ok := m["$ref"].(string); ok && strings.HasPrefix(ref, "#/") {
		var at any = doc
		for part := range strings.SplitSeq(ref[2:], "/") {
			part, _ = url.PathUnescape(part)
			at = at.(map[string]any)[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		m, _ = at.(map[string]any)
	}
	methods := []string{"get", "put", "post", "delete", "options", "head", "patch"}
	if doc["swagger"] == nil {
		methods = append(methods, "trace", "query")
	}
	for _, method := range methods {
		if op, ok := m[method].(map[string]any); ok {
			id, _ := op["operationId"].(string)
			ops = append(ops, operation{strings.ToUpper(method), id})
		}
	}
	more, _ := m["additionalOperations"].(map[string]any)
	for _, method := range sortedKeys(more) {
		id, _ := more[method].(map[string]any)["operationId"].(string)
		ops = append(ops, operation{method, id})
	}
	return ops
}

// inOrder are the paths as they stand in the file.
func inOrder(t *testing.T, data []byte, paths map[string]any) []string {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var keys []string
	top := root.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == "paths" {
			for j := 0; j+1 < len(top.Content[i+1].Content); j += 2 {
				keys = append(keys, top.Content[i+1].Content[j].Value)
			}
		}
	}
	return keys
}

var (
	mixedSegment = regexp.MustCompile(`[^/{}]\{|\}[^/{}]`)
	parameter    = regexp.MustCompile(`\{([^{}]*)\}`)
	queryPart    = regexp.MustCompile(`[?#][^}]*$`)
)

// cutQuery takes off what stands behind a path and no router looks at.
func cutQuery(key string) (path, query string) {
	if at := queryPart.FindStringIndex(key); at != nil {
		return key[:at[0]], key[at[0]:]
	}
	return key, ""
}

// filled puts values for parameters into a template and writes the rest as a
// request carries it.
func filled(template string, value func(i int) string) (path string, n int) {
	var b strings.Builder
	last := 0
	for _, at := range parameter.FindAllStringSubmatchIndex(template, -1) {
		b.WriteString(literal(template[last:at[0]]))
		name := template[at[2]:at[3]]
		switch _, pattern, google := strings.Cut(name, "="); {
		case strings.HasPrefix(name, "?"): // RFC 6570 §3.2.8, a query
			n--
		case google:
			b.WriteString(strings.NewReplacer("**", "r/s", "*", value(n)).Replace(pattern))
		case strings.HasSuffix(name, "+"):
			b.WriteString(value(n) + "/" + value(n+1))
		default:
			b.WriteString(value(n))
		}
		n++
		last = at[1]
	}
	b.WriteString(literal(template[last:]))
	return b.String(), n
}

// literal escapes what a request cannot carry, and leaves escapes that are there.
func literal(text string) string {
	if plain, err := url.PathUnescape(text); err == nil && plain != text {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>%^`{|}[]", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
