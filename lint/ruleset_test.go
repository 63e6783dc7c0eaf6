package lint

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// files resolves rulesets out of a map.
func files(m map[string]string) Resolver {
	return func(name string) ([]byte, error) {
		text, ok := m[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return []byte(text), nil
	}
}

const oneRule = "rules:\n  x:\n    given: $.a\n    then: {function: truthy}\n"

// TestBadRulesets holds that whatever is wrong with a ruleset is refused, with
// its place and what would do.
func TestBadRulesets(t *testing.T) {
	then := func(t string) string { return "rules: {x: {given: $.a, then: " + t + "}}" }
	given := func(g string) string { return "rules: {x: {then: {function: truthy}, given: '" + g + "'}}" }
	tests := []struct {
		name, text, want string
	}{
		{"not YAML", "rules: {", `r.yaml:`},
		{"empty", "", `holds 0 documents`},
		{"list", "[]", `r.yaml:1:1: a ruleset is an object`},
		{"nothing in it", "description: x", `has "rules", "extends" or "overrides"`},
		{"unknown key", "rulez: {}\nrules: {}", `r.yaml:1:8: "rulez" is not known: extends, rules`},
		{"key twice", "rules: {}\nrules: {}", `key "rules" stands twice`},
		{"own functions", "functions: [x]\nrules: {}", `no code of a ruleset is run`},
		{"unknown function", then("{function: nope}"), `r.yaml:1:42: rule "x": function "nope" is not known: alphabetical, casing`},
		{"no function", then("{field: a}"), `lacks "function"`},
		{"then is text", then("truthy"), `"then" is an object with "function"`},
		{"then has more", then("{function: truthy, extra: 1}"), `"extra" is not known: field, function, functionOptions`},
		{"no then", "rules: {x: {given: $.a}}", `rule "x" lacks "then"`},
		{"no given", "rules: {x: {then: {function: truthy}}}", `rule "x" lacks "given"`},
		{"given nothing", "rules: {x: {given: [], then: {function: truthy}}}", `"given" has 1 to 200 paths`},
		{"given no path", given("a.b"), `"given" is a path, as $.paths[*], or an alias`},
		{"path open", given("$.a["), `path "$.a[", letter 5: "]" is missing`},
		{"path dot", given("$.a."), `a name is missing behind "."`},
		{"path goes on", given("$.a^.b"), `behind "^" and "~" nothing follows`},
		{"path too long", given("$." + strings.Repeat("a", 5000)), `at most 4096 are read`},
		{"path of many steps", given("$" + strings.Repeat(".a", 100)), `more than 60 steps`},
		{"filter open", given("$[?(@.a]"), `"]" is missing`},
		{"filter calls", given("$[?(process.exit())]"), `"process" is not known`},
		{"filter method", given("$[?(@.constructor.constructor(1))]"), `"constructor" is not a method here: endsWith`},
		{"filter place", given("$[?(@nothing)]"), `"@nothing" is not known: @, @property`},
		{"filter deep", given("$[?(" + strings.Repeat("(", 600) + "1" + strings.Repeat(")", 600) + ")]"), `nests too deep`},
		{"filter of nots", given("$[?(" + strings.Repeat("!", 600) + "1)]"), `nests too deep`},
		{"filter regexp", given("$[?(@.match(/(?=a)/))]"), `looks ahead`},
		{"filter slice back", given("$[1:0:-1]"), `they go forward`},
		{"alias unknown", "rules: {x: {given: '#No.a', then: {function: truthy}}}", `alias "No" is not among the aliases`},
		{"alias of itself", "aliases: {A: '#B.x', B: ['#A.y']}\nrules: {}", `stands for itself: `},
		{"alias many", "aliases: {A: [$.a, $.b, $.c, $.d], B: ['#A.x', '#A.y', '#A.z'], C: ['#B', '#B.a', '#B.b'], D: ['#C', '#C.a', '#C.b', '#C.c', '#C.d', '#C.e']}\nrules: {}", `stands for more than 200 paths`},
		{"severity", "rules: {x: {given: $.a, severity: bad, then: {function: truthy}}}", `"bad" is not a severity: error, warn, info, hint or off`},
		{"format", "rules: {x: {given: $.a, formats: [oas9], then: {function: truthy}}}", `format "oas9" is not known: oas2, oas3`},
		{"rule key", "rules: {x: {given: $.a, givn: 1, then: {function: truthy}}}", `rule "x": "givn" is not known: description`},
		{"switches none", "rules: {x: error}", `r.yaml:1:12: rule "x" is not one that is extended`},
		{"options of none", then("{function: truthy, functionOptions: {a: 1}}"), `function "truthy" takes no options`},
		{"options missing", then("{function: length}"), `function "length": options are missing: min, max`},
		{"options empty", then("{function: length, functionOptions: {}}"), `takes "min", "max" or both`},
		{"options wrong", then("{function: length, functionOptions: {max: many}}"), `option "max" is a number`},
		{"options unknown", then("{function: pattern, functionOptions: {regex: a}}"), `option "regex" is not known: match, notMatch`},
		{"regexp open", then(`{function: pattern, functionOptions: {match: "("}}`), `function "pattern": option "match": regular expression "(" is not understood`},
		{"regexp ahead", then(`{function: pattern, functionOptions: {match: "^(?!a)"}}`), `looks ahead with "(?!", which would need more time than the text is long: use two rules`},
		{"regexp behind", then(`{function: pattern, functionOptions: {match: "(?<=a)b"}}`), `looks behind`},
		{"regexp back", then(`{function: pattern, functionOptions: {match: '(a)\1'}}`), `refers back`},
		{"regexp explodes", then(`{function: pattern, functionOptions: {match: "((a{1000}){1000}){1000}"}}`), `is not understood`},
		{"regexp counts", then(`{function: pattern, functionOptions: {match: "a{999999}"}}`), `at most 100000 can be told`},
		{"regexp flags", then(`{function: pattern, functionOptions: {match: "/a/q"}}`), `has the flag "q"`},
		{"casing", then("{function: casing, functionOptions: {type: weird}}"), `flat, camel, pascal`},
		{"casing separator", then("{function: casing, functionOptions: {type: flat, separator: {char: ab}}}"), `"char" of one letter`},
		{"enumeration", then("{function: enumeration, functionOptions: {values: [[1]]}}"), `holds text, numbers`},
		{"xor of one", then("{function: xor, functionOptions: {properties: [a]}}"), `at least 2 texts`},
		{"schema", then("{function: schema, functionOptions: {schema: {type: strange}}}"), `"schema": schema is not valid: data/type is "strange", which is no type`},
		{"schema reference", then(`{function: schema, functionOptions: {schema: {$ref: "#/no"}}}`), `reference leads nowhere`},
		{"schema pattern", then(`{function: schema, functionOptions: {schema: {properties: {a: {pattern: "(?=x)"}}}}}`), `looks ahead`},
		{"schema dialect", then("{function: schema, functionOptions: {schema: {}, dialect: draft3}}"), `dialect "draft3" is not known`},
		{"extends unknown", "extends: spectral:nope", `ruleset "spectral:nope" is not built in; spectral:oas is`},
		{"extends network", "extends: https://a.example/x.yaml", `nothing is fetched`},
		{"extends missing", "extends: missing.yaml", `ruleset "missing.yaml": file does not exist`},
		{"extends absolute", "extends: /etc/passwd", `a path is relative`},
		{"extends itself", "extends: r.yaml", `extends itself: r.yaml → r.yaml`},
		{"extends circle", "extends: one.yaml", `one.yaml → two.yaml → one.yaml`},
		{"extends deep", "extends: deep1.yaml", `more than 32 files stand behind one ruleset`},
		{"extends how", "extends: [[spectral:oas, some]]", `"some" is not known: all, recommended or off`},
		{"extends pair", "extends: [[spectral:oas]]", `pairs such as [spectral:oas, all]`},
		{"fault in another file", "extends: bad.yaml", `bad.yaml:4:22: rule "x": function "truthyy" is not known`},
		{"overrides", "overrides: [{files: [a.yaml]}]\nrules: {}", `an override has "files" and "rules"`},
		{"override defines", "overrides: [{files: [a.yaml], rules: {x: {given: $}}}]\nrules: {}", `its definition belongs under "rules"`},
		{"parser options", "parserOptions: {more: off}\nrules: {}", `"more" is not known`},
		{"alias bomb", "a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g]", `values once aliases are written out`},
	}
	deep := map[string]string{
		"one.yaml": "extends: two.yaml", "two.yaml": "extends: one.yaml",
		"bad.yaml": strings.Replace(oneRule, "truthy", "truthyy", 1),
	}
	for i := 1; i < 40; i++ {
		deep[fmt.Sprintf("deep%d.yaml", i)] = fmt.Sprintf("extends: deep%d.yaml", i+1)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("r.yaml", []byte(tt.text), files(deep))
			if err == nil {
				t.Fatal("it was taken")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := Parse("r.yaml", []byte("rules: {}#"+strings.Repeat("x", MaxRulesetBytes)), nil); err == nil || !strings.Contains(err.Error(), "at most 1048576 are read") {
		t.Errorf("a ruleset that is too long: %v", err)
	}
	var many strings.Builder
	many.WriteString("rules:\n")
	for i := range MaxRules + 1 {
		fmt.Fprintf(&many, "  x%d: {given: $.a, then: {function: truthy}}\n", i)
	}
	if _, err := Parse("r.yaml", []byte(many.String()), nil); err == nil || !strings.Contains(err.Error(), "more than 1000 rules") {
		t.Errorf("a ruleset of too many rules: %v", err)
	}
}

func TestRulesetErrorHasItsPlace(t *testing.T) {
	_, err := Parse("rules/main.yaml", []byte("extends: ../base.yaml"), files(map[string]string{"base.yaml": "rules:\n  x: 5x\n"}))
	e, ok := errors.AsType[*RulesetError](err)
	if !ok || e.File != "base.yaml" || e.Line != 2 || e.Column != 6 {
		t.Errorf("got %#v", err)
	}
}

// TestBuiltinRules holds the rules of spectral:oas, by name and whether they
// are recommended.
func TestBuiltinRules(t *testing.T) {
	all, err := Parse("all.yaml", []byte(`extends: [["spectral:oas", all]]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	recommended, err := Recommended("spectral:oas")
	if err != nil {
		t.Fatal(err)
	}
	none, err := Parse("none.yaml", []byte(`extends: [["spectral:oas", off]]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Rules()) != 57 || len(none.Rules()) != 0 {
		t.Errorf("%d rules in all, %d when off", len(all.Rules()), len(none.Rules()))
	}
	var optional []string
	for _, r := range all.Rules() {
		if !slices.Contains(recommended.Rules(), r) {
			optional = append(optional, r)
		}
	}
	want := []string{"contact-properties", "info-license", "license-url", "oas2-host-not-example", "oas2-parameter-description", "oas3-parameter-description",
		"oas3-server-not-example.com", "openapi-tags", "openapi-tags-alphabetical", "operation-singular-tag", "tag-description"}
	if !slices.Equal(optional, want) {
		t.Errorf("not recommended are %v, want %v", optional, want)
	}
	for f, shape := range shapeOf {
		if _, err := shape(); err != nil {
			t.Errorf("%v: %v", f.names(), err)
		}
	}
}

// TestHostileDocuments holds that what is made to explode ends, with findings
// or an error, in little time and memory. One document is given all the steps
// that a run has; for the others a tenth shows as well that they end there.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	double := func(kind string, n int) string {
		var s strings.Builder
		s.WriteString("openapi: 3.1.0\ninfo: {title: T, version: '1'}\ncomponents:\n  schemas:\n")
		for i := range n {
			fmt.Fprintf(&s, "    S%d: {type: object, %s: [{$ref: '#/components/schemas/S%d'}, {$ref: '#/components/schemas/S%d'}], example: {a: 1}}\n", i, kind, i+1, i+1)
		}
		fmt.Fprintf(&s, "    S%d: {type: string, enum: [a]}\n", n)
		return s.String()
	}
	chain := func(n int) string {
		var s strings.Builder
		s.WriteString("openapi: 3.1.0\ninfo: {title: T, version: '1'}\ncomponents:\n  schemas:\n")
		for i := range n {
			fmt.Fprintf(&s, "    S%d: {type: integer, allOf: [{$ref: '#/components/schemas/S%d'}], example: 1}\n", i, i+1)
		}
		return s.String()
	}
	wide := "a:\n" + strings.Repeat("  - {$ref: '#/a'}\n  - {b: [{$ref: '#/a/1'}, {$ref: '#/a/3/b'}]}\n", 2000)
	sets := make(map[string]*Ruleset)
	for name, text := range map[string]string{
		"oas":  "extends: [[spectral:oas, all]]\nrules: {names: {given: $..a..b..c..d, then: {function: falsy}}}",
		"ways": "rules: {ways: {given: \"$..[?(@path.length > 5)]^^\", then: {function: defined}}}",
	} {
		var err error
		if sets[name], err = Parse(name+".yaml", []byte(text), nil); err != nil {
			t.Fatal(err)
		}
	}
	const whole = "doubling oneOf"
	for name, text := range map[string]string{
		"doubling allOf": double("allOf", 60), "doubling anyOf": double("anyOf", 60), whole: double("oneOf", 40), "doubling prefixItems": double("prefixItems", 60),
		"a chain": chain(1000), "everything refers to everything": wide,
	} {
		d, err := Read("doc.yaml", []byte(text))
		if err != nil {
			t.Logf("%s: reading: %v", name, err)
			continue
		}
		steps := MaxSteps / 10
		if name == whole {
			steps = MaxSteps
		}
		for _, set := range sets {
			t.Run(name+", "+set.Name(), func(t *testing.T) {
				t.Parallel()
				found, err := set.within(steps, d)
				t.Logf("%d findings, %v", len(found), err)
				if err != nil && !errors.Is(err, errTooMuch) && !strings.Contains(err.Error(), "findings") {
					t.Error(err)
				}
			})
		}
	}
}

// TestConcurrentRuns runs one ruleset over one document from many goroutines.
func TestConcurrentRuns(t *testing.T) {
	set, err := Recommended("spectral:oas")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read("doc.yaml", []byte(api(10)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := set.Run(d)
	if err != nil || len(want) == 0 {
		t.Fatalf("%d findings, %v", len(want), err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := set.Run(d)
			if err != nil || len(got) != len(want) {
				t.Errorf("%d findings, %v, want %d", len(got), err, len(want))
			}
		})
	}
	wg.Wait()
}

func TestFindingPlaces(t *testing.T) {
	set, err := Parse("r.yaml", []byte("rules:\n  x: {given: '$..description', message: '{{property}} of {{path}} is {{value}}: {{error}}', then: {function: falsy}}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read("doc.yaml", []byte("openapi: 3.0.0\npaths:\n  /a/{b}:\n    get:\n      description: text\n    parameters:\n      - description: other\n"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := set.Run(d)
	if err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	f := found[0]
	if f.Line != 5 || f.Column != 7 || f.File != "doc.yaml" || f.Operation() != "GET /a/{b}" || f.Pointer() != "/paths/~1a~1{b}/get/description" {
		t.Errorf("got %+v, operation %q, pointer %q", f, f.Operation(), f.Pointer())
	}
	if want := `description of #/paths/~1a~1{b}/get/description is text: "description" property must be absent or empty`; f.Message != want {
		t.Errorf("got %q, want %q", f.Message, want)
	}
	if found[1].Operation() != "" {
		t.Errorf("a parameter of a path belongs to operation %q", found[1].Operation())
	}
}
