package breaking

import (
	"strings"
	"testing"

	"gatehouse"
)

// one is a definition in one file.
func one(text string) Definition {
	return Definition{Main: "./orders.yaml", Files: map[string][]byte{"orders.yaml": []byte(text)}}
}

const base = `
openapi: 3.0.3
info: {title: Orders, version: 1.0}
paths:
  /orders:
    get:
      operationId: listOrders
      parameters: [{name: status, in: query, schema: {type: string, enum: [open, closed]}}]
      responses:
        "200":
          description: all
          content: {application/json: {schema: {type: object, required: [items], properties: {items: {type: array, items: {type: string}}, next: {type: string}}}}}
    post:
      operationId: createOrder
      requestBody: {content: {application/json: {schema: {type: object, properties: {sku: {type: string}}}}}}
      responses: {"201": {description: made}}
`

func TestCompare(t *testing.T) {
	tests := []struct {
		name, was, is string // replaced in base
		want          string // "level id operation", "" for none
	}{
		{"nothing", "", "", ""},
		{"operation removed", base[strings.Index(base, "    post:"):], "", "error api-removed-without-deprecation POST /orders"},
		{"operation id alone", "listOrders", "getOrders", "info api-operation-id-removed GET /orders"},
		{"value of a parameter gone", "enum: [open, closed]", "enum: [open]", "error request-parameter-enum-value-removed GET /orders"},
		{"value of a parameter added", "enum: [open, closed]", "enum: [open, closed, held]", "info request-parameter-enum-value-added GET /orders"},
		{"property of an answer gone", "next: {type: string}", "other: {type: string}", "info response-optional-property-removed GET /orders"},
		{"required property of an answer gone", "required: [items], properties: {items: {type: array, items: {type: string}}, ", "properties: {",
			"error response-required-property-removed GET /orders"},
		{"property of a request becomes required", "{type: object, properties: {sku", "{type: object, required: [sku], properties: {sku",
			"error request-property-became-required POST /orders"},
		{"parameter becomes required", "in: query,", "in: query, required: true,", "error request-parameter-became-required GET /orders"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compare(one(base), one(strings.Replace(base, tt.was, tt.is, 1)))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, c := range got.Changes {
				lines = append(lines, c.Level+" "+c.ID+" "+c.Operation)
				if c.Text == "" || !Known(c.ID) {
					t.Errorf("change %+v has no text, or an id that is not among IDs()", c)
				}
			}
			if all := strings.Join(lines, "\n"); tt.want == "" && all != "" || !strings.Contains(all, tt.want) {
				t.Errorf("got\n%s\nwant %q", all, tt.want)
			}
			if want := strings.HasPrefix(tt.want, "error"); got.Breaks() != want {
				t.Errorf("Breaks() is %v, want %v", got.Breaks(), want)
			}
		})
	}
}

// The same API in JSON, in several files, or as Swagger 2.0 is the same API.
func TestForms(t *testing.T) {
	parted := Definition{Main: "api/orders.yaml", Files: map[string][]byte{
		"api/orders.yaml":    []byte("openapi: 3.0.3\ninfo: {title: O, version: '1'}\npaths: {/orders: {$ref: '../paths/orders.yaml'}}\n"),
		"paths/orders.yaml":  []byte("get: {operationId: listOrders, responses: {200: {description: all, content: {application/json: {schema: {$ref: 'common.yaml#/List'}}}}}}\n"),
		"paths/common.yaml":  []byte("List: {type: array, items: {type: string}}\n"),
		"paths/unused.proto": []byte("syntax"),
	}}
	whole := one(`{"openapi":"3.0.3","info":{"title":"O","version":"1"},"paths":{"/orders":{"get":{"operationId":"listOrders","responses":{"200":{"description":"all","content":{"application/json":{"schema":{"type":"array","items":{"type":"string"}}}}}}}}}}`)
	swagger := one("swagger: '2.0'\ninfo: {title: O, version: 1}\npaths: {/orders: {get: {operationId: listOrders, produces: [application/json], responses: {200: {description: all, schema: {type: array, items: {type: string}}}}}}}\n")
	all := map[string]Definition{"parted": parted, "whole": whole, "swagger": swagger}
	for from, a := range all {
		for to, b := range all {
			got, err := Compare(a, b)
			if err != nil || len(got.Changes) > 0 {
				t.Errorf("from %s to %s: got %v, %v, want no change", from, to, got, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name string
		d    Definition
		want string
	}{
		{"no main file", Definition{Main: "x.yaml"}, "definition is missing"},
		{"GraphQL", Definition{Main: "x.graphql", Files: map[string][]byte{"x.graphql": []byte("type Query { a: String }")}}, "only OpenAPI definitions are compared"},
		{"fetches nothing", one("openapi: 3.0.3\ninfo: {title: O, version: '1'}\npaths: {/a: {$ref: 'https://example.com/a.yaml'}}\n"), "example.com/a.yaml"},
		{"reads no file", one("openapi: 3.0.3\ninfo: {title: O, version: '1'}\npaths: {}\ncomponents: {schemas: {A: {$ref: '/etc/hostname'}}}\n"), "is not followed"},
		{"climbs nowhere", one("openapi: 3.0.3\ninfo: {title: O, version: '1'}\npaths: {}\ncomponents: {schemas: {A: {$ref: '../../../etc/hostname'}}}\n"), "is missing"},
		{"Swagger in parts", Definition{Main: "a.yaml", Files: map[string][]byte{
			"a.yaml": []byte("swagger: '2.0'\ninfo: {title: O, version: '1'}\npaths: {/a: {get: {responses: {200: {description: it}}}}}\ndefinitions: {A: {$ref: 'b.yaml'}}\n"), "b.yaml": []byte("type: string\n")}}, "bundle it"},
		{"too large", one("openapi: 3.0.3\n" + strings.Repeat("# \n", MaxBytes/3)), "more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compare(one(base), tt.d)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "as it is") {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if k := gatehouse.KindOf(err); k != gatehouse.Invalid && k != gatehouse.TooLarge {
				t.Errorf("kind is %s, want invalid", k)
			}
		})
	}
}

// Schemas that hold themselves must end.
func TestItself(t *testing.T) {
	text := `
openapi: 3.1.0
info: {title: Tree, version: "1"}
paths:
  /tree: {get: {responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Node"}}}}}}}
components:
  schemas:
    Node: {type: object, properties: {left: {$ref: "#/components/schemas/Node"}, right: {$ref: "#/components/schemas/Other"}, name: {type: string}}}
    Other: {allOf: [{$ref: "#/components/schemas/Node"}, {type: object, properties: {up: {$ref: "#/components/schemas/Other"}}}]}
`
	got, err := Compare(one(text), one(strings.Replace(text, "name: {type: string}", "name: {type: integer}", 1)))
	if err != nil || len(got.Changes) == 0 {
		t.Fatalf("got %v, %v, want a changed type", got, err)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(base, strings.Replace(base, "listOrders", "x", 1))
	f.Add("swagger: '2.0'\npaths: {/a: {get: {}}}\n", "openapi: 3.1.0\npaths: {}\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 20_000 {
			t.Skip()
		}
		if _, err := Compare(one(a), one(b)); err != nil && gatehouse.KindOf(err) == gatehouse.Internal {
			t.Errorf("internal error: %v", err)
		}
	})
}
