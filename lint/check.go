package lint

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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

func (c *checker) numbers(s *schema, v *value, _ *evaluated) bool {
	ok := true
	failed := func(keyword, format string, args ...any) bool {
		ok = c.fault(keyword, format, args...)
		return !c.all
	}
	if n := s.number; n != nil {
		for _, l := range []struct {
			keyword, sign string
			limit         *float64
			holds         func(x, l float64) bool
		}{
			{"maximum", "<=", n.max, func(x, l float64) bool { return x <= l }},
			{"minimum", ">=", n.min, func(x, l float64) bool { return x >= l }},
			{"exclusiveMaximum", "<", n.under, func(x, l float64) bool { return x < l }},
			{"exclusiveMinimum", ">", n.over, func(x, l float64) bool { return x > l }},
		} {
			if l.limit != nil && !l.holds(v.num, *l.limit) && failed(l.keyword, "must be %s %s", l.sign, formatNumber(*l.limit)) {
				return false
			}
		}
		if n.multiple != nil && (*n.multiple == 0 || !integral(v.num / *n.multiple)) && failed("multipleOf", "must be a multiple of %s", formatNumber(*n.multiple)) {
			return false
		}
	}
	if !numberFormat(s.format, v.num) && failed("format", "must have the format %q", s.format) {
		return false
	}
	return ok
}

func (c *checker) texts(s *schema, v *value, _ *evaluated) bool {
	ok := true
	failed := func(keyword, format string, args ...any) bool {
		ok = c.fault(keyword, format, args...)
		return !c.all
	}
	if t := s.str; t != nil {
		n := float64(utf8.RuneCountInString(v.str))
		if t.max != nil && n > *t.max && failed("maxLength", "must have at most %s letters", formatNumber(*t.max)) {
			return false
		}
		if t.min != nil && n < *t.min && failed("minLength", "must have at least %s letters", formatNumber(*t.min)) {
			return false
		}
		if t.pattern != nil && !t.pattern.MatchString(v.str) && failed("pattern", "must match the pattern %q", t.source) {
			return false
		}
	}
	if !textFormat(s.format, v.str) && failed("format", "must have the format %q", s.format) {
		return false
	}
	return ok
}

func (c *checker) arrays(s *schema, v *value, seen *evaluated) bool {
	a, ok := s.array, true
	failed := func(good bool) bool {
		ok = ok && good
		return !good && !c.all
	}
	n := float64(len(v.items))
	if a.max != nil && n > *a.max && failed(c.fault("maxItems", "must have at most %s items", formatNumber(*a.max))) {
		return false
	}
	if a.min != nil && n < *a.min && failed(c.fault("minItems", "must have at least %s items", formatNumber(*a.min))) {
		return false
	}
	if !c.items(a, v) && failed(false) {
		return false
	}
	if seen != nil {
		seen.items = max(seen.items, len(a.prefix))
		seen.allItems = seen.allItems || a.rest != nil
	}
	if a.contains != nil && failed(c.contains(a, v)) {
		return false
	}
	if a.unique && failed(c.unique(v)) {
		return false
	}
	if a.unevaluated != nil && seen != nil && !seen.allItems {
		if a.unevaluated.never {
			if len(v.items) > seen.items && failed(c.fault("unevaluatedItems", "must have at most %d items", seen.items)) {
				return false
			}
		} else {
			for i := seen.items; i < len(v.items); i++ {
				if failed(c.child(a.unevaluated, v.items[i], strconv.Itoa(i))) {
					return false
				}
			}
		}
		seen.allItems = true
	}
	return ok
}

// items checks each item; those beyond a prefix come first where the dialect
// calls them additional.
func (c *checker) items(a *arrayRules, v *value) bool {
	ok := true
	some := func(from, to int, sub func(i int) *schema) bool {
		for i := from; i < to; i++ {
			if s := sub(i); s != nil && !c.child(s, v.items[i], strconv.Itoa(i)) {
				if ok = false; !c.all {
					return false
				}
			}
		}
		return true
	}
	first := min(len(a.prefix), len(v.items))
	prefix := func() bool { return some(0, first, func(i int) *schema { return a.prefix[i] }) }
	rest := func() bool { return some(first, len(v.items), func(int) *schema { return a.rest }) }
	if a.additional {
		_ = rest() && prefix()
	} else {
		_ = prefix() && rest()
	}
	return ok
}

func (c *checker) child(s *schema, v *value, key string) bool {
	c.path = append(c.path, key)
	ok := c.run(s, v, nil)
	c.path = c.path[:len(c.path)-1]
	return ok
}

// maxUnique bounds how many items are compared each with each.
const maxUnique = 2000

func (c *checker) unique(v *value) bool {
	texts := make(map[string]int)
	var rest []int
	for i := len(v.items) - 1; i >= 0; i-- {
		e := v.items[i]
		if c.resolved {
			e = e.follow()
		}
		if e.container() {
			rest = append(rest, i)
			continue
		}
		k := strconv.Itoa(int(e.kind)) + e.plain()
		if j, twice := texts[k]; twice {
			return c.fault("uniqueItems", "must not hold anything twice; items %d and %d are the same", i, j)
		}
		texts[k] = i
	}
	rest = rest[:min(len(rest), maxUnique)]
	for x, i := range rest {
		for _, j := range rest[x+1:] {
			if v.items[i].equal(v.items[j], c.resolved, 0) {
				return c.fault("uniqueItems", "must not hold anything twice; items %d and %d are the same", j, i)
			}
		}
	}
	return true
}

