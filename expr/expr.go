// Package expr holds the conditions that people write: CEL expressions over
// declared variables that say yes or no.
//
// A condition is type-checked when it is compiled, so that a name that does not
// exist is found when a file is applied and not in the night it is first asked.
// What it may cost is bounded twice: by an estimate when it is compiled, and
// counted while it runs. It has no clock, no chance and no way out, so the same
// values give the same answer on every node.
//
// The package knows CEL and JSON, and nothing of the product: what there is to
// ask about is declared by whoever asks.
package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Bounds of a condition.
const (
	MaxText = 4096 // bytes

	maxNodes   = 2000
	maxNesting = 64
	maxRegexp  = 1000       // instructions of a compiled pattern
	maxCost    = 10_000_000 // estimated, for values as large as may be; a node's own work is about 1
	maxRun     = 1_000_000  // counted while it runs: about 0.2 s
	maxErrors  = 5          // that are told at once
)

// An Error is a fault of a condition at a place in its text.
type Error struct {
	Line, Column int // from 1; 0 when the fault has no place
	Message      string
}

// Error reads "1:5: undeclared reference to \"aip\"".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// A Program is a condition that may be asked. It is safe for use by several
// goroutines.
type Program struct {
	text    string
	program cel.Program
	names   []string
	paths   []string
}

// Compile reads a condition over the variables. The error is an [*Error].
func Compile(text string, vars Vars) (*Program, error) {
	s, err := Declare(vars)
	if err != nil {
		return nil, err
	}
	return s.Compile(text)
}

// Compile reads a condition. The error is an [*Error].
func (s *Scope) Compile(text string) (*Program, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	ast, issues := s.env.Compile(text)
	if issues.Err() != nil {
		return nil, faults(issues)
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the condition gives a %s; a condition is true or false", cel.FormatCELType(t))}
	}
	estimate, err := s.env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: "estimating what the condition costs: " + err.Error()}
	}
	if estimate.Max > maxCost {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the condition may cost %d steps, the limit is %d: loop over less, or not in each other", estimate.Max, maxCost)}
	}
	p, err := s.env.Program(ast, cel.CostLimit(maxRun), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	return &Program{text, p, s.names, pathsOf(ast.NativeRep().Expr(), s.names)}, nil
}

// String is the condition's text.
func (p *Program) String() string { return p.text }

// Eval asks the condition about values, one for each declared variable, as
// [Values] makes them. A value the condition needs and that is not there is an
// error, not an answer.
func (p *Program) Eval(values map[string]any) (bool, error) {
	for _, name := range p.names {
		if _, ok := values[name]; !ok {
			return false, fmt.Errorf("asking %q: variable %q has no value", p.text, name)
		}
	}
	out, _, err := p.program.Eval(values)
	if err != nil {
		return false, fmt.Errorf("asking %q: %s", p.text, plain(err.Error()))
	}
	answer, ok := out.(types.Bool)
	if !ok {
		return false, fmt.Errorf("asking %q: it gave a %s; a condition is true or false", p.text, out.Type().TypeName())
	}
	return bool(answer), nil
}

func checkText(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return &Error{Message: "the condition is empty: write one, such as api.audience == \"internal\""}
	case len(text) > MaxText:
		return &Error{Message: fmt.Sprintf("the condition has %d bytes, the limit is %d", len(text), MaxText)}
	case !utf8.ValidString(text):
		return &Error{Message: "the condition is not valid UTF-8"}
	}
	return nil
}

// faults is the first fault with its place, and what else is wrong.
func faults(issues *cel.Issues) error {
	all := issues.Errors()
	slices.SortStableFunc(all, func(a, b *cel.Error) int {
		if d := a.Location.Line() - b.Location.Line(); d != 0 {
			return d
		}
		return a.Location.Column() - b.Location.Column()
	})
	if len(all) == 0 {
		return &Error{Message: plain(issues.Err().Error())}
	}
	e := &Error{Line: max(1, all[0].Location.Line()), Column: max(0, all[0].Location.Column()) + 1, Message: plain(all[0].Message)}
	for i, more := range all[1:] {
		if i+1 == maxErrors {
			e.Message += fmt.Sprintf("; and %d more", len(all)-maxErrors)
			break
		}
		e.Message += fmt.Sprintf("; %d:%d: %s", max(1, more.Location.Line()), max(0, more.Location.Column())+1, plain(more.Message))
	}
	return e
}

// plain is a message of the library as one short line.
func plain(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	message = strings.ReplaceAll(message, " (in container '')", "")
	const most = 500
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "") + "…"
	}
	return message
}
