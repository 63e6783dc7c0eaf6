package bundle_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/bundle"
)

// A framework comes with the rulesets that those it names extend, and rulesets
// that extend each other are told as the circle they are.
func TestRulesetsThatExtendOthers(t *testing.T) {
	const rules = "rules:\n  title: {given: $.info, then: {field: title, function: truthy}}\n"
	tests := []struct {
		name  string
		files map[string]string
		want  []string // files of the framework
		fault string
	}{
		{"alone", map[string]string{"rules.yaml": rules}, []string{"rules.yaml"}, ""},
		{"two below each other", map[string]string{"rules.yaml": "extends: [common/a.yaml]", "common/a.yaml": "extends: b.yaml", "common/b.yaml": rules}, []string{"common/a.yaml", "common/b.yaml", "rules.yaml"}, ""},
		{"itself", map[string]string{"rules.yaml": "extends: [rules.yaml]"}, nil, `extends itself: rules.yaml → rules.yaml`},
		{"each other", map[string]string{"rules.yaml": "extends: [a.yaml]", "a.yaml": "extends: [rules.yaml]"}, nil, `extends itself: rules.yaml → a.yaml → rules.yaml`},
		{"one that is not there", map[string]string{"rules.yaml": "extends: [a.yaml]"}, nil, `file "a.yaml" is missing`},
		{"one outside", map[string]string{"rules.yaml": "extends: [../../a.yaml]"}, nil, `is missing`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.files["f.yaml"] = "apiVersion: gatehouse/v1\nkind: Framework\nmetadata: {name: f}\nspec: {versions: [{name: \"1\", controls: [{id: a, check: {lint: {ruleset: ./rules.yaml}}}]}]}\n"
			for name, text := range tt.files {
				file := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b, err := bundle.Read([]string{filepath.Join(dir, "f.yaml")}, bundle.Options{})
			if err == nil {
				var found bundle.Findings
				if found, err = bundle.Check(b, bundle.CheckOptions{}); err == nil {
					err = found.Err()
				}
			}
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Fatalf("got %v, want %q", err, tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(b.Documents[0].Files)); !slices.Equal(got, tt.want) {
				t.Errorf("files %q, want %q", got, tt.want)
			}
		})
	}
}

// What only a server knows is named once, however often files refer to it; a
// name that looks misspelt keeps its place.
func TestWhatOnlyAServerKnowsIsNamedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	text := ""
	for _, name := range []string{"one", "two"} {
		text += "---\napiVersion: gatehouse/v1\nkind: Backend\nmetadata: {team: payments, name: " + name + "}\nspec: {environments: {dev: {targets: [{url: \"http://127.0.0.1:1\"}]}, prod: {targets: [{url: \"http://127.0.0.1:1\"}]}}}\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read([]string{file}, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Decode(); err != nil {
		t.Fatal(err)
	}
	found, err := bundle.Check(b, bundle.CheckOptions{})
	if err != nil || found.Err() != nil || len(found.Notes) > 0 {
		t.Fatalf("%v, %v, notes %v", err, found.Err(), found.Notes)
	}
	if want := []string{`environment "dev"`, `environment "prod"`, `team "payments"`}; !slices.Equal(found.Elsewhere, want) {
		t.Errorf("got %q, want %q", found.Elsewhere, want)
	}
}
