// Package lint judges documents by rulesets in the Spectral format.
//
// A [Ruleset] is read from YAML or JSON once and then runs over any number of
// documents, from several goroutines if need be. A [Document] is what a file
// says, read once for all rulesets. Rule ids, the paths findings point at and
// their severities are those of the Spectral command line; a test holds that
// over all samples and lists where it is otherwise. Messages are our own.
//
// Nothing is fetched and nothing is executed: a ruleset may use the functions
// of [Functions] and no code of its own, references lead to places in the
// document itself, and other rulesets are what the caller's resolver gives.
// Everything a stranger sends is bounded, see [Limits].
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse/jsonx"
)

// Limits of what is read and done. They are far above what real rulesets and
// definitions need and keep a hostile one from taking the process with it.
const (
	MaxRulesetBytes = 1 << 20    // of one ruleset file
	MaxRules        = 1000       // of a ruleset with all it extends
	MaxExtends      = 32         // files behind one ruleset, and how deep they may stand
	MaxGiven        = 200        // paths of one rule, aliases written out
	MaxPattern      = 4096       // letters of a path or regular expression
	MaxValues       = 1_200_000  // values in one document, aliases written out
	MaxSteps        = 20_000_000 // places one run looks at
	MaxFindings     = 20_000     // of one run
)

// A Severity is how bad a finding is. Lower is worse, as Spectral counts.
type Severity int8

// Severities. Off takes a rule out.
const (
	Error Severity = iota
	Warn
	Info
	Hint
	Off Severity = -1
)

var severityNames = [...]string{"error", "warn", "info", "hint"}

func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return "off"
	}
	return severityNames[s]
}

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name.
func (s *Severity) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSeverity(string(text))
	return err
}

// ParseSeverity reads "error", "warn", "info", "hint" or "off".
func ParseSeverity(name string) (Severity, error) {
	if i := slices.Index(severityNames[:], name); i >= 0 {
		return Severity(i), nil
	}
	if name == "off" {
		return Off, nil
	}
	return Off, fmt.Errorf("%q is not a severity: error, warn, info, hint or off", name)
}

// A Finding is one place that does not obey one rule.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	// File is the one it stands in: the document's, or one it refers to.
	File string `json:"file"`
	// Path leads to the place in the document, keys and indexes as text. It is
	// empty for the document itself.
	Path []string `json:"path"`
	// Line and Column count from 1.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Docs is where the rule is explained, "" where its ruleset does not say.
	Docs string `json:"docs,omitempty"`
}

// Pointer is the path as a JSON Pointer.
func (f Finding) Pointer() string { return jsonx.Pointer(f.Path...) }

// Operation is the operation of an OpenAPI document that the finding stands
// in, as "GET /orders"; "" for one that stands elsewhere.
func (f Finding) Operation() string {
	if len(f.Path) < 3 || f.Path[0] != "paths" || !isMethod(f.Path[2]) {
		return ""
	}
	return strings.ToUpper(f.Path[2]) + " " + f.Path[1]
}

// sortFindings puts findings in the order of the file, each told once.
func sortFindings(found []Finding) []Finding {
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule), slices.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(found, func(a, b Finding) bool {
		return a.Rule == b.Rule && a.File == b.File && a.Message == b.Message && slices.Equal(a.Path, b.Path)
	})
}

// methods are the operations of a path item, as its keys.
var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

func isMethod(key string) bool { return slices.Contains(methods, key) }

func isJSONType(name string) bool {
	switch name {
	case "array", "boolean", "integer", "null", "number", "object", "string":
		return true
	}
	return false
}
