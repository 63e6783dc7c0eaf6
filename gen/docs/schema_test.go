package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/pb33f/jsonschema/v6"
)

// TestSchemaTakesWhatTheProgramTakes tries the combined schema as an editor
// would use it.
func TestSchemaTakesWhatTheProgramTakes(t *testing.T) {
	files, err := generate(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(files["docs/schemas/gatehouse.schema.json"]))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("gatehouse.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("gatehouse.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text string
		valid      bool
	}{
		{"team", `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"a"},"spec":{}}`, true},
		{"API with policies", `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"a","name":"a"},"spec":{"versions":[{"name":"v1","path":"/a","policies":["cors",{"rate-limit":{"requests":1,"per":"1m","by":"subscription"}},{"policy-set":"base"}]}]}}`, true},
		{"backend", `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"a","name":"a"},"spec":{"environments":{"dev":{"targets":[{"url":"http://a","weight":9}],"timeout":"1h30m"}}}}`, true},
		{"unknown field", `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"a"},"spec":{"titel":"x"}}`, false},
		{"unknown policy", `{"apiVersion":"gatehouse/v1","kind":"PolicySet","metadata":{"team":"a","name":"a"},"spec":{"policies":[{"rate-limt":{}}]}}`, false},
		{"no team", `{"apiVersion":"gatehouse/v1","kind":"PolicySet","metadata":{"name":"a"},"spec":{"policies":["cors"]}}`, false},
		{"unknown kind", `{"apiVersion":"gatehouse/v1","kind":"Teem","metadata":{"name":"a"},"spec":{}}`, false},
	}
	for _, tt := range tests {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(tt.text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != tt.valid {
			t.Errorf("%s: valid is %t, want %t: %v", tt.name, err == nil, tt.valid, err)
		}
	}
}
