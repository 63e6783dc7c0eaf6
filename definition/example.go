package definition

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse/jsonx"
	"gatehouse/policy"
	"gatehouse/yamlx"
)

// Bounds of examples.
const (
	maxExample  = 64 << 10 // bytes of one body
	maxExamples = 20       // of one operation
)

// examples are the answers an operation gives by its definition: the lowest
// successful status first, then the others in order. A body is the example the
// definition states, else one that its schema allows.
func (r *openapi) examples(op loc) []policy.Example {
	responses, err := r.resolve(loc{op.file, r.get(op.node, "responses")})
	if err != nil || !yamlx.IsMap(responses.node) {
		return nil
	}
	type answer struct {
		status int
		at     loc
	}
	var answers []answer
	var fallback *loc
	success := false
	pairs := yamlx.Pairs(responses.node)
	for i := 0; i+1 < len(pairs); i += 2 {
		code := pairs[i].Value
		at, err := r.resolve(loc{responses.file, pairs[i+1]})
		if err != nil {
			continue
		}
		if status, ok := statusOf(code); ok {
			answers = append(answers, answer{status, at})
			success = success || status < 300
		} else if code == "default" {
			fallback = &at
		}
	}
	if fallback != nil && !success {
		answers = append(answers, answer{200, *fallback})
	}
	slices.SortStableFunc(answers, func(a, b answer) int {
		return cmp.Or(cmp.Compare(rank(a.status), rank(b.status)), cmp.Compare(a.status, b.status))
	})
	var out []policy.Example
	for _, a := range answers {
		out = append(out, r.answer(a.status, a.at, op)...)
		if len(out) >= maxExamples {
			return out[:maxExamples]
		}
	}
	return out
}

// rank puts successes before everything else.
func rank(status int) int {
	if status >= 200 && status < 300 {
		return 0
	}
	return 1
}

// statusOf reads "200" or "2XX". A 1xx is no final answer.
func statusOf(code string) (int, bool) {
	if len(code) == 3 && strings.EqualFold(code[1:], "XX") {
		code = code[:1] + "00"
	}
	n, err := strconv.Atoi(code)
	return n, err == nil && n >= 200 && n <= 599
}

// answer makes the examples of one response.
func (r *openapi) answer(status int, at, op loc) []policy.Example {
	if status == 204 || status == 304 { // RFC 9110 §6.4.1: no content
		return []policy.Example{{Status: status}}
	}
	if r.v2 {
		return r.answer2(status, at, op)
	}
	content := r.get(at.node, "content")
	kind, media := r.preferred(loc{at.file, content})
	if media.node == nil {
		return []policy.Example{{Status: status}}
	}
	stated := r.stated(status, kind, media)
	if len(stated) > 0 {
		return stated
	}
	e := policy.Example{Status: status, ContentType: kind}
	e.Body = r.generate(kind, loc{media.file, r.get(media.node, "schema")})
	return []policy.Example{e}
}

func (r *openapi) answer2(status int, at, op loc) []policy.Example {
	kinds := r.produces
	if own := r.texts(r.get(op.node, "produces")); own != nil {
		kinds = own
	}
	if examples := r.get(at.node, "examples"); yamlx.IsMap(examples) {
		if kind, e := r.preferred(loc{at.file, examples}); e.node != nil {
			if body := body(kind, e.node); body != nil {
				return []policy.Example{{Status: status, ContentType: kind, Body: body}}
			}
		}
	}
	schema := r.get(at.node, "schema")
	if schema == nil {
		return []policy.Example{{Status: status}}
	}
	kind := "application/json"
	if len(kinds) > 0 {
		kind = slices.MaxFunc(kinds, func(a, b string) int { return cmp.Compare(preference(a), preference(b)) })
	}
	return []policy.Example{{Status: status, ContentType: kind, Body: r.generate(kind, loc{at.file, schema})}}
}

// preferred is the entry of a map by media type that a mock can serve best.
func (r *openapi) preferred(at loc) (string, loc) {
	var kind string
	var best loc
	if !yamlx.IsMap(at.node) {
		return "", best
	}
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		k := at.node.Content[i].Value
		if strings.HasPrefix(k, "x-") || best.node != nil && preference(k) <= preference(kind) {
			continue
		}
		if v, err := r.resolve(loc{at.file, at.node.Content[i+1]}); err == nil && v.node != nil {
			kind, best = k, v
		}
	}
	if strings.Contains(kind, "*") {
		kind = "application/json"
	}
	return kind, best
}

func preference(kind string) int {
	switch base, _, _ := strings.Cut(strings.ToLower(kind), ";"); {
	case base == "application/json":
		return 4
	case isJSON(kind):
		return 3
	case strings.HasPrefix(base, "text/"), base == "*/*":
		return 2
	}
	return 1
}

func isJSON(kind string) bool {
	base, _, _ := strings.Cut(strings.ToLower(kind), ";")
	base = strings.TrimSpace(base)
	return base == "application/json" || base == "text/json" || strings.HasSuffix(base, "+json")
}

// stated are the examples written beside a schema.
func (r *openapi) stated(status int, kind string, media loc) []policy.Example {
	if e := r.get(media.node, "example"); e != nil {
		if b := body(kind, e); b != nil {
			return []policy.Example{{Status: status, ContentType: kind, Body: b}}
		}
	}
	examples := r.get(media.node, "examples")
	if !yamlx.IsMap(examples) {
		return nil
	}
	var out []policy.Example
	for i := 0; i+1 < len(examples.Content) && len(out) < maxExamples; i += 2 {
		e, err := r.resolve(loc{media.file, examples.Content[i+1]})
		if err != nil {
			continue
		}
		value := r.get(e.node, "value")
		for _, field := range []string{"dataValue", "serializedValue"} { // OpenAPI 3.2
			if value == nil {
				value = r.get(e.node, field)
			}
		}
		if value == nil {
			continue
		}
		if b := body(kind, value); b != nil {
			out = append(out, policy.Example{Status: status, ContentType: kind, Name: examples.Content[i].Value, Body: b})
		}
	}
	return out
}

// body writes a stated example, or nil if it is too large or no JSON.
func body(kind string, n *yamlx.Node) json.RawMessage {
	n = yamlx.Follow(n)
	if isJSON(kind) && n.Kind == yaml.ScalarNode && n.Style != 0 { // JSON written as text
		if text := strings.TrimSpace(n.Value); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			if b, err := jsonx.Canonical(json.RawMessage(text)); err == nil && len(b) <= maxExample {
				return b
			}
		}
	}
	b, faults := yamlx.JSON(n)
	if faults != nil || len(b) > maxExample {
		return nil
	}
	return b
}

// generate makes a body that the schema allows, or nil where none can be made.
func (r *openapi) generate(kind string, schema loc) json.RawMessage {
	if schema.node == nil || !isJSON(kind) && preference(kind) < 2 {
		return nil
	}
	for _, depth := range []int{8, 4, 2} {
		g := generator{openapi: r, steps: 5000, depth: depth, open: make(map[*yamlx.Node]bool)}
		v, ok := g.value(schema, 0)
		if !ok {
			return nil
		}
		b, err := jsonx.Marshal(v)
		if err != nil {
			return nil
		}
		if !isJSON(kind) && b[0] != '"' {
			b, _ = jsonx.Marshal(string(b))
		}
		if len(b) <= maxExample {
			return b
		}
	}
	return nil
}
