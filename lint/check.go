package lint

import (
	"fmt"
	"slices"
	"strings"
)

// A fault is one place in a value that does not obey a schema.
type fault struct {
	path    []string
	keyword string
	text    string
	prop    string   // the member that is too many
	allowed []*value // of an enum
	used    bool     // an own text stands for it
}

// maxCheckDepth bounds how deep a value is looked into, and how deep schemas
// that hold for one value refer to one another.
const maxCheckDepth = 5000

// maxFaults is how many faults of one value are told.
const maxFaults = 1000

// A checker checks a value by a schema.
type checker struct {
	all      bool // tell all faults rather than the first
	resolved bool // the value's references
	path     []string
	faults   []fault
	silent   int // within "not" and "if"
	union    int // within "anyOf" and "oneOf"
	depth    int
	steps    *int // left; nil for no bound but depth
}

// evaluated are the members and items that some part of a schema has judged.
type evaluated struct {
	allProps bool
	props    map[string]bool
	allItems bool
	items    int
}

func (e *evaluated) prop(name string) {
	if e == nil {
		return
	}
	if e.props == nil {
		e.props = make(map[string]bool)
	}
	e.props[name] = true
}

func (e *evaluated) add(o *evaluated) {
	if e == nil || o == nil {
		return
	}
	e.allProps = e.allProps || o.allProps
	e.allItems = e.allItems || o.allItems
	e.items = max(e.items, o.items)
	for p := range o.props {
		e.prop(p)
	}
}

func (c *checker) fault(keyword, format string, args ...any) bool {
	if c.silent == 0 && len(c.faults) < maxFaults {
		c.faults = append(c.faults, fault{path: slices.Clone(c.path), keyword: keyword, text: fmt.Sprintf(format, args...)})
	}
	return false
}

// run checks v; seen collects what was judged, if anybody asks.
func (c *checker) run(s *schema, v *value, seen *evaluated) bool {
	if c.resolved {
		v = v.follow()
	}
	if s.never {
		return c.fault("false", "must not be here")
	}
	if c.depth++; c.depth > maxCheckDepth {
		c.depth--
		return true
	}
	defer func() { c.depth-- }()
	if c.steps != nil {
		if *c.steps -= 4; *c.steps < 0 {
			return true // the run ends with an error
		}
	}
	outer := seen
	if s.obj != nil && s.obj.unevaluated != nil || s.array != nil && s.array.unevaluated != nil {
		seen = new(evaluated) // what stands around this schema does not count
	}
	before := len(c.faults)
	ok := c.keywords(s, v, seen)
	if seen != outer {
		outer.add(seen)
	}
	if s.errorText != nil && !ok && c.silent == 0 {
		c.retell(s.errorText, before)
	}
	return ok
}

func (c *checker) keywords(s *schema, v *value, seen *evaluated) bool {
	ok := true
	if s.typeFirst && !s.types.holds(v) {
		ok = c.fault("type", "must be %s", s.types)
		if !c.all && c.union == 0 && c.silent == 0 {
			return false
		}
	}
	if !c.general(s, v, seen) {
		ok = false
	}
	if !ok && !c.all {
		return false
	}
	for _, g := range []struct {
		is     typeSet
		active bool
		check  func(*schema, *value, *evaluated) bool
	}{
		{tNumber, s.number != nil || s.format != "" && v.kind == number, c.numbers},
		{tString, s.str != nil || s.format != "", c.texts},
		{tArray, s.array != nil, c.arrays},
		{tObject, s.obj != nil, c.objects},
	} {
		if !g.active && !(s.types == g.is && !s.typeFirst) {
			continue
		}
		if g.is.holds(v) {
			if g.active && !g.check(s, v, seen) {
				ok = false
			}
		} else if s.types == g.is && !s.typeFirst {
			ok = c.fault("type", "must be %s", s.types)
		}
		if !ok && !c.all {
			return false
		}
	}
	return ok
}

