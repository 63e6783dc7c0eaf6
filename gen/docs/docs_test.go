package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/bundle"
	"gatehouse/policy/all"
)

func TestGeneratedDocsAreFresh(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run \"go generate ./...\"", name)
		}
	}
	for _, dir := range []string{"docs/kinds", "docs/policies", "docs/schemas"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if _, ok := files[dir+"/"+e.Name()]; !ok {
				t.Errorf("%s/%s belongs to nothing any more: run \"go generate ./...\"", dir, e.Name())
			}
		}
	}
}

// TestExamplesAreValid holds that what the pages show can be applied.
func TestExamplesAreValid(t *testing.T) {
	b, err := bundle.Read([]string{"examples.yaml"}, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := bundle.Check(b, bundle.CheckOptions{Policies: all.Find, PolicyNames: all.Names(), Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := found.Err(); err != nil {
		t.Error(err)
	}
}

func TestPagesSayWhatFieldsMean(t *testing.T) {
	files, err := generate(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"docs/kinds/api.md": "| `path` | text | Required. Path is the public base path", "docs/policies/rate-limit.md": "| `requests` |",
		"docs/schemas/gatehouse.schema.json": `"rate-limit"`,
	} {
		if !strings.Contains(string(files[name]), want) {
			t.Errorf("%s lacks %q:\n%.1500s", name, want, files[name])
		}
	}
}
