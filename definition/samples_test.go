package definition

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

// refused are the public samples that do not read, each with a true fault of
// the file, in the words of the error.
var refused = map[string]string{
	// Two templates of one form, told apart by the name of a parameter only: OpenAPI 3.0 §4.7.8 calls them identical and invalid.
	"Xero-OpenAPI-xero_accounting.yaml": `paths "/Accounts/{AccountID}/Attachments/{FileName}" and "/Accounts/{AccountID}/Attachments/{AttachmentID}" (line 426) collide`,
	// Parts of definitions made of several files, without the other files.
	"gnostic-examples_v2.0_yaml_petstore-separate_spec_swagger.yaml": `leads to the file "parameters.yaml", which is missing`,
	"gravitee-api-management-3.0-openapi-api-products.yaml":          `leads to the file "openapi-apis.yaml", which is missing`,
	"rekor-2.0.yaml":                                `leads to the file "pkg/types/rekord/rekord_schema.json", which is missing`,
	"swagger-parser-3.0-issue-336.json":             `leads to the file "title/issue-336-title.json", which is missing`,
	"swagger-parser-3.0-main-no-mapping-oneof.yaml": `leads to the file "pet-no-mapping-oneof.yaml", which is missing`,
	"swagger-parser-3.0-main-plain-mapping.yaml":    `leads to the file "pet-plain-mapping.yaml", which is missing`,
	"swagger-parser-3.0-openapi3.yaml":              `leads to the file "components/schemas/Error.yaml", which is missing`,
	// A path from the root of a file system.
	"swagger-parser-2.0-spec.yaml": `"/definitions.yaml#/definitions/pet" is an absolute reference`,
	// References to components that the file does not have.
	"gravitee-api-management-3.0-openapi-environments.yaml": `"#/components/parameters/clusterIdParam" leads nowhere`,
	"swagger-parser-3.0-api.json":                           `"#/components/schemas/AnacreonticPacedCoalheaver" leads nowhere`,
	// One operationId for two operations.
	"swagger-parser-3.1-securitySchemes31.yaml": `operationId "addPet" stands twice`,
}

// TestSamples reads the samples kept here and, where they are at hand, all
// others. It fails for a file that is refused without a listed fault, and for
// a listed one that is let in.
func TestSamples(t *testing.T) {
	seen := 0
	for _, pattern := range []string{"testdata/*.yaml", "testdata/*.json", "../../shared/samples/openapi/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, data := sample(t, file)
			seen++
			t.Run(filepath.ToSlash(file), func(t *testing.T) { trySample(t, name, data) })
		}
	}
	if seen < 14 {
		t.Errorf("%d samples; testdata alone has 14", seen)
	}
}

func trySample(t *testing.T, name string, data []byte) {
	d, err := Read(name, map[string][]byte{name: data})
	if want, ok := refused[name]; ok {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("got %v, want an error with %q", err, want)
		}
		if f := err.(*gatehouse.Error).Faults[0]; f.Line < 2 || f.Column < 1 || f.File != name {
			t.Errorf("fault without a place: %+v", f)
		}
		return
	}
	if err != nil {
		t.Fatalf("is refused: %v", err)
	}
	ids, routes := make(map[string]bool), make(map[string]bool)
	for _, o := range d.Operations {
		route := o.Method + " " + o.Path
		if ids[o.ID] || routes[route] || !strings.HasPrefix(o.Path, "/") || strings.ContainsAny(o.Path, "?#") || o.Method != strings.ToUpper(o.Method) {
			t.Errorf("operation %q at %s is not one of its own", o.ID, route)
		}
		ids[o.ID], routes[route] = true, true
		checkExamples(t, o)
	}
	again, err := Read(name, map[string][]byte{name: data})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := json.Marshal(d)
	two, _ := json.Marshal(again)
	if !bytes.Equal(one, two) {
		t.Error("reading twice gives two answers")
	}
}

func checkExamples(t *testing.T, o gatehouse.Operation) {
	for i, e := range o.Examples {
		if len(e.Body) > 0 && !json.Valid(e.Body) || len(e.Body) > maxExample {
			t.Errorf("%s: example %d is not JSON or too large", o.ID, i)
		}
		if i > 0 && e.Status < 300 && o.Examples[i-1].Status > e.Status {
			t.Errorf("%s: %d comes after %d", o.ID, e.Status, o.Examples[i-1].Status)
		}
	}
}

func sample(t *testing.T, file string) (string, []byte) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(file)
	if bare, ok := strings.CutSuffix(name, ".gz"); ok {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
		name = bare
	}
	return name, data
}

// FuzzRead holds that no text makes reading crash, hang, or fail without a
// place.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"museum-3.1.yaml", "alertmanager-2.0.yaml", "swagger-parser-3.1-basic.yaml"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 4000)])
	}
	f.Add([]byte(head + "  /a/{b+}: {get: {responses: {200: {content: {application/json: {schema: {$ref: '#/s'}}}}}}}\ns: {type: object, properties: {x: {$ref: '#/s'}}, required: [x]}\n"))
	f.Add([]byte("asyncapi: 2.6.0\nchannels: {a/b: {bindings: {ws: {}}, subscribe: {operationId: x}}}\n"))
	f.Add([]byte("type Query { a(b: [Int!]! = [1]): String @deprecated }"))
	f.Add([]byte("syntax = \"proto3\"; package a; service S { rpc M (A) returns (A); } message A {}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"a.yaml", "a"} {
			_, err := Read(name, map[string][]byte{name: data})
			if err == nil {
				continue
			}
			faults := err.(*gatehouse.Error).Faults
			for _, f := range faults {
				if f.Line < 1 || f.Column < 1 || f.Detail == "" {
					t.Fatalf("fault without a place or text: %+v", f)
				}
			}
			if len(faults) == 0 {
				t.Fatalf("error without faults: %v", err)
			}
		}
		References("a.yaml", data)
	})
}
