package frameworks_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/frameworks"
	"gatehouse/lint"
	"gatehouse/policy"
	"gatehouse/policy/all"
	"gatehouse/rule"
)

func read(t *testing.T, ready, name string) *gatehouse.Framework {
	t.Helper()
	text, err := frameworks.Document(ready, name)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "framework.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read([]string{file}, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := bundle.Check(b, bundle.CheckOptions{Policies: all.Find, Strict: true})
	if err != nil || found.Err() != nil {
		t.Fatal(err, found.Err())
	}
	o := b.Documents[0].Get()
	if want := max(name, ready); name != "" && o.Metadata.Name != name || name == "" && o.Metadata.Name != want {
		t.Errorf("it is called %q", o.Metadata.Name)
	}
	return o.Spec.(*gatehouse.Framework)
}

// Each is a document without faults whose every control can be asked.
func TestEachCanBeApplied(t *testing.T) {
	for _, ready := range frameworks.Names {
		t.Run(ready, func(t *testing.T) {
			f := read(t, ready, "")
			v := &f.Versions[0]
			if _, faults := rule.All(v, nil); len(faults) > 0 {
				t.Error(gatehouse.InvalidFaults(faults))
			}
			for _, k := range v.Controls {
				if k.Title == "" || k.Text == "" || k.Severity == "" {
					t.Errorf("control %q lacks a title, a text or a severity", k.ID)
				}
			}
			if s := v.Service; s == nil || s.Functional == nil || s.NonFunctional == nil || len(s.NonFunctional.Duties) == 0 || len(s.Functional.Stages) != 3 {
				t.Error("the service is not described")
			}
			if about, err := frameworks.About(ready); err != nil || len(about) < 100 {
				t.Errorf("about: %q, %v", about, err)
			}
			read(t, ready, "corporate")
		})
	}
}

// Partner-apis answers each of the ten risks, and by something that is required.
func TestTenRisks(t *testing.T) {
	f := read(t, "partner-apis", "")
	for n := range 10 {
		ref := "API" + string(rune('1'+n))
		if n == 9 {
			ref = "API10"
		}
		if !slices.ContainsFunc(f.Versions[0].Controls, func(k gatehouse.Control) bool {
			return k.Level != gatehouse.ControlAdvisory && slices.Contains(k.Mappings["owasp-api-2023"], ref)
		}) {
			t.Errorf("no required control answers %s", ref)
		}
	}
}

func TestUnknown(t *testing.T) {
	if _, err := frameworks.Document("corporate", ""); err == nil || !strings.Contains(err.Error(), `"corporate" is not a ready framework; there is starter`) {
		t.Errorf("got %v", err)
	}
	if _, err := frameworks.About("../starter"); err == nil {
		t.Error("a path is a ready framework")
	}
}

// The rulesets find what they are for, and nothing in a definition that obeys.
func TestRulesetsFind(t *testing.T) {
	tests := []struct {
		ready, control, bad string
	}{
		{"starter", "def-use", `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"servers":[{"url":"http://api.example.com"}],"paths":{}}`},
		{"starter", "def-use", `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"summary":"s","responses":{}}}}}`},
		{"starter", "def-use", `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"operationId":"s","responses":{}}}}}`},
		{"partner-apis", "api1-ids", `{"openapi":"3.1.0","paths":{"/a/{id}":{"get":{"parameters":[{"name":"id","in":"path","schema":{"type":"integer"}}]}}}}`},
		{"partner-apis", "api1-ids", `{"openapi":"3.1.0","paths":{"/a/{id}":{"parameters":[{"name":"id","in":"path","schema":{"type":"integer"}}]}}}`},
		{"partner-apis", "api2-not-in-query", `{"openapi":"3.1.0","components":{"securitySchemes":{"k":{"type":"apiKey","in":"query","name":"key"}}}}`},
		{"partner-apis", "api2-not-in-query", `{"swagger":"2.0","securityDefinitions":{"k":{"type":"apiKey","in":"query","name":"key"}}}`},
		{"partner-apis", "api3-closed", `{"openapi":"3.1.0","components":{"schemas":{"A":{"type":"object"}}}}`},
		{"partner-apis", "api4-lists", `{"openapi":"3.1.0","components":{"schemas":{"A":{"type":"object","properties":{"l":{"type":"array"}}}}}}`},
		{"partner-apis", "api7-parameters", `{"openapi":"3.1.0","paths":{"/a":{"get":{"parameters":[{"name":"callback_url","in":"query"}]}}}}`},
		{"partner-apis", "api8-errors", `{"openapi":"3.1.0","paths":{"/a":{"get":{"responses":{"200":{"description":"d"}}}}}}`},
		{"regulated", "def-no-secrets", `{"openapi":"3.1.0","paths":{"/a":{"get":{"parameters":[{"name":"IBAN","in":"query"}]}}}}`},
	}
	good := `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"servers":[{"url":"https://api.example.com"}],
		"paths":{"/a/{id}":{"get":{"operationId":"a","summary":"s","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"d"},"404":{"description":"n"}}}}},
		"components":{"securitySchemes":{"k":{"type":"apiKey","in":"header","name":"X-API-Key"}},"schemas":{"A":{"type":"object","additionalProperties":false,"properties":{"l":{"type":"array","maxItems":9}}}}}}`
	for _, tt := range tests {
		l := read(t, tt.ready, "").Versions[0].Control(tt.control).Check.Lint
		set, err := lint.Parse(tt.control, l.Ruleset, nil)
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]bool{tt.bad: true, good: false} {
			d, err := lint.Read("openapi.json", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			found, err := set.Run(d)
			if err != nil {
				t.Fatal(err)
			}
			if (len(found) > 0) != want {
				t.Errorf("%s of %s: got %v in %s", tt.control, tt.ready, found, text)
			}
		}
	}
}

