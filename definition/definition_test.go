package definition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
)

const head = "openapi: 3.1.0\ninfo: {title: T, version: 1.2.3}\npaths:\n"

// routes reads a definition and lists its operations, or its faults.
func routes(text string, more ...string) string {
	files := map[string][]byte{"main.yaml": []byte(text)}
	for i := 0; i+1 < len(more); i += 2 {
		files[more[i]] = []byte(more[i+1])
	}
	d, err := Read("./main.yaml", files)
	var out []string
	if err != nil {
		for _, f := range err.(*gatehouse.Error).Faults {
			out = append(out, f.String())
		}
		return strings.Join(out, "\n")
	}
	for _, o := range d.Operations {
		out = append(out, o.ID+" = "+o.Method+" "+o.Path)
	}
	return strings.Join(out, "\n")
}

func TestPathTemplates(t *testing.T) {
	tests := []struct{ key, want string }{
		{"/", "/"}, {"/pets/", "/pets/"}, {"/pets/{id}", "/pets/{id}"}, {"/a/{id}.json", "/a/{id}.json"}, {"/{a}-{b}", "/{a}-{b}"},
		{"/v1/{name}:cancel", "/v1/{name}:cancel"}, {"/v1/{name=shelves/*}", "/v1/shelves/{name}"},
		{"/v1/{name=shelves/*/books/*}:move", "/v1/shelves/{name}/books/{name.2}:move"}, {"/v1/{name=files/**}", "/v1/files/{name+}"},
		{"/f/{path+}", "/f/{path+}"}, {"/f/{proxy*}", "/f/{proxy+}"}, {"/f/{*path}", "/f/{path+}"}, {"/f/{+path}", "/f/{path+}"}, {"/f/{*}", "/f/{rest+}"},
		{"/u/{id:[0-9]+}", "/u/{id}"}, {"/u/{rest:.*}", "/u/{rest+}"}, {"/x?a=b", "/x"}, {"/x#frag", "/x"}, {"/x{?q,r}", "/x"}, {"/café", "/café"},
		{"pets", `path "pets" does not begin with "/"`}, {"/a//b", "has an empty segment"}, {"/a/../b", `has the segment ".."`},
		{"/{a}/{a}", `has the parameter "a" twice`}, {"/{a", "braces do not match"}, {"/a}", "braces do not match"}, {"/{}", "a parameter without a name"},
		{"/a;v=1/b", "has a semicolon, which gateways refuse"}, {"/a%2Fb", "has an encoded slash"}, {`/a\b`, "a backslash"}, {"/a\tb", "a control character"},
		{"/a%252fb", "an escape that is escaped again"}, {"/%2e%2E/b", `has the segment "%2e%2E"`}, {"/100%25/b%zz", "/100%25/b%zz"},
		{"/{a+}/b", "so it can only be last"}, {"/{a{b}}", "braces do not match"},
	}
	for _, tt := range tests {
		got, err := parseTemplate(tt.key)
		if err != nil {
			got.path = err.Error()
		}
		if got.path != tt.want && (err == nil || !strings.Contains(got.path, tt.want)) {
			t.Errorf("%s: got %s, want %s", tt.key, got.path, tt.want)
		}
	}
}

