// Package rule decides the controls of a framework: each kind of check in a
// file of its own, asked about one revision of an API version in one
// environment.
//
// A [Rule] is a control made ready: its ruleset read, its expression compiled.
// Making it finds what is wrong with it, so that a framework that is applied
// can be judged by. Asking it is a pure function of the [Subject]; the digest
// of what it looks at ([Rule.Inputs]) tells whether asking again could say
// anything else.
//
// The package reads no store and writes nothing. Package control/governance/gate
// brings the subjects, knows of waivers, grace and who answered what, and makes
// attestations of it.
package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"gatehouse"
	"gatehouse/jsonx"
)

// MaxFindings is how many findings of one control are told.
const MaxFindings = 20

// A Verdict is what a rule says of a subject.
type Verdict struct {
	Passed   bool
	Findings []gatehouse.GateFinding // none when it passed
	More     int                     // that are left out
}

func (v *Verdict) add(f gatehouse.GateFinding) {
	if len(v.Findings) < MaxFindings {
		v.Findings = append(v.Findings, f)
	} else {
		v.More++
	}
}

// A check is one kind of check, made ready.
type check interface {
	// inputs is everything that judge looks at, as a value with one canonical
	// JSON form.
	inputs(s *Subject) (any, error)
	// judge adds what is not obeyed to the verdict; nothing added is a pass.
	judge(s *Subject, v *Verdict) error
}

// A Rule is a control made ready. It is safe for use by several goroutines.
type Rule struct {
	gatehouse.Control
	Kind   string // of the check
	digest string // of what the control demands
	check  check
}

// A Resolver finds the content of a file beside the framework's document.
type Resolver func(file string) ([]byte, error)

// New makes a control ready. What is wrong with it are faults whose pointers
// begin at the control.
func New(c *gatehouse.Control, files Resolver) (*Rule, []gatehouse.Fault) {
	r := &Rule{Control: *c, Kind: c.Check.Kind()}
	var faults []gatehouse.Fault
	switch r.Kind {
	case "lint":
		r.check, faults = newLint(c.Check.Lint, files)
	case "policy":
		r.check, faults = newPolicy(c.Check.Policy)
	case "cel":
		r.check, faults = newCEL(c.Check.CEL)
	case "placement":
		r.check = &placement{c.Check.Placement}
	case "change":
		r.check, faults = newChange(c.Check.Change)
	case "question":
		r.check = &question{c.Check.Question}
	default:
		faults = []gatehouse.Fault{{Pointer: "/check", Detail: "is not one check that is known here"}}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	what := any(c.Check)
	if l, ok := r.check.(*linting); ok {
		what = l.content() // a ruleset's file that changes is another check
	}
	var err error
	if r.digest, err = Digest(map[string]any{"id": c.ID, "applies": c.Applies, "check": what}); err != nil {
		return nil, []gatehouse.Fault{{Pointer: "/check", Detail: err.Error()}}
	}
	return r, nil
}

// All makes the controls of a version ready, in its order; pointers of faults
// begin at the version.
func All(v *gatehouse.FrameworkVersion, files Resolver) ([]*Rule, []gatehouse.Fault) {
	rules, faults := make([]*Rule, 0, len(v.Controls)), []gatehouse.Fault(nil)
	for i := range v.Controls {
		r, wrong := New(&v.Controls[i], files)
		for _, f := range wrong {
			f.Pointer = jsonx.Pointer("controls", fmt.Sprint(i)) + f.Pointer
			faults = append(faults, f)
		}
		rules = append(rules, r)
	}
	return rules, faults
}

// Required tells whether a release depends on the control.
func (r *Rule) Required() bool { return r.Level != gatehouse.ControlAdvisory }

// Applies tells whether the control holds for the subject at all.
func (r *Rule) Applies(s *Subject) bool {
	a := r.Control.Applies
	return a == nil || among(a.Stages, s.Environment.Stage) && among(a.Audiences, s.audience()) && among(a.Classifications, s.classification())
}

func among(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// Inputs is the SHA-256 of what the control demands and of all its check looks
// at: two subjects with the same inputs get the same verdict.
func (r *Rule) Inputs(s *Subject) (string, error) {
	if !r.Applies(s) {
		return Digest([]string{r.digest, "does not apply"})
	}
	in, err := r.check.inputs(s)
	if err != nil {
		return "", err
	}
	return Digest([]any{r.digest, in})
}

// Judge asks the control about the subject. A question is never passed here: it
// is a person who answers.
func (r *Rule) Judge(s *Subject) (Verdict, error) {
	var v Verdict
	if r.Applies(s) {
		if err := r.check.judge(s, &v); err != nil {
			return v, err
		}
	}
	v.Passed = len(v.Findings) == 0
	return v, nil
}

// Digest is the SHA-256 of a value's canonical JSON, in hexadecimal.
func Digest(v any) (string, error) {
	text, err := jsonx.Canonical(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
