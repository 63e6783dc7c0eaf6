package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/lint"
	"gatehouse/yamlx"
)

func (a *App) lint() *cobra.Command {
	var ruleset, fail string
	c := &cobra.Command{
		Use: "lint FILE…", GroupID: "files", Args: between(1, 10_000, "definitions, documents or folders of documents"),
		Short: "Judge API definitions by a ruleset, without a server",
		Long: `Judge API definitions by a ruleset in the Spectral format and tell each finding
with file, line and column. FILE is a definition (YAML or JSON, - for standard
input), or a document or folder of documents, whose definitions are judged.
Without --ruleset the rules are those of spectral:oas that are recommended.

Nothing is fetched: references lead to files beside the definition, and a ruleset
extends built-in rulesets and files beside it. The exit status is 1 when a finding
is as bad as --fail-severity or worse.`,
		Example: "  gatehouse lint orders.openapi.yaml\n  gatehouse lint apis/ --ruleset company.yaml --fail-severity warn -o json",
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		limit, err := lint.ParseSeverity(fail)
		if err != nil || limit == lint.Off {
			return misuse("--fail-severity: %q is not a severity: error, warn, info or hint", fail)
		}
		set, err := readRuleset(ruleset)
		if err != nil {
			return err
		}
		j := judging{app: a, set: set, found: []lint.Finding{}}
		for _, arg := range args {
			if err := j.argument(arg); err != nil {
				return err
			}
		}
		return j.tell(limit)
	}
	c.Flags().StringVar(&ruleset, "ruleset", "spectral:oas", "file of rules, or the name of a built-in ruleset")
	c.Flags().StringVar(&fail, "fail-severity", "error", "exit with 1 from this severity on: error, warn, info or hint")
	return c
}

// readRuleset reads a file of rules, or finds a built-in ruleset.
func readRuleset(name string) (*lint.Ruleset, error) {
	if strings.HasPrefix(name, "spectral:") {
		return lint.Recommended(name)
	}
	read := func(file string) ([]byte, error) { return readAtMost(filepath.FromSlash(file), lint.MaxRulesetBytes) }
	file := filepath.ToSlash(name)
	data, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("reading ruleset: %w", err)
	}
	return lint.Parse(file, data, read)
}

// readAtMost reads a file and one byte more than is allowed, so that who reads
// it sees that it is too long.
func readAtMost(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// judging is one run of the command.
type judging struct {
	app       *App
	set       *lint.Ruleset
	found     []lint.Finding
	documents int
}

func (j *judging) argument(arg string) error {
	if arg == "-" {
		data, err := io.ReadAll(io.LimitReader(j.app.In, yamlx.MaxBytes+1))
		if err != nil {
			return err
		}
		d, err := lint.Read("stdin", data)
		if err != nil {
			return err
		}
		return j.judge(d, "")
	}
	info, err := os.Stat(arg)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		data, err := readAtMost(arg, yamlx.MaxBytes)
		if err != nil {
			return err
		}
		if !bytes.Contains(data, []byte("gatehouse/v1")) {
			return j.definition(arg)
		}
	}
	return j.bundle(arg)
}

// definition judges a file and what it refers to, within the current folder or,
// for a file elsewhere, within its own.
func (j *judging) definition(file string) error {
	dir := "."
	if !filepath.IsLocal(file) {
		dir = filepath.Dir(file)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	d, err := lint.ReadFrom(filepath.ToSlash(file), func(name string) ([]byte, error) {
		within, err := filepath.Rel(dir, filepath.FromSlash(name))
		if err != nil {
			return nil, err
		}
		f, err := root.Open(within)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, yamlx.MaxBytes+1))
	})
	if err != nil {
		return err
	}
	return j.judge(d, "")
}

// bundle judges the definitions that documents name, each once.
func (j *judging) bundle(file string) error {
	b, err := bundle.Read([]string{file}, bundle.Options{})
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i := range b.Documents {
		doc := &b.Documents[i]
		o, err := gatehouse.DecodeObject(doc.Object)
		if err != nil {
			return err
		}
		api, ok := o.Spec.(*gatehouse.API)
		if !ok {
			continue
		}
		dir := path.Dir(filepath.ToSlash(doc.File))
		for _, v := range api.Versions {
			main := path.Clean(v.Definition)
			if v.Definition == "" || seen[path.Join(dir, main)] || !isText(main) {
				continue
			}
			seen[path.Join(dir, main)] = true
			d, err := lint.ReadFrom(main, func(name string) ([]byte, error) {
				hash, ok := doc.Files[name]
				if !ok {
					return nil, fmt.Errorf("%s: no such file", path.Join(dir, name))
				}
				return b.Files[hash], nil
			})
			if err != nil {
				return err
			}
			if err := j.judge(d, dir); err != nil {
				return err
			}
		}
	}
	if len(seen) == 0 {
		return fmt.Errorf("%s: no document names a definition in YAML or JSON", file)
	}
	return nil
}

// judge runs the ruleset; places are told as seen from the current folder.
func (j *judging) judge(d *lint.Document, dir string) error {
	j.documents++
	if len(d.Formats()) == 0 {
		j.app.note("note: %s is in no format that rules know; only rules for all formats count", path.Join(dir, d.Name()))
	}
	found, err := j.set.Run(d)
	if err != nil {
		return err
	}
	for i := range found {
		found[i].File = path.Join(dir, found[i].File)
	}
	j.found = append(j.found, found...)
	return nil
}

// tell shows the findings; the error has no text, for they are the text.
func (j *judging) tell(limit lint.Severity) error {
	slices.SortStableFunc(j.found, func(x, y lint.Finding) int { return cmp.Compare(x.File, y.File) })
	count := make(map[lint.Severity]int)
	bad := 0
	for _, f := range j.found {
		if count[f.Severity]++; f.Severity <= limit {
			bad++
		}
	}
	if len(j.found) > 0 || j.app.output == "json" || j.app.output == "yaml" {
		err := j.app.show(j.found, func() table {
			t := table{heads: []string{"place", "severity", "rule", "operation", "message"}}
			for _, f := range j.found {
				t.add(fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column), f.Severity.String(), f.Rule, f.Operation(), f.Message)
			}
			return t
		}, func() (rules []string) {
			for _, f := range j.found {
				rules = append(rules, f.Rule)
			}
			slices.Sort(rules)
			return slices.Compact(rules)
		})
		if err != nil {
			return err
		}
	}
	j.app.note("%s: %s, %s, %s, %s", many(j.documents, "definition"), many(count[lint.Error], "error"), many(count[lint.Warn], "warning"), many(count[lint.Info], "info"), many(count[lint.Hint], "hint"))
	if bad > 0 {
		return exit{1, errors.New("")}
	}
	return nil
}

// many writes a count with its noun.
func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
