package lint

import (
	"fmt"
	"slices"
)

// Run judges a document by the rules of the set that are on and for its
// formats. The findings are in the order of the file, each told once. An
// error says that the run was too long to be ended.
func (s *Ruleset) Run(d *Document) ([]Finding, error) { return s.within(MaxSteps, d) }

// within is Run that looks at so many places at most.
func (s *Ruleset) within(steps int, d *Document) ([]Finding, error) {
	r := &run{set: s, d: d, steps: steps}
	r.schemas = &schemaCache{steps: &r.steps}
	for _, f := range d.own {
		if to, told := s.parser[f.option]; told {
			f.Severity = to
		}
		if f.Severity != Off {
			r.found = append(r.found, f.Finding)
		}
	}
	for _, rule := range s.rules {
		on := rule.enabled && rule.severity != Off || s.overridden(rule, d.name)
		if !on || rule.formats != 0 && rule.formats&d.formats == 0 || rule.hasFormats && rule.formats == 0 {
			continue
		}
		err := r.rule(rule)
		if err == nil && r.steps < 0 {
			err = errTooMuch
		}
		if err != nil {
			return nil, fmt.Errorf("judging %q by rule %q: %w", d.name, rule.name, err)
		}
	}
	return sortFindings(r.found), nil
}

// run is one ruleset over one document.
type run struct {
	set     *Ruleset
	d       *Document
	steps   int
	schemas *schemaCache
	found   []Finding
	seen    [2]notes // of the path of a rule, and of the one of a field
}

func (r *run) notes(i int) *notes { return &r.seen[i] }

func (r *run) rule(rule *rule) error {
	for _, g := range rule.given {
		if g.formats != 0 && g.formats&r.d.formats == 0 {
			continue
		}
		err := r.d.apply(g.path, r.d.root, nil, rule.resolved, &r.steps, r.notes(0), func(m match) error { return r.judge(rule, m) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) judge(rule *rule, m match) error {
	v := m.value
	if m.text != nil {
		v = m.text
	}
	for i := range rule.then {
		if err := r.then(rule, &rule.then[i], v, m.path, m.zone); err != nil {
			return err
		}
	}
	return nil
}

// then judges the field of a value that a "then" names, or the value.
func (r *run) then(rule *rule, t *then, v *value, path []string, zone uint8) error {
	c := &call{d: r.d, path: path, resolved: rule.resolved, zone: zone, steps: &r.steps, schemas: r.schemas}
	c.tell = func(at []string, message string) error { return r.tell(rule, at, message) }
	run := func(v *value, below ...string) error {
		if c.path = path; len(below) > 0 {
			c.path = append(slices.Clone(path), below...)
		}
		if r.steps--; r.steps < 0 {
			return errTooMuch
		}
		return t.function.run(c, v, t.options)
	}
	switch {
	case t.field == "" || !v.container():
		return run(v)
	case t.keys:
		if len(v.items) == 0 {
			return run(nil)
		}
		for i := range v.items {
			key := v.items[i].key
			if v.kind == object {
				key = v.keys[i]
			}
			if err := run(&value{kind: text, str: key}, key); err != nil {
				return err
			}
		}
		return nil
	case t.query != nil:
		found := false
		err := r.d.apply(t.query, v, nil, rule.resolved, &r.steps, r.notes(1), func(m match) error {
			found = true
			return run(m.value.or(m.text), m.path...)
		})
		if err == nil && !found {
			err = run(nil)
		}
		return err
	}
	at := v
	for _, p := range t.path {
		at = c.get(at, p)
	}
	return run(at, t.path...)
}

// tell adds a finding, at the place in the file that the path leads to.
func (r *run) tell(rule *rule, path []string, message string) error {
	file, at := r.d.locate(path, rule.resolved)
	severity := r.set.severity(rule, file, at)
	if severity == Off {
		return nil
	}
	if len(r.found) >= MaxFindings {
		return fmt.Errorf("more than %d findings", MaxFindings)
	}
	v := vars{description: rule.description, path: pointerOf(at), value: lookup(r.d.files[file], at)}
	if len(at) > 0 {
		v.property = at[len(at)-1]
	}
	if len(path) > 0 && len(path) > len(at) {
		v.property = path[len(path)-1] // what is missing
	}
	v.err = message
	v.err = v.fill(message)
	text := v.err
	switch {
	case rule.hasMessage:
		text = v.fill(rule.message)
	case rule.description != "":
		text = rule.description
	}
	f := r.d.finding(rule.name, severity, file, at, clipMessage(text))
	f.Docs = rule.docs
	r.found = append(r.found, f)
	return nil
}