// Which parameters may bring a semicolon: those of style matrix alone, and an
// operation's word on one goes before the path's.
func TestMatrix(t *testing.T) {
	d, err := Read("main.yaml", map[string][]byte{"main.yaml": []byte(head + `  /a/{x}/{y}/{z}:
    parameters:
    - {name: x, in: path, required: true, style: matrix}
    - {name: y, in: path, required: true, style: matrix}
    - {name: z, in: query, style: matrix}
    get: {operationId: both}
    put: {operationId: one, parameters: [{name: x, in: path, style: simple}]}
  /b/{x}:
    get: {operationId: none, parameters: [{name: x, in: path, style: label}, {name: elsewhere, in: path, style: matrix}]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"both": "[x y]", "one": "[y]", "none": "[]"}
	for _, o := range d.Operations {
		if got := fmt.Sprint(o.Matrix); got != want[o.ID] {
			t.Errorf("%s: got %s, want %s", o.ID, got, want[o.ID])
		}
	}
}

func TestOperations(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"ids and routes", head + "  /a: {get: {operationId: list}, post: {}, x-y: 1, parameters: []}\n", "list = GET /a\nPOST /a = POST /a"},
		{"OpenAPI 3.2", strings.Replace(head, "3.1.0", "3.2.0", 1) + "  /a: {query: {}, additionalOperations: {COPY: {}}}\n", "QUERY /a = QUERY /a\nCOPY /a = COPY /a"},
		{"2.0", "swagger: '2.0'\npaths: {/a: {get: {}}}\n", "GET /a = GET /a"},
		{"2.0 as a number", "swagger: 2.0\npaths: {/a: {get: {}}}\n", "GET /a = GET /a"},
		{"JSON with escapes that YAML lacks", `{"openapi":"3.0.0","info":{"title":"😀\/"},"paths":{"\/a":{"get":{}}}}`, "GET /a = GET /a"},
		{"aliases and merges", head + "  /a: &a {get: {}}\n  /b: {<<: *a}\n  /c: *a\n", "GET /a = GET /a\nGET /b = GET /b\nGET /c = GET /c"},
		{"path by reference", head + "  /a: {$ref: '#/x-p'}\n  /b: {$ref: '#/x-p'}\nx-p: {get: {operationId: one}}\n", "one = GET /a\nGET /b = GET /b"},
		{"methods apart under two names", head + "  /a/{x}: {get: {}}\n  /a/{y}: {post: {}}\n", "GET /a/{x} = GET /a/{x}\nPOST /a/{y} = POST /a/{y}"},
		{"query in the path", head + "  /a: {get: {operationId: one}}\n  /a?b=1: {get: {operationId: two}}\n", "one = GET /a"},
		{"same form under other encodings", head + "  /caf%c3%a9: {get: {}}\n  /café: {get: {}}\n", `main.yaml:5:3: paths "/café" and "/caf%c3%a9" (line 4) collide: both take GET requests of the same form`},
		{"collision", head + "  /a/{x}/c: {get: {}}\n  /a/{y}/c: {get: {}}\n", `main.yaml:5:3: paths "/a/{y}/c" and "/a/{x}/c" (line 4) collide: both take GET requests of the same form`},
		{"path twice", head + "  /a: {get: {}}\n  /a: {post: {}}\n", `main.yaml:5:3: path "/a" stands twice, first on line 4`},
		{"an operationId that is another's route", head + "  /a: {get: {operationId: GET /b}}\n  /b: {get: {}}\n", `main.yaml:5:8: GET /b is called "GET /b", as is the operation at main.yaml:4; give one of them another operationId`},
		{"method twice", head + "  /a: {get: {}, get: {}}\n", `main.yaml:4:17: "get" stands twice in path "/a", first on line 4`},
		{"method twice, once as an additional one", strings.Replace(head, "3.1.0", "3.2.0", 1) + "  /a: {get: {}, additionalOperations: {GET: {}}}\n", `main.yaml:4:3: path "/a" has the method GET twice`},
		{"paths twice", head + "  /a: {get: {}}\npaths: {/b: {get: {}}}\n", `main.yaml:5:1: "paths" stands twice in the definition, first on line 3`},
		{"operationId twice in one operation", head + "  /a: {get: {operationId: a, operationId: b}}\n", `main.yaml:4:30: "operationId" stands twice in GET /a, first on line 4`},
		{"a list for a path", head + "  ? [a]\n  : {get: {}}\n  /a: {get: {}}\n", `main.yaml:4:5: a path is text; this key is a list or map`},
		{"a page in its place", "<!DOCTYPE html>\n<title>Not Found</title>\n", "main.yaml:1:1: is HTML or XML, not a definition: was a page saved in its place?"},
		{"compressed", "\x1f\x8b\x08\x00\x00", "main.yaml:1:2: is compressed by gzip: unpack it first"},
		{"UTF-16", "\xff\xfeo\x00p\x00", "main.yaml:1:1: is UTF-16 text: save it as UTF-8"},
		{"method in capitals", head + "  /a: {GET: {}}\n", `main.yaml:4:8: "GET" under path "/a": methods are written in lower case, "get"`},
		{"no paths", "openapi: 3.1.0\ninfo: {}\n", "main.yaml:1:1: has no paths, so there is nothing to serve"},
		{"empty paths", head, "main.yaml:1:1: has no paths, so there is nothing to serve"},
		{"paths without operations", head + "  /a: {}\n", "main.yaml:4:3: paths has no operation, so there is nothing to serve"},
		{"paths is a list", head + "  - a\n", "main.yaml:4:3: paths is not a map from paths to operations"},
		{"operation is text", head + "  /a: {get: x}\n", "main.yaml:4:8: GET /a is not a map"},
		{"not a definition", "a: 1\n", "main.yaml:1:1: is not a definition: neither openapi, swagger nor asyncapi stands in it"},
		{"a list", "- a\n", "main.yaml:1:1: is not a definition: a map that begins with openapi, swagger or asyncapi"},
		{"empty", "", "main.yaml:1:1: is empty"},
		{"two documents", head + "  /a: {get: {}}\n---\na: 1\n", "main.yaml:6:1: a second document begins here; a definition is one"},
		{"unknown version", "openapi: 4.0.0\n", `main.yaml:1:10: openapi "4.0.0" is not read: 3.0, 3.1 and 3.2 are, such as "3.1.0"`},
		{"Swagger 1.2", "swaggerVersion: '1.2'\n", "main.yaml:1:1: is Swagger 1.2, which is not read: convert it to 2.0 or OpenAPI 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := routes(tt.text)
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	op := head + "  /a: {get: {responses: {'200': {$ref: '%s'}}}}\n"
	tests := []struct {
		name, text string
		more       []string
		want       string
	}{
		{"recursive schemas are fine", head + "  /a: {get: {}}\ncomponents: {schemas: {A: {properties: {a: {$ref: '#/components/schemas/A'}}}}}\n", nil, "GET /a = GET /a"},
		{"another file and back", fmt.Sprintf(op, "x/b.yaml#/r"), []string{"x/b.yaml", "r: {$ref: '../main.yaml#/info'}\n"}, "GET /a = GET /a"},
		{"a fault in another file", fmt.Sprintf(op, "b.yaml#/r"), []string{"b.yaml", "r:\n  content: {$ref: '#/none'}\n"}, `b.yaml:2:19: $ref "#/none" leads nowhere`},
		{"another file unreadable", fmt.Sprintf(op, "b.yaml"), []string{"b.yaml", "a: ["}, "b.yaml:2:2: is not YAML"},
		{"encoded pointer", fmt.Sprintf(op, "#/paths/~1b%7Bx%7D"), nil, "leads nowhere"},
		{"escaped pointer", head + "  /a: {$ref: '#/paths/~1b~1%7Bx%7D'}\n  /b/{x}: {get: {}}\n", nil, "GET /a = GET /a"},
		{"a name that is $ref", head + "  /a: {get: {}}\ncomponents: {schemas: {A: {properties: {$ref: {type: string}}}}}\n", nil, "GET /a = GET /a"},
		{"data is not read", head + "  /a: {get: {responses: {'200': {content: {application/json: {example: {$ref: nowhere}}}}}}}\n", nil, "GET /a = GET /a"},
		{"a URL that was given", fmt.Sprintf(op, "https://example.com/b.yaml#/r"), []string{"https://example.com/b.yaml", "r: {description: x}\n"}, "GET /a = GET /a"},
		{"a URL", fmt.Sprintf(op, "http://169.254.169.254/latest"), nil, "is a remote reference, which is not followed"},
		{"a URL without scheme", fmt.Sprintf(op, "//example.com/a"), nil, "is a remote reference"},
		{"a path of Windows", fmt.Sprintf(op, `C:\a.yaml`), nil, "is an absolute reference"},
		{"an $id", head + "  /a: {get: {responses: {'200': {$ref: 'https://example.com/s'}}}}\nx: {$id: 'https://example.com/s'}\n", nil, "GET /a = GET /a"},
		{"an anchor", fmt.Sprintf(op, "#here") + "components: {schemas: {A: {$anchor: here}}}\n", nil, "GET /a = GET /a"},
		{"itself", head + "  /a: {get: {}}\ncomponents: {schemas: {A: {$ref: '#/components/schemas/A'}}}\n", nil, `main.yaml:5:34: $ref "#/components/schemas/A" leads only to itself`},
		{"a ring of paths", head + "  /a: {$ref: '#/paths/~1b'}\n  /b: {$ref: '#/paths/~1a'}\n", nil, "leads only to itself"},
		{"itself by allOf", head + "  /a: {get: {}}\ncomponents: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}\n", nil, "leads only to itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := routes(tt.text, tt.more...); !strings.Contains(got, tt.want) {
				t.Errorf("got %s\nwant %s within", got, tt.want)
			}
		})
	}
}

func TestOtherFormats(t *testing.T) {
	tests := []struct{ file, text, want string }{
		{"shop.graphql", "type Query { a: String }", "graphql = POST , graphqlGet = GET "},
		{"shop.graphql", "type Query { a: Strin }", "shop.graphql:1:17: is not a GraphQL schema: Undefined type Strin"},
		{"shop.graphql", "type A { a: String }", "has no type Query"},
		{"shop.graphql", "type Query { a: " + strings.Repeat("[", 300) + "Int", "nests deeper than 200 levels"},
		{"shop.proto", "syntax = \"proto3\";\npackage shop.v1;\nimport \"google/protobuf/empty.proto\";\nservice Orders { rpc Get (google.protobuf.Empty) returns (google.protobuf.Empty); }", "shop.v1.Orders/Get = POST /shop.v1.Orders/Get"},
		{"shop.proto", "syntax = \"proto3\";\nservice Orders { rpc Get (None) returns (None); }", "shop.proto:2:"},
		{"shop.proto", "syntax = \"proto3\";\nimport \"other.proto\";\n", `"other.proto" is missing`},
		{"shop.proto", "syntax = \"proto3\";\nmessage A {}\n", "has no service with an rpc"},
		{"events.yaml", "asyncapi: 2.6.0\ninfo: {title: E, version: '1'}\nchannels: {'/chat/{room}': {bindings: {ws: {}}}, /n: {subscribe: {operationId: notes, bindings: {http: {method: GET}}}}}\n", "GET /chat/{room} = GET /chat/{room}, notes = GET /n"},
		{"events.yaml", "asyncapi: 3.0.0\nchannels: {c: {address: /x}}\noperations: {send: {channel: {$ref: '#/channels/c'}, bindings: {http: {method: post}}}}\n", "send = POST /x"},
		{"events.yaml", "asyncapi: 2.6.0\nchannels: {orders: {publish: {}}}\n", ""},
	}
	for _, tt := range tests {
		d, err := Read(tt.file, map[string][]byte{tt.file: []byte(tt.text)})
		var got []string
		if err != nil {
			got = []string{err.Error()}
		} else {
			for _, o := range d.Operations {
				got = append(got, o.ID+" = "+o.Method+" "+o.Path)
			}
		}
		if s := strings.Join(got, ", "); !strings.Contains(s, tt.want) || tt.want == "" && s != "" {
			t.Errorf("%s: got %s, want %s", tt.text, s, tt.want)
		}
	}
}

func TestExamples(t *testing.T) {
	const tail = "components: {schemas: {Node: {type: object, required: [name], properties: {name: {type: string}, next: {$ref: '#/components/schemas/Node'}, all: {type: array, items: {$ref: '#/components/schemas/Node'}}}}}}\n"
	tests := []struct{ name, responses, want string }{
		{"lowest success first", "{'404': {description: x}, '201': {description: x}, '200': {description: x}}", "200  | 201  | 404 "},
		{"stated", "{'200': {content: {application/json: {example: {a: 1}, schema: {type: string}}}}}", `200 {"a":1}`},
		{"stated by name", "{'200': {content: {application/json: {examples: {x: {value: [1]}, y: {value: 2}}}}}}", "200 [1] | 200 2"},
		{"JSON as text", `{'200': {content: {application/json: {example: '{"b": 1}'}}}}`, `200 {"b":1}`},
		{"text", "{'200': {content: {text/plain: {example: hello}}}}", `200 "hello"`},
		{"JSON before XML", "{'200': {content: {application/xml: {schema: {type: string}}, application/problem+json: {schema: {type: boolean}}}}}", "200 true"},
		{"formats", "{'200': {content: {application/json: {schema: {properties: {d: {type: string, format: date}, u: {type: string, format: uuid}, s: {type: string, minLength: 10}, t: {type: string, maxLength: 3}}}}}}}", `200 {"d":"2024-01-31","s":"string str","t":"str","u":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}`},
		{"bounds", "{'200': {content: {application/json: {schema: {properties: {a: {type: integer, minimum: 5}, b: {type: integer, exclusiveMinimum: 5, multipleOf: 4}, c: {type: number, maximum: 0.5}, d: {type: [\"null\", integer], maximum: -3}}}}}}}", `200 {"a":5,"b":12,"c":0.5,"d":-3}`},
		{"enum, const, default", "{'200': {content: {application/json: {schema: {properties: {a: {enum: [x, y]}, b: {const: 7}, c: {type: string, default: z}}}}}}}", `200 {"a":"x","b":7,"c":"z"}`},
		{"allOf", "{'200': {content: {application/json: {schema: {allOf: [{properties: {a: {type: integer}}}, {properties: {b: {type: boolean}}}]}}}}}", `200 {"a":1,"b":true}`},
		{"oneOf", "{'200': {content: {application/json: {schema: {oneOf: [{type: \"null\"}, {type: integer}, {type: string}]}}}}}", "200 1"},
		{"free keys", "{'200': {content: {application/json: {schema: {type: object, additionalProperties: {type: integer}}}}}}", `200 {"key":1}`},
		{"minItems", "{'200': {content: {application/json: {schema: {type: array, minItems: 2, items: {type: integer}}}}}}", "200 [1,1]"},
		{"recursion ends", "{'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}}", `200 {"all":[],"name":"string"}`},
		{"default without success", "{default: {content: {application/json: {schema: {type: integer}}}}}", "200 1"},
		{"range", "{2XX: {content: {application/json: {schema: {type: integer}}}}}", "200 1"},
		{"no content", "{'204': {description: x}}", "204 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Read("a.yaml", map[string][]byte{"a.yaml": []byte(head + "  /a: {get: {responses: " + tt.responses + "}}\n" + tail)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range d.Operations[0].Examples {
				got = append(got, fmt.Sprintf("%d %s", e.Status, e.Body))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " | ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHostileDefinitions holds that what is made to hurt is answered: without the
// bounds, each of these runs into the time limit of the test or out of memory.
func TestHostileDefinitions(t *testing.T) {
	var doubling, chain, wide strings.Builder
	doubling.WriteString(head + "  /a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}}\ncomponents:\n  schemas:\n")
	for i := range 2000 {
		fmt.Fprintf(&doubling, "    S%d: {type: object, required: [a, b], properties: {a: {$ref: '#/components/schemas/S%d'}, b: {$ref: '#/components/schemas/S%d'}}}\n", i, (i+1)%2000, (i+1)%2000)
	}
	chain.WriteString(head + "  /a: {get: {}}\ncomponents:\n  schemas:\n")
	for i := range 100_000 {
		fmt.Fprintf(&chain, "    S%d: {$ref: '#/components/schemas/S%d'}\n", i, i+1)
	}
	wide.WriteString(head)
	for i := range 60_000 {
		fmt.Fprintf(&wide, "  /p%d: {get: {responses: {'200': {$ref: '#/components/responses/R%d'}}}}\n", i, i)
	}
	tests := []struct{ name, text string }{
		{"schemas that double", doubling.String()},
		{"a long chain", chain.String()},
		{"many broken references", wide.String()},
		{"aliases that explode", head + "  /a: {get: {}}\nx0: &x0 [1,1,1,1,1,1,1,1,1]\n" + func() string {
			s := ""
			for i := 1; i < 12; i++ {
				s += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 9), ", "))
			}
			return s
		}()},
		{"merges that double", head + "  /a: {<<: *m40, get: {}}\nm0: &m0 {a: 1}\n" + func() string {
			s := ""
			for i := 1; i <= 40; i++ {
				s += fmt.Sprintf("m%d: &m%d {<<: [*m%d, *m%d]}\n", i, i, i-1, i-1)
			}
			return s
		}()},
		{"a large map merged often", head + func() string {
			var s strings.Builder
			s.WriteString("  /a: &big\n    get: {}\n")
			for i := range 100_000 {
				fmt.Fprintf(&s, "    x-%d: 1\n", i)
			}
			for i := range 50_000 {
				fmt.Fprintf(&s, "  /p%d: {<<: *big}\n", i)
			}
			return s.String()
		}()},
		{"a large path item named often", head + func() string {
			var s strings.Builder
			s.WriteString("  /a: &big\n    get: {}\n")
			for i := range 100_000 {
				fmt.Fprintf(&s, "    x-%d: 1\n", i)
			}
			for i := range 100_000 {
				fmt.Fprintf(&s, "  /p%d: *big\n", i)
			}
			return s.String()
		}()},
		{"deep", head + "  /a: {get: {x: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}}\n"},
		{"20 MB of brackets", strings.Repeat("[", 20<<20)},
		{"20 MB of items", "[" + strings.Repeat("1,", 10<<20-10) + "1]"},
		{"20 MB of dashes", strings.Repeat("- ", 10<<20)},
		{"one long line", head + "  /" + strings.Repeat("a{b}", 1<<20) + ": {get: {}}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("a.yaml", map[string][]byte{"a.yaml": []byte(tt.text)})
			if err != nil && len(err.(*gatehouse.Error).Faults) > maxFaults {
				t.Errorf("%d faults are told; at most %d", len(err.(*gatehouse.Error).Faults), maxFaults)
			}
		})
	}
}
