package gatehouse

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
)

func frameworkDocument(version string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"corporate"},"spec":{"versions":[{"name":"2026.1",%s}]}}`, version)
}

func control(check string) string {
	return `"controls":[{"id":"a","check":` + check + `}]`
}

func TestFrameworkWords(t *testing.T) {
	tests := []struct {
		name, version string
		want          string // "" is let in
	}{
		{"every check", `"controls":[
			{"id":"a","grace":"30d","applies":{"stages":["prod"],"audiences":["partner"],"classifications":["restricted"]},"check":{"lint":{"ruleset":{"extends":["spectral:oas"]},"rules":["operation-operationId"],"failOn":"warn"}}},
			{"id":"b","mappings":{"owasp-api-2023":["API4"],"iso-27001-2022":["A.8.6"],"nist-800-53-r5":["SC-5","AC-2(1)"],"pci-dss-4":["6.2.4"],"gdpr":["Art. 32(1)(b)","25"],"x-house":["rule 7"]},
				"check":{"policy":{"name":"rate-limit","condition":"config.requests <= 1000","operations":{"methods":["POST"],"paths":["/admin/*"],"except":["ping"]}}}},
			{"id":"c","check":{"cel":{"expression":"api.audience != \"public\"","each":"operation","message":"make it internal"}}},
			{"id":"d","check":{"placement":{"data":true,"rules":[{"classifications":["restricted"],"personal":true,"jurisdictions":["EU"],"clouds":["aws"],"networks":["private"]}]}}},
			{"id":"e","check":{"change":{"levels":["error","warning"],"ignore":["api-path-removed-without-deprecation"]}}},
			{"id":"f","check":{"question":{"text":"Is there a threat model?","evidence":true,"confirm":"compliance","dependsOn":["definition","data"],"lasts":"365d"}}},
			{"id":"g","check":{"lint":{"ruleset":"./rules.yaml"}}},{"id":"h","check":{"lint":{"ruleset":"spectral:oas"}}}]`, ""},
		{"service", `"service":{"summary":"s","team":"platform","functional":{"clouds":[{"cloud":"aws","regions":["eu-central-1"]}],"networks":[{"network":"public"}],"stages":[{"stage":"dev"}],
			"resources":{"add":"apply"},"automation":[{"name":"release"}],"secureConfiguration":["keys"]},
			"nonFunctional":{"onboarding":["ask"],"support":{"hours":"24x7"},"serviceLevels":[{"name":"up","objective":"99.9 %"}],"responsibilities":[{"task":"patch","provider":"RA","consumer":"I"}],"contacts":{"help":"help@example.com"}}}`, ""},

		{"no check", control(`{}`), "exactly one of lint, policy"},
		{"unknown check", control(`{"lnit":{"ruleset":"spectral:oas"}}`), `unknown field "lnit"; did you mean "lint"?`},
		{"unknown field of a check", control(`{"cel":{"expression":"true","massage":"x"}}`), `controls[0].check.cel.massage: unknown field "massage"; did you mean "message"?`},
		{"no expression", control(`{"cel":{"expression":" "}}`), "expression is missing"},
		{"long expression", control(`{"cel":{"expression":"` + strings.Repeat("x", MaxExpression+1) + `"}}`), "at most 4096"},
		{"no ruleset", control(`{"lint":{}}`), "ruleset is missing"},
		{"ruleset of a number", control(`{"lint":{"ruleset":5}}`), "is no ruleset"},
		{"ruleset above the document", control(`{"lint":{"ruleset":"a/../../rules.yaml"}}`), "does not lie beside"},
		{"ruleset by URL", control(`{"lint":{"ruleset":"https://example.com/rules.yaml"}}`), "does not lie beside"},
		{"ruleset at the root", control(`{"lint":{"ruleset":"/etc/rules.yaml"}}`), "does not lie beside"},
		{"ruleset that is a program", control(`{"lint":{"ruleset":"./rules.js"}}`), "neither a file"},
		{"policy without a name", control(`{"policy":{"condition":"true"}}`), "name is missing"},
		{"method in lower case", control(`{"policy":{"name":"cors","operations":{"methods":["post"]}}}`), `"post" is not a method`},
		{"placement of nothing", control(`{"placement":{}}`), "demands nothing"},
		{"placement nowhere", control(`{"placement":{"rules":[{"personal":true}]}}`), "binds nobody to a place"},
		{"level of changes", control(`{"change":{"levels":["fatal"]}}`), `"fatal" is not one of "error" or "warning"`},
		{"question without text", control(`{"question":{"evidence":true}}`), "text is missing"},
		{"question on the weather", control(`{"question":{"text":"?","dependsOn":["weather"]}}`), `"weather" is not one of "definition"`},
		{"answers for a second", control(`{"question":{"text":"?","lasts":"1s"}}`), "at least 1m"},
		{"ids twice", `"controls":[{"id":"a","check":{"change":{}}},{"id":"a","check":{"change":{}}}]`, `controls[1].id: "a" stands twice, first at index 0`},
		{"unknown standard", `"controls":[{"id":"a","mappings":{"owasp-api":["API1"]},"check":{"change":{}}}]`, `known are gdpr, iso-27001-2022`},
		{"eleventh of ten", `"controls":[{"id":"a","mappings":{"owasp-api-2023":["API11"]},"check":{"change":{}}}]`, `"API11" is not a reference into OWASP API Security Top 10 2023, such as "API1"`},
		{"reference of two lines", `"controls":[{"id":"a","mappings":{"x-own":["a\nb"]},"check":{"change":{}}}]`, "one line"},
		{"endless grace", `"controls":[{"id":"a","grace":"0s","check":{"change":{}}}]`, "at least 1m"},
		{"stage that is none", `"controls":[{"id":"a","applies":{"stages":["live"]},"check":{"change":{}}}]`, `"live" is not one of "dev", "qa" or "prod"`},
		{"unknown field of the service", `"service":{"functional":{"cloud":[]}}`, `unknown field "cloud"; did you mean "clouds"?`},
		{"two accountable", `"service":{"nonFunctional":{"responsibilities":[{"task":"patch","provider":"RA","consumer":"A"}]}}`, "2 are accountable"},
		{"nobody responsible", `"service":{"nonFunctional":{"responsibilities":[{"task":"patch","provider":"A","consumer":"I"}]}}`, "nobody is responsible"},
		{"letters of another table", `"service":{"nonFunctional":{"responsibilities":[{"task":"patch","provider":"R","consumer":"X"}]}}`, "not letters of RACI"},
		{"task twice", `"service":{"nonFunctional":{"responsibilities":[{"task":"p","provider":"R","consumer":"I"},{"task":"p","provider":"R","consumer":"I"}]}}`, "stands twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeObject(frameworkDocument(tt.version))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(faultTexts(err), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func faultTexts(err error) string {
	var b strings.Builder
	for _, f := range err.(*Error).Faults {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

func TestApprovalsOfAFramework(t *testing.T) {
	tests := []struct {
		approvals string
		needed    int // 0: refused
	}{{"", 2}, {`"approvals":1,`, 1}, {`"approvals":3,`, 3}, {`"approvals":0,`, 0}, {`"approvals":-1,`, 0}, {`"approvals":21,`, 0}}
	for _, tt := range tests {
		o, err := DecodeObject(fmt.Appendf(nil, `{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"c"},"spec":{%s"versions":[{"name":"1"}]}}`, tt.approvals))
		if (err != nil) != (tt.needed == 0) {
			t.Errorf("%q: got %v", tt.approvals, err)
		} else if err == nil && o.Spec.(*Framework).Needed() != tt.needed {
			t.Errorf("%q: got %d, want %d", tt.approvals, o.Spec.(*Framework).Needed(), tt.needed)
		}
	}
}

// What the form of checks and service was before it was said is still read
// from the store.
func TestFrameworkStoredBeforeItsTypes(t *testing.T) {
	var o Object
	err := json.Unmarshal(frameworkDocument(`"state":"in-force","controls":[{"id":"a","check":{"cel":"x","lint":{"anything":1}}}],"service":{"team":5,"summary":"kept"},"policies":[{"policies":["cors"]}]`), &o)
	if err != nil {
		t.Fatal(err)
	}
	v := o.Spec.(*Framework).Version("2026.1")
	if v.State != InForce || v.Controls[0].ID != "a" || v.Service.Summary != "kept" || len(v.Policies) != 1 {
		t.Errorf("got %+v", v)
	}
	if err := json.Unmarshal([]byte(`{"kind":"Framework","spec":[`), &o); err == nil {
		t.Error("half a document is read")
	}
}

// The text of a version is the same whatever the state the file claims, and
// another as soon as a word or a file of it changes.
func TestFrameworkText(t *testing.T) {
	text := func(version string, files map[string]string) string {
		o, err := DecodeObject(frameworkDocument(version))
		if err != nil {
			t.Fatal(err)
		}
		_, hash, err := o.Spec.(*Framework).TextOf("corporate", "2026.1", files).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	plain := text(control(`{"lint":{"ruleset":"./r.yaml"}}`), map[string]string{"r.yaml": "aa"})
	if got := text(`"state":"approved",`+control(`{"lint":{"ruleset":"./r.yaml"}}`), map[string]string{"r.yaml": "aa"}); got != plain {
		t.Error("a state changes the text")
	}
	if got := text(control(`{"lint":{"ruleset":"./r.yaml"}}`), map[string]string{"r.yaml": "bb"}); got == plain {
		t.Error("a changed ruleset does not change the text")
	}
	if got := text(control(`{"lint":{"ruleset":"./r.yaml","failOn":"warn"}}`), map[string]string{"r.yaml": "aa"}); got == plain {
		t.Error("a changed control does not change the text")
	}
	if new(Framework).TextOf("corporate", "2026.1", nil) != nil {
		t.Error("a version that is not there has a text")
	}
}

// A version's text has the rulesets that it names and those that no version
// names, which are extended; not those that another version names.
func TestTextHasTheRulesetsItExtends(t *testing.T) {
	lint := func(file string) Control {
		return Control{ID: "a", Check: ControlCheck{Lint: &LintCheck{Ruleset: []byte(`"` + file + `"`)}}}
	}
	f := &Framework{Versions: []FrameworkVersion{
		{Name: "1", Controls: []Control{lint("./one.yaml")}}, {Name: "2", Controls: []Control{lint("./two.yaml")}}, {Name: "3"},
	}}
	files := map[string]string{"one.yaml": "h1", "two.yaml": "h2", "common/base.yaml": "h3"}
	for version, want := range map[string]map[string]string{
		"1": {"one.yaml": "h1", "common/base.yaml": "h3"}, "2": {"two.yaml": "h2", "common/base.yaml": "h3"}, "3": nil,
	} {
		if got := f.TextOf("f", version, files).Files; !maps.Equal(got, want) {
			t.Errorf("version %s has %v, want %v", version, got, want)
		}
	}
}
