// Command docs writes docs/kinds, docs/policies and docs/schemas from the types
// of the product and their comments. "go generate ./..." runs it in the
// repository's root; a test fails when what lies there is stale.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/policy/all"
)

func main() {
	files, err := generate(".")
	if err == nil {
		err = write(".", files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// generate makes every file, by path below the repository's root.
func generate(root string) (map[string][]byte, error) {
	words, err := parse(root)
	if err != nil {
		return nil, err
	}
	policies := make(map[string]source)
	files := make(map[string][]byte)
	for _, k := range all.Kinds {
		dir := strings.TrimPrefix(configType(k).PkgPath(), "gatehouse/")
		if policies[k.Name], err = parse(filepath.Join(root, filepath.FromSlash(dir))); err != nil {
			return nil, err
		}
		files["docs/policies/"+k.Name+".md"] = policyPage(policies[k.Name], k)
	}
	examples, err := readExamples(filepath.Join(root, "gen", "docs", "examples.yaml"))
	if err != nil {
		return nil, err
	}
	var every []any
	combined := &schemas{defs: object{}}
	combined.policy(policies, all.Kinds)
	for _, k := range gatehouse.Kinds {
		name := strings.ToLower(string(k.Kind))
		files["docs/kinds/"+name+".md"] = kindPage(words, k, examples[string(k.Kind)])
		one := &schemas{defs: object{}}
		one.policy(policies, all.Kinds)
		if files["docs/schemas/"+name+".schema.gen.json"], err = indent(document(string(k.Kind), one.kind(words, k), one.defs)); err != nil {
			return nil, err
		}
		every = append(every, combined.kind(words, k))
	}
	if err := frameworkPages(root, files); err != nil {
		return nil, err
	}
	files["docs/schemas/gatehouse.schema.json"], err = indent(document("A document of Gatehouse", object{"oneOf": every}, combined.defs))
	return files, err
}

// readExamples reads the documents of a file by kind, as they are written.
func readExamples(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	examples := make(map[string]string)
	for _, doc := range strings.Split(string(text), "---\n") {
		_, doc, _ = strings.Cut(doc, "apiVersion:")
		_, kind, _ := strings.Cut(doc, "kind: ")
		kind, _, _ = strings.Cut(kind, "\n")
		examples[kind] = "apiVersion:" + doc
	}
	for _, k := range gatehouse.Kinds {
		if examples[string(k.Kind)] == "" {
			return nil, fmt.Errorf("%s has no example of kind %s", file, k.Kind)
		}
	}
	return examples, nil
}

func indent(v any) ([]byte, error) {
	text, err := jsonx.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing a schema: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("writing a schema: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// write writes the files and removes those of kinds and policies that are gone.
func write(root string, files map[string][]byte) error {
	for _, dir := range []string{"docs/kinds", "docs/policies", "docs/schemas"} {
		if err := os.RemoveAll(filepath.Join(root, dir)); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
