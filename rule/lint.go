package rule

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"gatehouse"
	"gatehouse/lint"
)

// A linting runs a ruleset over the definition; what it refers to in other
// files counts too.
type linting struct {
	*gatehouse.LintCheck
	ruleset *lint.Ruleset
	digest  string        // of what the ruleset says, its file's content included
	failOn  lint.Severity // the mildest that fails
}

func newLint(c *gatehouse.LintCheck, files Resolver) (check, []gatehouse.Fault) {
	wrong := func(field, format string, args ...any) (check, []gatehouse.Fault) {
		return nil, []gatehouse.Fault{{Pointer: "/check/lint/" + field, Detail: fmt.Sprintf(format, args...)}}
	}
	l := &linting{LintCheck: c, failOn: lint.Error}
	if c.FailOn != "" {
		var err error
		if l.failOn, err = lint.ParseSeverity(c.FailOn); err != nil {
			return wrong("failOn", "%v", err)
		}
	}
	read := map[string]string{}
	resolve := func(name string) ([]byte, error) {
		if files == nil {
			return nil, fmt.Errorf("%q is not at hand", name)
		}
		data, err := files(path.Clean(name))
		if err == nil {
			read[path.Clean(name)], err = Digest(data)
		}
		return data, err
	}
	name, data := "ruleset", []byte(c.Ruleset)
	named, isName := c.Named()
	switch _, isFile := c.File(); {
	case isFile:
		var err error
		if name = path.Clean(named); files == nil {
			return wrong("ruleset", "%q is not at hand", named)
		}
		if data, err = resolve(named); err != nil {
			return wrong("ruleset", "reading %q: %v", named, err)
		}
	case isName:
		// Rules that are named count whether or not the ruleset recommends them.
		name, data = named+" as it comes", []byte("extends: "+named)
		if len(c.Rules) > 0 {
			data = []byte("extends: [[" + named + ", all]]")
		}
	}
	var err error
	if l.ruleset, err = parse(name, data, resolve, len(read) == 0); err != nil {
		return wrong("ruleset", "%v", err)
	}
	known := l.ruleset.Rules()
	for i, id := range c.Rules {
		if slices.Contains(known, id) {
			continue
		}
		hint := ""
		if near := gatehouse.Nearest(id, known); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return wrong("rules/"+fmt.Sprint(i), "%q is not a rule that the ruleset switches on%s", id, hint)
	}
	if l.digest, err = Digest(map[string]any{"text": string(data), "files": read}); err != nil {
		return wrong("ruleset", "%v", err)
	}
	return l, nil
}

// rulesets that extend what is built in, made ready once: many controls take
// rules of the same one.
var rulesets struct {
	sync.Mutex
	ready map[string]*lint.Ruleset
}

// maxRulesets bounds how many are kept.
const maxRulesets = 32

func parse(name string, data []byte, resolve lint.Resolver, alone bool) (*lint.Ruleset, error) {
	if !alone || !bytes.HasPrefix(data, []byte("extends: ")) {
		return lint.Parse(name, data, resolve)
	}
	rulesets.Lock()
	defer rulesets.Unlock()
	if r := rulesets.ready[string(data)]; r != nil {
		return r, nil
	}
	r, err := lint.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	if rulesets.ready == nil || len(rulesets.ready) >= maxRulesets {
		rulesets.ready = map[string]*lint.Ruleset{}
	}
	rulesets.ready[string(data)] = r
	return r, nil
}

// content is what the check demands, for the control's digest.
func (l *linting) content() any {
	return map[string]any{"ruleset": l.digest, "rules": l.Rules, "failOn": l.failOn.String()}
}

func (l *linting) inputs(s *Subject) (any, error) {
	main := s.main()
	if main == "" || !openAPI(main) {
		return nil, nil
	}
	return map[string]any{"name": main, "files": sums(s.Form)}, nil
}

func (l *linting) judge(s *Subject, v *Verdict) error {
	main := s.main()
	if main == "" || !openAPI(main) {
		return nil // there is no document that rulesets are about
	}
	found, err := l.findings(s)
	if err != nil {
		f := gatehouse.GateFinding{Object: s.object(), File: main, Field: s.field("definition"), Detail: err.Error()}
		f.Remedy = "make the definition one that can be read"
		v.add(f)
		return nil
	}
	for _, one := range found {
		if one.Severity > l.failOn || len(l.Rules) > 0 && !slices.Contains(l.Rules, one.Rule) {
			continue
		}
		f := gatehouse.GateFinding{Object: s.object(), File: one.File, Line: one.Line, Column: one.Column, Rule: one.Rule, Detail: one.Message}
		f.Operation = s.operationAt(one.Operation())
		if f.Remedy = fmt.Sprintf("change the definition so that rule %q finds nothing there", one.Rule); one.Docs != "" {
			f.Remedy += "; see " + one.Docs
		}
		v.add(f)
	}
	return nil
}

// operationAt is the id of the operation that a ruleset calls "GET /orders".
func (s *Subject) operationAt(name string) string {
	for i := range s.Operations {
		if o := &s.Operations[i]; o.Method+" "+o.Path == name {
			return o.ID
		}
	}
	return name
}

// findings are what the ruleset says of the definition. Controls that take
// different rules of one ruleset share a run, and all share the document.
func (l *linting) findings(s *Subject) ([]lint.Finding, error) {
	found, err := s.view("lint "+l.digest, func() (any, error) {
		d, err := s.document()
		if err != nil {
			return nil, err
		}
		return l.ruleset.Run(d)
	})
	if err != nil {
		return nil, err
	}
	return found.([]lint.Finding), nil
}

func (s *Subject) document() (*lint.Document, error) {
	d, err := s.view("document", func() (any, error) {
		files, err := s.contents()
		if err != nil {
			return nil, err
		}
		if _, ok := files[s.main()]; !ok {
			return nil, errors.New("the definition is missing")
		}
		return lint.ReadFiles(s.main(), files)
	})
	if err != nil {
		return nil, err
	}
	return d.(*lint.Document), nil
}