// general checks what is the same for all types.
func (c *checker) general(s *schema, v *value, seen *evaluated) bool {
	ok := true
	failed := func(good bool) bool {
		ok = ok && good
		return !good && !c.all
	}
	if s.ref != nil && failed(c.run(s.ref, v, seen)) {
		return false
	}
	if s.constant != nil && !v.equal(s.constant, c.resolved, 0) && failed(c.fault("const", "must be equal to %s", s.constant.show())) {
		return false
	}
	if s.hasEnum && !c.oneOfValues(s, v) && failed(false) {
		return false
	}
	if s.not != nil && failed(c.not(s, v)) {
		return false
	}
	if s.anyOf != nil && failed(c.anyOf(s, v, seen)) {
		return false
	}
	if s.oneOf != nil && failed(c.oneOf(s, v, seen)) {
		return false
	}
	for _, sub := range s.allOf {
		if failed(c.run(sub, v, seen)) {
			return false
		}
	}
	if s.cond != nil && failed(c.condition(s, v, seen)) {
		return false
	}
	return ok
}

func (c *checker) oneOfValues(s *schema, v *value) bool {
	for _, e := range s.enum {
		if v.equal(e, c.resolved, 0) {
			return true
		}
	}
	if c.silent > 0 {
		return false
	}
	names := make([]string, 0, min(len(s.enum), 50))
	for _, e := range s.enum[:min(len(s.enum), 50)] {
		names = append(names, e.show())
	}
	c.fault("enum", "must be one of %s", strings.Join(names, ", "))
	c.faults[len(c.faults)-1].allowed = s.enum
	return false
}

func (c *checker) not(s *schema, v *value) bool {
	c.silent++
	good := c.first(s.not, v, nil)
	c.silent--
	if good {
		return c.fault("not", "must not be as it is")
	}
	return true
}

// first checks only until the first fault.
func (c *checker) first(s *schema, v *value, seen *evaluated) bool {
	all := c.all
	c.all = false
	ok := c.run(s, v, seen)
	c.all = all
	return ok
}

func (c *checker) anyOf(s *schema, v *value, seen *evaluated) bool {
	before, good := len(c.faults), false
	c.union++
	for _, sub := range s.anyOf {
		part := seen.part()
		if c.run(sub, v, part) {
			good = true
			seen.add(part)
			if seen == nil {
				break
			}
		}
	}
	c.union--
	if good {
		c.faults = c.faults[:before]
		return true
	}
	return c.fault("anyOf", "must match one of the schemas of anyOf")
}

func (e *evaluated) part() *evaluated {
	if e == nil {
		return nil
	}
	return new(evaluated)
}

func (c *checker) oneOf(s *schema, v *value, seen *evaluated) bool {
	before, passing := len(c.faults), 0
	c.union++
	for _, sub := range s.oneOf {
		part := seen.part()
		if c.run(sub, v, part) {
			if passing++; passing > 1 {
				break
			}
			seen.add(part)
		}
	}
	c.union--
	if passing == 1 {
		c.faults = c.faults[:before]
		return true
	}
	return c.fault("oneOf", "must match exactly one of the schemas of oneOf")
}

func (c *checker) condition(s *schema, v *value, seen *evaluated) bool {
	if s.then == nil && s.otherwise == nil {
		return true
	}
	part := seen.part()
	c.silent++
	holds := c.first(s.cond, v, part)
	c.silent--
	branch, name := s.then, "then"
	if !holds {
		branch, name = s.otherwise, "else"
	} else {
		seen.add(part)
	}
	if branch == nil {
		return true
	}
	part = seen.part()
	if c.run(branch, v, part) {
		seen.add(part)
		return true
	}
	if c.all || c.union > 0 {
		c.fault("if", "must match the schema of %q", name)
	}
	return false
}

// retell puts the texts of "errorMessage" in the place of faults.
func (c *checker) retell(t *errorTexts, before int) {
	here := len(c.path)
	told := map[string]bool{}
	kept := c.faults[:before:before]
	var replaced []string
	for _, f := range c.faults[before:] {
		msg := t.all
		if t.keyword != nil {
			msg = ""
			if len(f.path) == here {
				msg = t.keyword[f.keyword]
			}
		} else if f.keyword == "errorMessage" {
			msg = ""
		}
		if msg == "" {
			kept = append(kept, f)
		} else if !told[msg] {
			told[msg] = true
			replaced = append(replaced, msg)
		}
	}
	c.faults = kept
	for _, msg := range replaced {
		c.fault("errorMessage", "%s", msg)
	}
}
