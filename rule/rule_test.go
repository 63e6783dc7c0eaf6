package rule

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/policy"
	"gatehouse/yamlx"
)

const orders = `openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      operationId: listOrders
      responses: {"200": {description: ok}}
    post:
      operationId: createOrder
      responses: {"201": {description: ok}}
  /admin/reset:
    post:
      operationId: reset
      responses: {"204": {description: ok}}
`

// subject is an API of two operations behind a jwt, one of them limited.
func subject() *Subject {
	content := map[string]string{"h1": orders, "h2": strings.Replace(orders, "listOrders", "list", 1), "h3": orders[:strings.Index(orders, "    post:")]}
	use := func(name, config, from string) policy.Use {
		return policy.Use{Name: name, Config: []byte(config), From: from}
	}
	jwt := use("jwt", `{"issuer":"https://id.example.com","audiences":["orders"]}`, "api")
	return &Subject{
		Revision: "rev1",
		Form: &gatehouse.RevisionForm{
			Team: "payments", Name: "orders", Audience: "partner",
			Data:    &gatehouse.Data{Classification: "confidential", Personal: true, Jurisdictions: []string{"EU"}},
			Version: gatehouse.Version{Name: "v1", Definition: "./orders.yaml", Path: "/orders/v1", Backend: "orders"},
			Files:   map[string]string{"./orders.yaml": "h1"},
		},
		API:             &gatehouse.API{Title: "Orders", Support: &gatehouse.Support{Contact: "oncall@example.com"}, Versions: []gatehouse.Version{{Name: "v0"}, {Name: "v1"}}},
		Labels:          map[string]string{"domain": "commerce"},
		EnvironmentName: "prod", Environment: &gatehouse.Environment{Stage: "prod", Jurisdiction: "EU"},
		Gateways: []Gateway{
			{"eu", &gatehouse.Gateway{Location: &gatehouse.Location{Cloud: "aws", Network: "public"}}},
			{"us", &gatehouse.Gateway{Location: &gatehouse.Location{Cloud: "gcp", Jurisdiction: "US", Network: "private"}}},
		},
		BackendName: "payments/orders",
		Backend: &gatehouse.BackendEnvironment{Targets: []gatehouse.Target{
			{URL: "https://orders.internal", Location: &gatehouse.Location{Jurisdiction: "CH"}}, {URL: "http://orders2.internal"},
		}},
		FrameworkName: "corporate", FrameworkVersion: "2026.1",
		Operations: []Operation{
			{ID: "listOrders", Method: "GET", Path: "/orders", Chain: []policy.Use{jwt}},
			{ID: "createOrder", Method: "POST", Path: "/orders", Chain: []policy.Use{jwt, use("rate-limit", `{"requests":60,"per":"1m","by":"subscription"}`, "operation createOrder")}},
		},
		Read: func(hash string) ([]byte, error) {
			if text, ok := content[hash]; ok {
				return []byte(text), nil
			}
			return nil, fmt.Errorf("no blob %q", hash)
		},
	}
}

