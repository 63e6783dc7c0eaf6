package lint

import (
	"strings"
	"testing"
)

// FuzzParse reads rulesets of strangers, and runs those that are good.
func FuzzParse(f *testing.F) {
	f.Add(oneRule)
	f.Add("extends: [[spectral:oas, all]]\nrules: {x: {given: '#A', then: {field: '@key', function: pattern, functionOptions: {match: /a+/i}}}}\naliases: {A: {targets: [{formats: [oas3], given: [$.a]}]}}")
	f.Add("rules: {x: {given: \"$..[?(@.a && @property.match(/^b/))]^\", then: {function: schema, functionOptions: {schema: {type: [string, 'null'], anyOf: [{minLength: 1}]}}}}}")
	f.Add("overrides: [{files: ['*.yaml#/a'], rules: {x: off}}]\nrules: {x: {given: $, message: '{{error}} #{{print(\"property\")}}', then: [{field: a.b, function: xor, functionOptions: {properties: [a, b]}}]}}")
	d, err := Read("doc.yaml", []byte("openapi: 3.0.0\na: {b: [1, {c: x, a: null}]}\nr: {$ref: '#/a'}\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Parse("r.yaml", []byte(text), nil)
		if err != nil {
			if strings.Contains(err.Error(), "\n\n") {
				t.Errorf("error of several paragraphs: %q", err)
			}
			return
		}
		if _, err := set.Run(d); err != nil {
			t.Logf("run: %v", err)
		}
	})
}

// FuzzPath compiles paths and follows them.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"$", "$.a.b[0]", "$..c^~", "$['a',\"b\"][*]", "$[?(@.a > 1 && @property !== 'x' || !@.b)]", "$..[?(@.match(/[a/]+\\/x/i))].y", "$[1:-1:2]", "$[(@.length-1)]", "$..@string()", "$.a[?(@ in ['b'] ? 1 : 0)]"} {
		f.Add(p)
	}
	d, err := Read("doc.yaml", []byte("a: {b: [1, {c: x}], c: null}\nr: {$ref: '#/a'}\nx: {$ref: '#/a', y: 1}\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			return
		}
		for _, resolved := range []bool{true, false} {
			steps, n := 100_000, 0
			err := d.apply(p, d.root, nil, resolved, &steps, new(notes), func(m match) error {
				n++
				d.locate(m.path, resolved)
				return nil
			})
			if err != nil {
				t.Errorf("%q: %v after %d matches", text, err, n)
			}
		}
	})
}

// FuzzDocument runs all rules over documents of strangers.
func FuzzDocument(f *testing.F) {
	f.Add("openapi: 3.0.0\npaths: {/a: {get: {parameters: [{$ref: '#/paths/~1a'}], responses: {200: {content: {a: {schema: {$ref: '#/x'}, example: 1}}}}}}}\nx: {type: string, nullable: true}\n")
	f.Add("swagger: '2.0'\ndefinitions: {A: {$ref: '#/definitions/B'}, B: {$ref: '#/definitions/A', x: 1}}\n")
	f.Add("openapi: 3.1.0\ncomponents: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}], example: {}}}}\n")
	f.Add("{\"openapi\": \"3.2.0\", \"servers\": [{\"url\": \"{a}\", \"variables\": {\"a\": {\"enum\": []}}}]}")
	set, err := Parse("all.yaml", []byte(`extends: [["spectral:oas", all]]`), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Read("doc.yaml", []byte(text))
		if err != nil {
			return
		}
		found, err := set.Run(d)
		if err != nil {
			t.Logf("run: %v", err)
		}
		for _, x := range found {
			if x.Rule == "" || x.Line < 1 || x.Column < 1 || x.Path == nil || x.File == "" {
				t.Errorf("finding without its place: %+v", x)
			}
		}
	})
}
