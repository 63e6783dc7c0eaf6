package expr

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var vars = Vars{
	"api": Object("api", map[string]*Type{
		"name": String, "audience": String, "personal": Bool, "limit": Int, "labels": Map(String), "tags": List(String), "more": Any,
	}),
	"operations": List(Object("operation", map[string]*Type{"id": String, "policies": List(String)})),
	"config":     Any,
}

func values(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	for name, text := range map[string]string{
		"api":        `{"name":"orders","audience":"partner","personal":true,"limit":10,"labels":{"domain":"commerce"},"tags":["a","b"],"more":{"deep":{"er":1.5}}}`,
		"operations": `[{"id":"list","policies":["jwt"]},{"id":"create","policies":["jwt","rate-limit"]}]`,
		"config":     `{"requests":60,"per":"1m"}`,
	} {
		v, err := FromJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = v
	}
	return all
}

func TestEval(t *testing.T) {
	tests := []struct {
		text string
		want bool
		err  string
	}{
		{`api.audience == "partner"`, true, ""},
		{`api.limit + 1 == 11`, true, ""},
		{`api.limit > 9.5`, true, ""},
		{`has(api.labels.domain) && api.labels.domain in ["commerce"]`, true, ""},
		{`has(api.labels.owner)`, false, ""},
		{`operations.all(o, "jwt" in o.policies)`, true, ""},
		{`operations.all(o, "rate-limit" in o.policies)`, false, ""},
		{`config.requests <= 100 && config.per == "1m"`, true, ""},
		{`api.more.deep.er == 1.5`, true, ""},
		{`api.name.matches("^[a-z]+$")`, true, ""},
		{`config.burst > 1`, false, "no such key: burst"},
		{`config.per > 1`, false, "no such overload"},
		{`config.per`, false, "true or false"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			p, err := Compile(tt.text, vars)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Eval(values(t))
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %t, %v; want %t, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	deep := strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200)
	tests := []struct {
		name, text, want string
		column           int
	}{
		{"nothing", "  ", "is empty", 0},
		{"syntax", "api.audience ==", "Syntax error", 16},
		{"unknown variable", `true && aip.audience == "x"`, "undeclared reference to 'aip'", 9},
		{"unknown field", `api.audeince == "x"`, "undefined field 'audeince'", 4},
		{"unknown field in a loop", `operations.all(o, o.name == "x")`, "undefined field 'name'", 20},
		{"wrong type", `api.limit == "10"`, "no matching overload", 11},
		{"no condition", `api.audience`, "gives a string", 1},
		{"unknown function", `api.audience.reverse() == ""`, "undeclared reference to 'reverse'", 21},
		{"three loops in each other", `operations.all(a, operations.all(b, operations.all(c, a.id != b.id || c.id == a.id)))`, "may cost", 1},
		{"loops that build", `operations.map(a, operations.map(b, operations.map(c, [a, b, c]))).size() > 0`, "may cost", 1},
		{"too long", strings.Repeat("true || ", 600) + "true", "the limit is 4096", 0},
		{"too deep", deep, "", 0},
		{"bad regular expression", `api.name.matches("(")`, "", 0},
		{"large regular expression", `api.name.matches("(a{500}){2}")`, "", 0},
		{"a message made", `google.protobuf.Struct{} == api`, "", 0},
		{"not UTF-8", "true\xff", "UTF-8", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(tt.text, vars)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an Error", err)
			}
			if !strings.Contains(e.Message, tt.want) || tt.column != 0 && e.Column != tt.column {
				t.Errorf("got %v, want column %d and %q", err, tt.column, tt.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{`api.audience == "x" || api.more.deep.er > 1`, []string{"api.audience", "api.more.deep.er"}},
		{`has(api.labels.owner)`, []string{"api.labels.owner"}},
		{`api.labels["a"] == "b"`, []string{"api.labels"}},
		{`operations.all(o, o.id != api.name)`, []string{"api.name", "operations"}},
		{`api.more == config && api.more.deep == 1`, []string{"api.more", "config"}},
		{`[api.limit, 2].exists(x, {"a": config.b}["a"] == x)`, []string{"api.limit", "config.b"}},
		{`true`, nil},
	}
	for _, tt := range tests {
		p, err := Compile(tt.text, vars)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Paths(); !slices.Equal(got, tt.want) {
			t.Errorf("%s looks at %q, want %q", tt.text, got, tt.want)
		}
	}
}

// What the estimate did not foresee is stopped while it runs.
func TestRunIsBounded(t *testing.T) {
	p, err := Compile(`operations.all(a, operations.all(b, a.id + b.id != "x"))`, vars)
	if err != nil {
		t.Fatal(err)
	}
	many := make([]any, 5000)
	for i := range many {
		many[i] = map[string]any{"id": "operation"}
	}
	v := values(t)
	v["operations"] = many
	if _, err := p.Eval(v); err == nil || !strings.Contains(err.Error(), "limit exceeded") {
		t.Errorf("got %v, want a limit", err)
	}
}

func TestValueIsMissing(t *testing.T) {
	p, err := Compile("true", vars)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eval(map[string]any{}); err == nil || !strings.Contains(err.Error(), `"api" has no value`) {
		t.Errorf("got %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`api.audience == "partner"`, `operations.all(o, "jwt" in o.policies)`, `config.a[0].b ? true : false`, "[1,2].map(x, x*x).exists(y, y > 2)",
		`"a".matches("(a+)+$")`, `{"a": [1]}.a`, "\x00", "'" + strings.Repeat("a", 100)} {
		f.Add(s)
	}
	scope, err := Declare(vars)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := scope.Compile(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("%q: got %v, want an Error that says something", text, err)
			}
			return
		}
		v := values(t)
		first, err1 := p.Eval(v)
		second, err2 := p.Eval(v)
		if first != second || (err1 == nil) != (err2 == nil) {
			t.Errorf("%q answers %t, %v and then %t, %v", text, first, err1, second, err2)
		}
	})
}