// control reads one from YAML.
func control(t *testing.T, text string) *gatehouse.Control {
	t.Helper()
	docs, err := yamlx.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	data, errs := yamlx.JSON(docs[0])
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	c := new(gatehouse.Control)
	if err := jsonx.Decode(data, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// house is a folder with one ruleset.
func house(name string) ([]byte, error) {
	if name != "house.yaml" {
		return nil, fmt.Errorf("no file %q", name)
	}
	return []byte("rules: {titled: {given: $.info.title, severity: error, then: {function: pattern, functionOptions: {match: ^The}}}}"), nil
}

func ready(t *testing.T, text string) *Rule {
	t.Helper()
	r, faults := New(control(t, text), house)
	if len(faults) > 0 {
		t.Fatalf("%s: %v", text, faults)
	}
	return r
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name, control string
		change        func(*Subject)
		want          []string // of each finding, in order; none: passed
	}{
		{"policy in every chain", `{id: a, check: {policy: {name: jwt}}}`, nil, nil},
		{"policy missing", `{id: a, check: {policy: {name: rate-limit}}}`, nil,
			[]string{`listOrders orders.yaml:5: policy "rate-limit" is not in the chain => add "rate-limit" to the policies of the operation "listOrders"`}},
		{"policy for some methods", `{id: a, check: {policy: {name: rate-limit, operations: {methods: [POST]}}}}`, nil, nil},
		{"policy but for an exception", `{id: a, check: {policy: {name: rate-limit, operations: {except: [listOrders]}}}}`, nil, nil},
		{"policy by path", `{id: a, check: {policy: {name: cors, operations: {paths: ["/admin/*"]}}}}`, nil, nil},
		{"condition holds", `{id: a, check: {policy: {name: rate-limit, condition: "config.requests <= 100", operations: {ids: [createOrder]}}}}`, nil, nil},
		{"condition does not hold", `{id: a, check: {policy: {name: rate-limit, condition: "config.requests <= 10", operations: {ids: [createOrder]}, message: at most ten}}}`, nil,
			[]string{"(operation createOrder), but config.requests <= 10 does not hold for its configuration => at most ten"}},
		{"a period is seconds", `{id: a, check: {policy: {name: rate-limit, condition: "config.per == 60 && config.requests / 60 <= 1", operations: {ids: [createOrder]}}}}`, nil, nil},
		{"condition asks for what is not there", `{id: a, check: {policy: {name: jwt, condition: "config.nothing == 1"}}}`, nil,
			[]string{"no such key: nothing", "no such key: nothing"}},
		{"forbidden policy", `{id: a, check: {policy: {name: rate-limit, forbid: true}}}`, nil,
			[]string{`createOrder orders.yaml:8: policy "rate-limit" stands in the chain (operation createOrder) => take "rate-limit" out`}},
		{"expression once", `{id: a, check: {cel: {expression: 'api.audience == "partner" && api.support.contact != "" && api.labels.domain == "commerce"'}}}`, nil, nil},
		{"expression does not hold", `{id: a, check: {cel: {expression: 'api.data.classification != "confidential"', message: "lower it"}}}`, nil,
			[]string{`api.data.classification != "confidential" does not hold; api.data.classification is "confidential" => lower it`}},
		{"expression for each operation", `{id: a, check: {cel: {each: operation, expression: 'operation.method == "GET" || operation.policies.exists(p, p.name == "jwt" && p.config.issuer == "https://id.example.org")'}}}`, nil,
			[]string{"createOrder orders.yaml:8: "}},
		{"expression for each gateway", `{id: a, check: {cel: {each: gateway, expression: 'gateway.location.cloud == "aws"'}}}`, nil,
			[]string{`Gateway us: gateway.location.cloud == "aws" does not hold; gateway.location.cloud is "gcp"`}},
		{"expression over the backend", `{id: a, check: {cel: {expression: 'backend.targets.all(t, t.scheme == "https")'}}}`, nil, []string{"does not hold"}},
		{"expression over chains", `{id: a, check: {cel: {expression: 'operations.all(o, o.policies.exists(p, p.name == "jwt")) && framework.version == "2026.1" && backend.timeout <= 30.0'}}}`, nil, nil},
		{"placement by data", `{id: a, check: {placement: {data: true}}}`, nil,
			[]string{`Gateway us: gateway us jurisdiction is "US"; data of the API may not leave EU`, `Backend payments/orders: backend payments/orders jurisdiction is "CH"`}},
		{"placement without bound data", `{id: a, check: {placement: {data: true}}}`, func(s *Subject) { s.Form.Data.Jurisdictions = nil }, nil},
		{"placement by rule", `{id: a, check: {placement: {rules: [{classifications: [confidential], networks: [private]}, {personal: true, clouds: [aws]}]}}}`, nil,
			[]string{`Gateway eu: gateway eu network is "public"; rule 1 for confidential data`, `Gateway us: gateway us cloud is "gcp"; rule 2 for personal data`}},
		{"placement rule for others", `{id: a, check: {placement: {rules: [{classifications: [restricted], networks: [private]}]}}}`, nil, nil},
		{"placement of a gateway that does not say", `{id: a, check: {placement: {rules: [{networks: [public, private]}]}}}`,
			func(s *Subject) { s.Gateways[0].Gateway = &gatehouse.Gateway{} }, []string{"does not say its network"}},
		{"built-in rule", `{id: a, check: {lint: {ruleset: "spectral:oas", rules: [operation-description], failOn: warn}}}`, nil,
			[]string{"listOrders orders.yaml:5: operation-description", "createOrder orders.yaml:8: operation-description", "reset orders.yaml:12: operation-description"}},
		{"milder than what fails", `{id: a, check: {lint: {ruleset: "spectral:oas", rules: [operation-description]}}}`, nil, nil},
		{"ruleset in the document", `{id: a, check: {lint: {ruleset: {rules: {no-admin: {given: $.paths, severity: error, then: {field: "@key", function: pattern, functionOptions: {notMatch: ^/admin}}}}}}}}`, nil,
			[]string{"no-admin"}},
		{"ruleset of a file", `{id: a, check: {lint: {ruleset: ./house.yaml}}}`, nil, []string{"titled"}},
		{"ruleset without a definition", `{id: a, check: {lint: {ruleset: ./house.yaml}}}`, func(s *Subject) { s.Form.Version.Definition = "" }, nil},
		{"nothing published", `{id: a, check: {change: {}}}`, nil, nil},
		{"nothing changed", `{id: a, check: {change: {}}}`, func(s *Subject) { s.Published = s.Form }, nil},
		{"operation removed", `{id: a, check: {change: {}}}`, func(s *Subject) {
			was := *s.Form
			s.Published = &was
			s.Form.Files = map[string]string{"./orders.yaml": "h3"}
		}, []string{"api-", "api-"}},
		{"path moved", `{id: a, check: {change: {}}}`, func(s *Subject) {
			was := *s.Form
			was.Version.Path = "/old"
			s.Published = &was
		}, []string{`callers know the version under "/old" => keep path "/old"`}},
		{"a question waits", `{id: a, check: {question: {text: Who is on call?, evidence: true}}}`, nil, []string{"Who is on call? => answer it with a file that proves it"}},
		{"does not apply", `{id: a, applies: {audiences: [public]}, check: {policy: {name: cors}}}`, nil, nil},
		{"applies to the stage", `{id: a, applies: {stages: [prod], classifications: [confidential]}, check: {policy: {name: cors}}}`, nil, []string{"cors", "cors"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := subject()
			if tt.change != nil {
				tt.change(s)
			}
			v, err := ready(t, tt.control).Judge(s)
			if err != nil {
				t.Fatal(err)
			}
			if v.Passed != (len(tt.want) == 0) || len(v.Findings) != len(tt.want) {
				t.Fatalf("passed %t with %+v, want %q", v.Passed, v.Findings, tt.want)
			}
			for i, f := range v.Findings {
				text := told(f)
				if !strings.Contains(text, tt.want[i]) {
					t.Errorf("finding %d is %q, want %q", i, text, tt.want[i])
				}
			}
		})
	}
}

func told(f gatehouse.GateFinding) string {
	where := f.Object + ": "
	if f.Operation != "" {
		where = fmt.Sprintf("%s %s:%d: ", f.Operation, f.File, f.Line)
	}
	return where + f.Rule + f.Detail + " => " + f.Remedy
}

func TestNewRefuses(t *testing.T) {
	tests := []struct{ name, control, pointer, want string }{
		{"unknown policy", `{id: a, check: {policy: {name: rate-limits}}}`, "/check/policy/name", `did you mean "rate-limit"?`},
		{"condition does not type-check", `{id: a, check: {policy: {name: jwt, condition: "confg.x"}}}`, "/check/policy/condition", "line 1, column 1: undeclared reference to 'confg'"},
		{"expression names no field", `{id: a, check: {cel: {expression: 'api.audeince == "x"'}}}`, "/check/cel/expression", "column 4: undefined field 'audeince'"},
		{"expression is no condition", `{id: a, check: {cel: {expression: 'api.audience'}}}`, "/check/cel/expression", "true or false"},
		{"expression costs too much", `{id: a, check: {cel: {expression: 'operations.all(a, operations.all(b, operations.all(c, a.id + b.id != c.id)))'}}}`, "/check/cel/expression", "may cost"},
		{"operation asked once", `{id: a, check: {cel: {expression: 'operation.id != ""'}}}`, "/check/cel/expression", "with each: operation"},
		{"ruleset that is not there", `{id: a, check: {lint: {ruleset: ./nothing.yaml}}}`, "/check/lint/ruleset", `no file "nothing.yaml"`},
		{"rule that is none", `{id: a, check: {lint: {ruleset: "spectral:oas", rules: [operation-descripton]}}}`, "/check/lint/rules/0", `did you mean "operation-description"?`},
		{"unknown function", `{id: a, check: {lint: {ruleset: {rules: {x: {given: $, then: {function: execute}}}}}}}`, "/check/lint/ruleset", "execute"},
		{"bad path", `{id: a, check: {lint: {ruleset: {rules: {x: {given: "$.[", then: {function: truthy}}}}}}}`, "/check/lint/ruleset", "$.["},
		{"unknown change", `{id: a, check: {change: {ignore: [nothing-of-that-name]}}}`, "/check/change/ignore/0", "is not the id of a change"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := New(control(t, tt.control), house)
			if len(faults) != 1 || faults[0].Pointer != tt.pointer || !strings.Contains(faults[0].Detail, tt.want) {
				t.Errorf("got %+v, want %s: %s", faults, tt.pointer, tt.want)
			}
		})
	}
}