func (c *checker) contains(a *arrayRules, v *value) bool {
	least, most := 1.0, math.Inf(1)
	if a.minContains != nil {
		least = *a.minContains
	}
	if a.maxContains != nil {
		most = *a.maxContains
	}
	before, n := len(c.faults), 0.0
	c.union++
	for i, item := range v.items {
		if c.child(a.contains, item, strconv.Itoa(i)) {
			n++
		}
	}
	c.union--
	if n < least || n > most {
		if !c.all && c.union == 0 {
			c.faults = c.faults[:before]
		}
		return c.fault("contains", "must contain at least %s valid items", formatNumber(least))
	}
	c.faults = c.faults[:before]
	return true
}

func (c *checker) objects(s *schema, v *value, seen *evaluated) bool {
	o, ok := s.obj, true
	failed := func(good bool) bool {
		ok = ok && good
		return !good && !c.all
	}
	n := float64(len(v.keys))
	if o.max != nil && n > *o.max && failed(c.fault("maxProperties", "must have at most %s properties", formatNumber(*o.max))) {
		return false
	}
	if o.min != nil && n < *o.min && failed(c.fault("minProperties", "must have at least %s properties", formatNumber(*o.min))) {
		return false
	}
	if failed(c.required("required", o.required, v)) {
		return false
	}
	if o.names != nil && failed(c.names(o, v)) {
		return false
	}
	if failed(c.additional(o, v, seen)) {
		return false
	}
	if failed(c.dependencies(o.deps, v, seen)) {
		return false
	}
	for _, p := range o.props {
		seen.prop(p.name)
		if m := v.get(p.name); m != nil && failed(c.child(p.schema, m, p.name)) {
			return false
		}
	}
	for _, p := range o.patterns {
		for i, k := range v.keys {
			if !p.re.MatchString(k) {
				continue
			}
			seen.prop(k)
			if failed(c.child(p.schema, v.items[i], k)) {
				return false
			}
		}
	}
	if failed(c.dependencies(o.laterDeps, v, seen)) {
		return false
	}
	if o.unevaluated != nil && failed(c.unevaluated(o, v, seen)) {
		return false
	}
	return ok
}

func (c *checker) required(keyword string, names []string, v *value) bool {
	ok := true
	for _, r := range names {
		if !v.has(r) {
			ok = c.fault(keyword, "must have the property %q", r)
			if !c.all {
				return false
			}
		}
	}
	return ok
}

func (c *checker) names(o *objectRules, v *value) bool {
	ok := true
	for _, k := range v.keys {
		c.union++
		good := c.run(o.names, &value{kind: text, str: k}, nil)
		c.union--
		if good {
			continue
		}
		ok = c.fault("propertyNames", "property name %q is not valid", k)
		if !c.all {
			return false
		}
	}
	return ok
}

func (c *checker) additional(o *objectRules, v *value, seen *evaluated) bool {
	if !o.hasOther {
		return true
	}
	if seen != nil {
		seen.allProps = true
	}
	ok := true
	for i, k := range v.keys {
		if _, own := o.byName[k]; own || slices.ContainsFunc(o.patterns, func(p patternProperty) bool { return p.re.MatchString(k) }) {
			continue
		}
		if o.additional.never {
			ok = c.fault("additionalProperties", "property %q is not expected here", k)
			if c.silent == 0 {
				c.faults[len(c.faults)-1].prop = k
			}
		} else if !c.child(o.additional, v.items[i], k) {
			ok = false
		}
		if !ok && !c.all {
			return false
		}
	}
	return ok
}

func (c *checker) dependencies(deps []dependency, v *value, seen *evaluated) bool {
	ok := true
	for _, d := range deps {
		if !v.has(d.name) {
			continue
		}
		if d.schema != nil {
			part := seen.part()
			if c.run(d.schema, v, part) {
				seen.add(part)
			} else {
				ok = false
			}
		} else {
			ok = c.required("dependentRequired", d.required, v) && ok
		}
		if !ok && !c.all {
			return false
		}
	}
	return ok
}

func (c *checker) unevaluated(o *objectRules, v *value, seen *evaluated) bool {
	if seen == nil || seen.allProps {
		return true
	}
	ok := true
	var extra []string
	for i, k := range v.keys {
		if seen.props[k] {
			continue
		}
		if o.unevaluated.never {
			ok, extra = false, append(extra, strconv.Quote(k))
		} else if !c.child(o.unevaluated, v.items[i], k) {
			ok = false
		}
		if !ok && !c.all && extra == nil {
			return false
		}
	}
	if extra != nil {
		c.fault("unevaluatedProperties", "must not have %s, which nothing allows", strings.Join(extra[:min(len(extra), 10)], ", "))
	}
	seen.allProps = true
	return ok
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
