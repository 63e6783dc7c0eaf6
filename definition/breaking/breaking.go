// Package breaking compares two OpenAPI definitions and says what changed for
// those who call the API: named checks with a level, as the library oasdiff
// has them.
//
// It is a pure function of the bytes it is given: nothing is fetched, no file
// is read. References lead to the given files only. Swagger 2.0 is converted
// first. Everything is bounded, because definitions come from strangers. What
// a change means for a release or a gate is for others to decide, and so is
// who is affected.
package breaking

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"

	"gatehouse"
)

// Levels of a change.
const (
	Error = "error" // breaks those who call the API
	Warn  = "warn"  // may break them: the definition alone cannot tell
	Info  = "info"  // does not
)

// Bounds of a comparison.
const (
	MaxBytes      = 8 << 20 // of all files of one side
	MaxOperations = 5000    // of one side
	MaxChanges    = 5000    // that are told; the gravest are kept
)

// A Definition is one side: the main file and all it may refer to, by path as
// written, relative to where the main file's path begins.
type Definition struct {
	Main  string
	Files map[string][]byte
}

// A Change is one difference that those who call the API may notice.
type Change struct {
	// ID is the check's, such as "response-required-property-removed"; it is what
	// controls and waivers refer to.
	ID    string `json:"id"`
	Level string `json:"level"` // Error, Warn or Info
	// Operation is "GET /orders/{id}", with the path as the definition writes it;
	// "" when it is about the whole definition.
	Operation   string `json:"operation,omitempty"`
	OperationID string `json:"operationId,omitempty"` // as the definition names it
	Path        string `json:"path,omitempty"`        // of the operation
	Text        string `json:"text"`                  // one sentence
	Comment     string `json:"comment,omitempty"`     // what to know about the check
}

// A Report is what a comparison found, the gravest first.
type Report struct {
	Changes []Change `json:"changes"`
	// Omitted is how many beyond MaxChanges are not among them.
	Omitted int `json:"omitted,omitempty"`
}

// Breaks reports whether there is a change of level Error.
func (r *Report) Breaks() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Level == Error })
}

// levels knows every check and what it weighs unless a comparison finds
// reason to weigh it less.
var levels = sync.OnceValue(func() map[string]checker.Level { return checker.GetCheckLevels() })

// Known reports whether id names a check.
func Known(id string) bool {
	_, ok := levels()[id]
	return ok
}

// IDs are all checks, in order.
func IDs() []string {
	all := make([]string, 0, len(levels()))
	for id := range levels() {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// Compare says what changed from before to after. An error is of kind
// [gatehouse.Invalid] and names the side that cannot be read.
func Compare(before, after Definition) (*Report, error) {
	a, err := read(before)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "reading definition %q as it was: %w", before.Main, err)
	}
	b, err := read(after)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "reading definition %q as it is: %w", after.Main, err)
	}
	return compare(a, b)
}

func compare(a, b *load.SpecInfo) (r *Report, err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("comparing definitions panicked", "panic", p, "stack", string(debug.Stack()))
			r, err = nil, gatehouse.E(gatehouse.Invalid, "comparing the definitions: %s", unusual)
		}
	}()
	d, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), a, b)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "comparing the definitions: %v", err)
	}
	config := checker.NewConfig(checker.GetAllChecks())
	found := checker.CheckBackwardCompatibilityUntilLevel(config, d, sources, checker.INFO)
	return report(found), nil
}

// unusual is told when the library meets what it was not made for.
const unusual = "they hold something that cannot be compared; compare smaller parts to find it"

func report(found checker.Changes) *Report {
	say := checker.NewDefaultLocalizer()
	r := &Report{Changes: make([]Change, 0, len(found))}
	for _, c := range found {
		one := Change{
			ID: c.GetId(), Level: level(c.GetLevel()), OperationID: c.GetOperationId(), Path: c.GetPath(),
			Text: sentence(c.GetUncolorizedText(say)), Comment: sentence(c.GetComment(say)),
		}
		if c.GetOperation() != "" {
			one.Operation = c.GetOperation() + " " + c.GetPath()
		}
		r.Changes = append(r.Changes, one)
	}
	slices.SortStableFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(rank(a.Level), rank(b.Level)), strings.Compare(a.Path, b.Path), strings.Compare(a.Operation, b.Operation),
			strings.Compare(a.ID, b.ID), strings.Compare(a.Text, b.Text))
	})
	r.Changes = slices.Compact(r.Changes)
	if n := len(r.Changes); n > MaxChanges {
		r.Changes, r.Omitted = r.Changes[:MaxChanges:MaxChanges], n-MaxChanges
	}
	return r
}

func level(l checker.Level) string {
	switch l {
	case checker.ERR:
		return Error
	case checker.WARN:
		return Warn
	}
	return Info
}

func rank(level string) int { return slices.Index([]string{Error, Warn, Info}, level) }

// maxText bounds one sentence: values of definitions stand in it.
const maxText = 1000

func sentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxText {
		text = fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(text[:maxText], ""), len(text)-maxText)
	}
	return text
}