// What a check does not look at does not change its inputs; what it looks at
// does.
func TestInputs(t *testing.T) {
	tests := []struct {
		name, control string
		change        func(*Subject)
		same          bool
	}{
		{"policy, another policy changes", `{id: a, check: {policy: {name: jwt}}}`, func(s *Subject) { s.Operations[1].Chain = s.Operations[1].Chain[:1] }, true},
		{"policy, its configuration changes", `{id: a, check: {policy: {name: jwt}}}`, func(s *Subject) { s.Operations[1].Chain[0].Config = []byte(`{"issuer":"x"}`) }, false},
		{"policy, an operation comes", `{id: a, check: {policy: {name: jwt}}}`, func(s *Subject) { s.Operations = append(s.Operations, Operation{ID: "x", Method: "PUT", Path: "/x"}) }, false},
		{"policy, an operation that is not meant comes", `{id: a, check: {policy: {name: jwt, operations: {methods: [GET]}}}}`, func(s *Subject) { s.Operations = append(s.Operations, Operation{ID: "x", Method: "PUT", Path: "/x"}) }, true},
		{"expression, what it names changes", `{id: a, check: {cel: {expression: 'api.audience != "public"'}}}`, func(s *Subject) { s.Form.Audience = "internal" }, false},
		{"expression, what it does not name changes", `{id: a, check: {cel: {expression: 'api.audience != "public"'}}}`, func(s *Subject) { s.Form.Version.Path = "/x"; s.Form.Data = nil }, true},
		{"expression for each operation, one changes", `{id: a, check: {cel: {each: operation, expression: 'operation.id != ""'}}}`, func(s *Subject) { s.Operations[0].ID = "x" }, false},
		{"placement, a gateway moves", `{id: a, check: {placement: {data: true}}}`, func(s *Subject) { s.Gateways[0].Location.Region = "eu-2" }, false},
		{"placement, the path changes", `{id: a, check: {placement: {data: true}}}`, func(s *Subject) { s.Form.Version.Path = "/x" }, true},
		{"change, the definition changes", `{id: a, check: {change: {}}}`, func(s *Subject) { s.Form.Files = map[string]string{"./orders.yaml": "h2"} }, false},
		{"change, another is published", `{id: a, check: {change: {}}}`, func(s *Subject) { s.Published = &gatehouse.RevisionForm{} }, false},
		{"lint, the definition changes", `{id: a, check: {lint: {ruleset: ./house.yaml}}}`, func(s *Subject) { s.Form.Files = map[string]string{"./orders.yaml": "h2"} }, false},
		{"lint, a policy changes", `{id: a, check: {lint: {ruleset: ./house.yaml}}}`, func(s *Subject) { s.Operations[0].Chain = nil }, true},
		{"question, what it depends on changes", `{id: a, check: {question: {text: q, dependsOn: [data]}}}`, func(s *Subject) { s.Form.Data.Personal = false }, false},
		{"question, something else changes", `{id: a, check: {question: {text: q, dependsOn: [data, access]}}}`, func(s *Subject) { s.Form.Version.Path = "/x"; s.Revision = "rev2" }, true},
		{"question about everything", `{id: a, check: {question: {text: q}}}`, func(s *Subject) { s.Revision = "rev2" }, false},
		{"control that does not apply", `{id: a, applies: {stages: [dev]}, check: {cel: {expression: 'api.audience == "x"'}}}`, func(s *Subject) { s.Form.Audience = "public" }, true},
		{"control that comes to apply", `{id: a, applies: {audiences: [public]}, check: {cel: {expression: 'api.audience == "x"'}}}`, func(s *Subject) { s.Form.Audience = "public" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ready(t, tt.control)
			before, err := r.Inputs(subject())
			if err != nil {
				t.Fatal(err)
			}
			s := subject()
			tt.change(s)
			after, err := r.Inputs(s)
			if err != nil {
				t.Fatal(err)
			}
			if (before == after) != tt.same {
				t.Errorf("inputs the same: %t, want %t", before == after, tt.same)
			}
		})
	}
	a, b := ready(t, `{id: a, check: {cel: {expression: 'api.audience == "x"'}}}`), ready(t, `{id: a, check: {cel: {expression: 'api.audience == "y"'}}}`)
	if x, _ := a.Inputs(subject()); x == must(b.Inputs(subject())) {
		t.Error("a control that demands something else has the same inputs")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestFindingsAreBounded(t *testing.T) {
	s := subject()
	for i := range 100 {
		s.Operations = append(s.Operations, Operation{ID: fmt.Sprint("op", i), Method: "GET", Path: fmt.Sprint("/", i)})
	}
	v, err := ready(t, `{id: a, check: {policy: {name: jwt}}}`).Judge(s)
	if err != nil || len(v.Findings) != MaxFindings || v.More != 100-MaxFindings {
		t.Errorf("got %d findings and %d more, %v", len(v.Findings), v.More, err)
	}
}
