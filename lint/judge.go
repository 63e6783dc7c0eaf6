package lint

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// schemaCache keeps schemas of a document that were compiled in one run. What
// schemas have in common is compiled once.
type schemaCache struct {
	parts map[schemaKind]*compiler
	valid map[schemaKind]*metaCheck
	steps *int
}

type schemaKind struct {
	dialect dialect
	relax   uint8
	null    string
}

type compiled struct {
	schema *schema
	err    error
}

// get compiles a schema of a document. Most have no reference left in them, and
// their parts serve other schemas too; one that has is compiled by itself.
func (k *schemaCache) get(v *value, c *compiler) compiled {
	kind := schemaKind{c.dialect, c.relax, c.nullable}
	if c.dropTop {
		c.steps = k.steps
		out, err := c.compile(v)
		return compiled{out, err}
	}
	if k.parts == nil {
		k.parts, k.valid = make(map[schemaKind]*compiler), make(map[schemaKind]*metaCheck)
	}
	parts := k.parts[kind]
	if parts == nil {
		parts = c
		parts.done, parts.steps = make(map[compileKey]compiled), k.steps
		k.parts[kind] = parts
		k.valid[kind] = &metaCheck{c: c, done: make(map[*value]error)}
	}
	if err := k.valid[kind].schema(v); err != nil {
		return compiled{err: fmt.Errorf("schema is not valid: %w", err)}
	}
	parts.depth = 0
	s, err := parts.schema(v)
	if errors.Is(err, errMissing) {
		own := *parts
		s, err = own.compile(v)
	}
	return compiled{s, err}
}

// A ruledSchema is the schema that a rule brings.
type ruledSchema struct {
	schema *schema
	all    bool
}

func schemaOptions(o options) (any, error) {
	if err := o.only("schema", "dialect", "allErrors"); err != nil {
		return nil, err
	}
	s := o.get("schema")
	if !s.is(object) {
		return nil, o.fault(s.or(o.value), "option \"schema\" is a JSON Schema")
	}
	d, err := dialectOption(o, s)
	if err != nil {
		return nil, err
	}
	c := &compiler{dialect: d}
	out := ruledSchema{all: o.get("allErrors").truthy()}
	if out.schema, err = c.compile(s); err != nil {
		return nil, o.fault(s, "option \"schema\": %s", err)
	}
	return out, unbounded(o, s)
}

// unbounded refuses patterns that are not understood: in a ruleset nobody but
// its author can know that they would never be asked.
func unbounded(o options, v *value) error {
	if p := v.get("pattern"); p.is(text) {
		if _, err := compileRegexp(p.str, ""); err != nil {
			return o.fault(p, "%s", err)
		}
	}
	for _, m := range v.items {
		if err := unbounded(o, m); err != nil {
			return err
		}
	}
	return nil
}

func dialectOption(o options, schema *value) (dialect, error) {
	name := "auto"
	if d := o.get("dialect"); d.is(text) {
		name = d.str
	} else if d != nil {
		return 0, o.fault(d, "option \"dialect\" is text")
	}
	if name == "auto" {
		name = "draft7"
		if s := schema.get("$schema"); s.is(text) && draftOf(s.str) != "" {
			name = draftOf(s.str)
		}
	}
	d, ok := dialects[name]
	if !ok {
		return 0, o.fault(o.get("dialect"), "dialect %q is not known: auto, draft4, draft6, draft7, draft2019-09 and draft2020-12 are", name)
	}
	return d, nil
}

func schemaFunction(c *call, v *value, opts any) error {
	if v == nil {
		return c.say(theProperty + "must be there")
	}
	s := opts.(ruledSchema)
	return c.judge(s.schema, v, s.all, c.path)
}

// judge tells what a value at a path does not obey of a schema.
func (c *call) judge(s *schema, v *value, all bool, path []string) error {
	k := checker{all: all, resolved: c.resolved, steps: c.steps}
	if k.run(s, v, nil) {
		return nil
	}
	for _, f := range worthTelling(k.faults) {
		if err := c.tell(append(slices.Clone(path), f.path...), theProperty+f.text); err != nil {
			return err
		}
	}
	return nil
}

// A faultTree groups faults by where they are, as Spectral's printer does: of
// several alternatives that all fail, only what is wrong further in is told.
type faultTree struct {
	faults   []fault
	names    []string // of children, in order
	children map[string]*faultTree
}

// treeParts splits a pointer into the parts of the tree: a name, with the
// index behind it if there is one.
var treeParts = regexp.MustCompile(`/[A-Za-z0-9_$-]+(?:/[0-9]+)?`)

func worthTelling(faults []fault) []fault {
	root := &faultTree{}
	for _, f := range faults {
		parts := []string{""}
		if len(f.path) > 0 {
			if parts = treeParts.FindAllString(pointerOf(f.path)[1:], -1); parts == nil {
				continue
			}
		}
		n := root
		for _, p := range parts {
			n = n.child(p)
		}
		n.faults = append(n.faults, f)
	}
	root.prune(nil, "")
	return root.gather(nil)
}

func (t *faultTree) child(name string) *faultTree {
	if c, ok := t.children[name]; ok {
		return c
	}
	if t.children == nil {
		t.children = make(map[string]*faultTree)
	}
	c := &faultTree{}
	t.children[name], t.names = c, append(t.names, name)
	return c
}

func (t *faultTree) onlyEnums() bool {
	return len(t.faults) > 0 && !slices.ContainsFunc(t.faults, func(f fault) bool { return f.keyword != "enum" })
}

func (t *faultTree) prune(parent *faultTree, name string) {
	if slices.ContainsFunc(t.faults, func(f fault) bool { return f.keyword == "anyOf" }) && len(t.children) > 0 {
		t.faults = nil
	}
	if t.onlyEnums() && parent != nil && len(parent.children) > 1 {
		delete(parent.children, name)
	}
	for _, n := range slices.Clone(t.names) {
		if c, ok := t.children[n]; ok {
			c.prune(t, n)
		}
	}
}

func (t *faultTree) gather(out []fault) []fault {
	if t.onlyEnums() {
		f := t.faults[0]
		if len(t.faults) > 1 {
			var allowed []string
			for _, o := range t.faults {
				for _, a := range o.allowed {
					if s := a.show(); !slices.Contains(allowed, s) {
						allowed = append(allowed, s)
					}
				}
			}
			f.text = "must be one of " + strings.Join(allowed[:min(len(allowed), 50)], ", ")
		}
		return append(out, f)
	}
	out = append(out, t.faults...)
	for _, n := range t.names {
		if c, ok := t.children[n]; ok {
			out = c.gather(out)
		}
	}
	return out
}
