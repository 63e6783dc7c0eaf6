package lint

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkAllRules runs all rules of spectral:oas over the largest sample
// and a middling one, reading included.
func BenchmarkAllRules(b *testing.B) {
	set, err := Parse("all.yaml", []byte(`extends: [["spectral:oas", all]]`), nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"openai-3.1.yaml", "museum-3.1.yaml"} {
		b.Run(name, func(b *testing.B) {
			data := sample(b, name)
			for b.Loop() {
				d, err := Read(name, data)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := set.Run(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGate is the lint part of a gate: an API of 200 operations and the
// thirty and more rules that spectral:oas recommends. The goal is 300 ms.
func BenchmarkGate(b *testing.B) {
	set, err := Recommended("spectral:oas")
	if err != nil {
		b.Fatal(err)
	}
	if n := len(set.Rules()); n < 30 {
		b.Fatalf("%d rules", n)
	}
	data := []byte(api(200))
	for b.Loop() {
		d, err := Read("api.yaml", data)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := set.Run(d); err != nil {
			b.Fatal(err)
		}
	}
}

// api is a definition of so many operations, with schemas and examples.
func api(operations int) string {
	var s strings.Builder
	s.WriteString("openapi: 3.0.3\ninfo: {title: T, version: '1'}\ntags: [{name: t}]\npaths:\n")
	for i := range operations / 2 {
		fmt.Fprintf(&s, `  /things%[1]d/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}, example: abc}]
    get:
      operationId: get%[1]d
      description: reads
      tags: [t]
      parameters: [{name: limit, in: query, description: d, schema: {type: integer, default: 10}}]
      responses:
        "200": {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Thing%[1]d'}, example: {id: a, size: 1, parts: [{name: x}]}}}}
        "404": {$ref: '#/components/responses/Problem'}
    post:
      operationId: post%[1]d
      description: writes
      tags: [t]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing%[1]d'}}}}
      responses: {"201": {description: made}, default: {$ref: '#/components/responses/Problem'}}
`, i)
	}
	s.WriteString("components:\n  responses:\n    Problem: {description: p, content: {application/problem+json: {schema: {$ref: '#/components/schemas/Problem'}}}}\n  schemas:\n    Problem: {type: object, properties: {title: {type: string, example: t}, status: {type: integer}}}\n    Part: {type: object, required: [name], properties: {name: {type: string}, kind: {type: string, enum: [a, b], default: a}}}\n")
	for i := range operations / 2 {
		fmt.Fprintf(&s, "    Thing%d: {type: object, required: [id], properties: {id: {type: string, readOnly: true}, size: {type: integer, minimum: 0, example: 3}, parts: {type: array, items: {$ref: '#/components/schemas/Part'}}, next: {$ref: '#/components/schemas/Thing%d'}}}\n", i, (i+1)%(operations/2))
	}
	return s.String()
}