// subject is a sample API in an environment of a stage, with the mandatory
// policies of a framework version.
func subject(v *gatehouse.FrameworkVersion, stage string) *rule.Subject {
	const definition = `{"openapi":"3.1.0","info":{"title":"Orders","version":"1"},"servers":[{"url":"https://api.example.com"}],"paths":{"/orders/{id}":{"get":{"operationId":"getOrder","summary":"Follow an order",
		"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"It."},"404":{"description":"None."}}}}}}`
	data := &gatehouse.Data{Classification: "confidential", Personal: true, Jurisdictions: []string{"EU"}}
	place := &gatehouse.Location{Cloud: "aws", Jurisdiction: "EU", Network: "private"}
	s := &rule.Subject{
		Form: &gatehouse.RevisionForm{
			Team: "payments", Name: "orders", Audience: "partner", Data: data, Files: map[string]string{"openapi.json": "aa"},
			Version: gatehouse.Version{Name: "v1", Path: "/orders", Backend: "orders", Definition: "openapi.json"},
		},
		API: &gatehouse.API{
			Title: "Orders", Summary: "Follow orders.", Audience: "partner", Data: data, Support: &gatehouse.Support{Contact: "help@example.com", Hours: "24x7"},
		},
		EnvironmentName: stage, Environment: &gatehouse.Environment{Stage: stage, Jurisdiction: "EU", Release: &gatehouse.ReleaseRule{Mode: "approved", After: []string{"qa"}}},
		Gateways:    []rule.Gateway{{Name: "one", Gateway: &gatehouse.Gateway{Environment: stage, Location: place}}},
		BackendName: "payments/orders",
		Backend:     &gatehouse.BackendEnvironment{Targets: []gatehouse.Target{{URL: "https://orders.example.com", Location: place}}},
		Read:        func(string) ([]byte, error) { return []byte(definition), nil },
	}
	o := rule.Operation{ID: "getOrder", Method: "GET", Path: "/orders/{id}"}
	for _, m := range v.Policies {
		if len(m.Stages) > 0 && !slices.Contains(m.Stages, stage) || len(m.Audiences) > 0 && !slices.Contains(m.Audiences, "partner") {
			continue
		}
		for _, u := range m.Policies {
			o.Chain = append(o.Chain, policy.Use{Name: u.Name, Config: u.Config, From: "framework"})
		}
	}
	s.Operations = []rule.Operation{o}
	return s
}

// A sample API passes the gate of each, but for what persons answer; one that
// is open, elsewhere and by plain HTTP does not.
func TestEachPassesItsOwnGate(t *testing.T) {
	for _, ready := range frameworks.Names {
		v := &read(t, ready, "").Versions[0]
		rules, faults := rule.All(v, nil)
		if len(faults) > 0 {
			t.Fatal(gatehouse.InvalidFaults(faults))
		}
		for _, stage := range []string{"dev", "qa", "prod"} {
			bad := subject(v, stage)
			bad.Form.Version.Access, bad.Form.Data.Jurisdictions = "open", []string{"US"}
			bad.Backend.Targets[0].URL = "http://orders.example.com"
			failed := 0
			for _, r := range rules {
				if r.Kind == "question" {
					continue
				}
				if got, err := r.Judge(subject(v, stage)); err != nil || !got.Passed && r.Required() {
					t.Errorf("%s, control %s in %s: %v, %+v", ready, r.ID, stage, err, got.Findings)
				}
				if got, err := r.Judge(bad); err != nil {
					t.Errorf("%s, control %s in %s: %v", ready, r.ID, stage, err)
				} else if !got.Passed && r.Required() {
					failed++
				}
			}
			if failed == 0 {
				t.Errorf("%s in %s lets everything pass", ready, stage)
			}
		}
	}
}
