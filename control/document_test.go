package control_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pb33f/jsonschema/v6"
	"github.com/pb33f/libopenapi/datamodel"

	"gatehouse/adminapi"
)

// TestEveryRouteIsBound holds that the table has no line without a room.
func TestEveryRouteIsBound(t *testing.T) {
	s := newSite(t)
	if missing := s.c.Server.Missing(); len(missing) > 0 {
		t.Errorf("nothing carries out %v", missing)
	}
	for _, r := range adminapi.Routes {
		if o := r.Describe(); o.Action == "" {
			t.Errorf("%s names no permission", o.ID)
		}
	}
}

// TestDocumentIsOpenAPI holds /openapi.json against the OpenAPI Initiative's
// schema of 3.1 (2022-10-07), which libopenapi carries.
func TestDocumentIsOpenAPI(t *testing.T) {
	s := newSite(t)
	text := s.want(200, call{method: "GET", path: "/openapi.json"}).body
	parse := func(text string) any {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c := jsonschema.NewCompiler()
	const where = "openapi-3.1.json"
	if err := c.AddResource(where, parse(datamodel.OpenAPI31SchemaData)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(where)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(parse(string(text))); err != nil {
		t.Errorf("the document is not valid: %v", err)
	}
	broken := strings.Replace(string(text), `"operationId":"`, `"operationID":"`, 1)
	if schema.Validate(parse(broken)) == nil {
		t.Error("the schema takes anything")
	}
}

// TestDocumentSaysEverything holds that each route stands in the document with
// what callers must know: summary, permission, problems, and on POST the key
// that makes a repetition safe.
func TestDocumentSaysEverything(t *testing.T) {
	s := newSite(t)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Description string
			Action      string `json:"x-gatehouse-action"`
			Parameters  []struct{ Name, In string }
			Responses   map[string]struct {
				Content map[string]json.RawMessage
			}
		}
	}
	s.read(s.want(200, call{method: "GET", path: "/openapi.json"}), &doc)
	for _, r := range adminapi.Routes {
		o := r.Describe()
		op, ok := doc.Paths[o.Path()][strings.ToLower(o.Method())]
		if !ok || op.OperationID != o.ID || op.Summary == "" || op.Action != o.Action {
			t.Errorf("%s: the document has %+v", o.ID, op)
			continue
		}
		if _, ok := op.Responses["default"].Content["application/problem+json"]; !ok {
			t.Errorf("%s: no problem among the answers", o.ID)
		}
		named := map[string]bool{}
		for _, p := range op.Parameters {
			named[p.Name] = true
		}
		if named["Idempotency-Key"] != (o.Method() == "POST" && o.ID != "login") {
			t.Errorf("%s: Idempotency-Key among the parameters: %v", o.ID, named["Idempotency-Key"])
		}
		if named["filter"] && !strings.Contains(op.Description, "Filter and sort by") {
			t.Errorf("%s does not say which fields it filters and sorts by", o.ID)
		}
	}
}

// TestEveryListHasPages holds that no answer grows with what is kept: a list has
// limit, after and next, or says why it cannot grow out of hand.
func TestEveryListHasPages(t *testing.T) {
	s := newSite(t)
	text := s.want(200, call{method: "GET", path: "/openapi.json"}).body
	type schema struct {
		Ref        string `json:"$ref"`
		Properties map[string]json.RawMessage
	}
	var doc struct {
		Components struct{ Schemas map[string]schema }
		Paths      map[string]map[string]struct {
			Description string
			Action      string `json:"x-gatehouse-action"`
			Parameters  []struct{ Name string }
			Responses   map[string]struct {
				Content map[string]struct{ Schema schema }
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	lists := 0
	for path, methods := range doc.Paths {
		op, ok := methods["get"]
		body := op.Responses["200"].Content["application/json"].Schema
		if !ok || body.Ref == "" && body.Properties == nil {
			continue
		}
		if body.Ref != "" {
			body = doc.Components.Schemas[body.Ref[strings.LastIndex(body.Ref, "/")+1:]]
		}
		if body.Properties["items"] == nil && body.Properties["documents"] == nil && !strings.HasSuffix(op.Action, ".list") {
			continue
		}
		lists++
		named := map[string]bool{}
		for _, p := range op.Parameters {
			named[p.Name] = true
		}
		pages, bound := named["limit"] && named["after"] && body.Properties["next"] != nil, strings.Contains(op.Description, "It has no pages: ")
		if pages == bound {
			t.Errorf("GET %s: pages %v, says why it has none %v", path, pages, bound)
		}
	}
	if lists < 40 {
		t.Errorf("found %d lists only", lists)
	}
}
