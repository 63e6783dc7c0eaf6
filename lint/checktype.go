package lint

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

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
