package lint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func truthy(c *call, v *value, _ any) error {
	if v.truthy() {
		return nil
	}
	return c.say(theProperty + "must be there and not be empty")
}

func falsy(c *call, v *value, _ any) error {
	if !v.truthy() {
		return nil
	}
	return c.say(theProperty + "must be absent or empty")
}

func defined(c *call, v *value, _ any) error {
	if v != nil {
		return nil
	}
	return c.say(theProperty + "must be there")
}

func notDefined(c *call, v *value, _ any) error {
	if v == nil {
		return nil
	}
	return c.say(theProperty + "must not be there")
}

func enumerationOptions(o options) (any, error) {
	if err := o.only("values"); err != nil {
		return nil, err
	}
	values := o.get("values")
	if !values.is(list) {
		return nil, o.fault(values.or(o.value), "option \"values\" is a list of what is allowed")
	}
	for _, e := range values.items {
		if e.container() {
			return nil, o.fault(e, "option \"values\" holds text, numbers, true, false and null")
		}
	}
	return values.items, nil
}

func enumeration(c *call, v *value, opts any) error {
	if v == nil || v.container() {
		return nil
	}
	values := opts.([]*value)
	names := make([]string, len(values))
	for i, e := range values {
		if v.equal(e, false, 0) {
			return nil
		}
		names[i] = e.show()
	}
	return c.say(theValue+" must be one of %s", strings.Join(names, ", "))
}

type lengthLimits struct{ min, max *float64 }

func lengthOptions(o options) (any, error) {
	if err := o.only("min", "max"); err != nil {
		return nil, err
	}
	l := lengthLimits{}
	for name, into := range map[string]**float64{"min": &l.min, "max": &l.max} {
		if v := o.get(name); v.is(number) {
			*into = &v.num
		} else if v != nil {
			return nil, o.fault(v, "option %q is a number", name)
		}
	}
	if l.min == nil && l.max == nil {
		return nil, o.fault(o.value, "it takes \"min\", \"max\" or both")
	}
	return l, nil
}

func length(c *call, v *value, opts any) error {
	n := 0.0
	switch {
	case v.is(object):
		n = float64(len(v.keys))
	case v.is(list):
		n = float64(len(v.items))
	case v.is(number):
		n = v.num
	case v.is(text):
		n = float64(utf16Length(v.str))
	default:
		return nil
	}
	l := opts.(lengthLimits)
	if l.min != nil && n < *l.min {
		if err := c.say(theProperty+"must be at least %s long", formatNumber(*l.min)); err != nil {
			return err
		}
	}
	if l.max != nil && n > *l.max {
		return c.say(theProperty+"must be at most %s long", formatNumber(*l.max))
	}
	return nil
}

type patterns struct {
	match, notMatch *regexp.Regexp
	is, isNot       string
}

func patternOptions(o options) (any, error) {
	if err := o.only("match", "notMatch"); err != nil {
		return nil, err
	}
	p := patterns{}
	for name, into := range map[string]**regexp.Regexp{"match": &p.match, "notMatch": &p.notMatch} {
		v := o.get(name)
		if v == nil {
			continue
		}
		if !v.is(text) {
			return nil, o.fault(v, "option %q is a regular expression", name)
		}
		re, err := parseLiteral(v.str)
		if err != nil {
			return nil, o.fault(v, "option %q: %s", name, err)
		}
		*into = re
	}
	if p.match == nil && p.notMatch == nil {
		return nil, o.fault(o.value, "it takes \"match\", \"notMatch\" or both")
	}
	if v := o.get("match"); v != nil {
		p.is = v.str
	}
	if v := o.get("notMatch"); v != nil {
		p.isNot = v.str
	}
	return p, nil
}

func pattern(c *call, v *value, opts any) error {
	if !v.is(text) {
		return nil
	}
	p := opts.(patterns)
	if p.match != nil && !p.match.MatchString(v.str) {
		if err := c.say(theValue+" must match the pattern %q", p.is); err != nil {
			return err
		}
	}
	if p.notMatch != nil && p.notMatch.MatchString(v.str) {
		return c.say(theValue+" must not match the pattern %q", p.isNot)
	}
	return nil
}

type casingRule struct {
	name    string
	re      *regexp.Regexp
	leading string // a letter that may stand alone
}

// casings by name: how a word begins, goes on, and what the next begins with.
var casings = map[string]string{
	"flat":   `[a-z][a-z0-9]*`,
	"camel":  `[a-z][a-z0-9]*(?:[A-Z0-9](?:[a-z0-9]+|$))*`,
	"pascal": `[A-Z][a-z0-9]*(?:[A-Z0-9](?:[a-z0-9]+|$))*`,
	"kebab":  `[a-z][a-z0-9]*(?:-[a-z0-9]+)*`,
	"cobol":  `[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*`,
	"snake":  `[a-z][a-z0-9]*(?:_[a-z0-9]+)*`,
	"macro":  `[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*`,
}

func casingOptions(o options) (any, error) {
	if err := o.only("type", "disallowDigits", "separator"); err != nil {
		return nil, err
	}
	kind := o.get("type")
	form, known := "", false
	if kind.is(text) {
		form, known = casings[kind.str]
	}
	if !known {
		return nil, o.fault(kind.or(o.value), "option \"type\" is one of flat, camel, pascal, kebab, cobol, snake, macro")
	}
	if d := o.get("disallowDigits"); d != nil && !d.is(boolean) {
		return nil, o.fault(d, "option \"disallowDigits\" is true or false")
	} else if d.truthy() {
		form = strings.ReplaceAll(form, "0-9", "")
	}
	rule := casingRule{name: kind.str}
	full := "^" + form + "$"
	if s := o.get("separator"); s != nil {
		char := s.get("char")
		if !char.is(text) || utf8.RuneCountInString(char.str) != 1 {
			return nil, o.fault(s, "option \"separator\" has a \"char\" of one letter")
		}
		sep := regexp.QuoteMeta(char.str)
		lead := ""
		if s.get("allowLeading").truthy() {
			lead, rule.leading = "(?:"+sep+")?", char.str
		}
		full = "^" + lead + form + "(?:" + sep + form + ")*$"
	}
	re, err := regexp.Compile(full)
	if err != nil {
		return nil, o.fault(o.value, "%s", err)
	}
	rule.re = re
	return rule, nil
}

func casing(c *call, v *value, opts any) error {
	r := opts.(casingRule)
	if !v.is(text) || v.str == "" || r.leading != "" && v.str == r.leading || r.re.MatchString(v.str) {
		return nil
	}
	return c.say("%s must be in %s case", strconv.Quote(v.str), r.name)
}

func propertiesOptions(o options) (any, error) {
	if err := o.only("properties"); err != nil {
		return nil, err
	}
	return o.strings("properties", 2)
}

func present(v *value, names []string) (have []string) {
	for _, k := range v.keys {
		if slices.Contains(names, k) {
			have = append(have, k)
		}
	}
	return have
}

func xor(c *call, v *value, opts any) error {
	if !v.is(object) {
		return nil
	}
	names := opts.([]string)
	switch have := present(v, names); {
	case len(have) == 0:
		return c.say("one of %s must be there", quoteAll(names))
	case len(have) > 1:
		return c.say("only one of %s may be there", quoteAll(have))
	}
	return nil
}

func or(c *call, v *value, opts any) error {
	if !v.is(object) {
		return nil
	}
	if names := opts.([]string); len(present(v, names)) == 0 {
		return c.say("at least one of %s must be there", quoteAll(names))
	}
	return nil
}

func quoteAll(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = strconv.Quote(n)
	}
	return strings.Join(q, ", ")
}

func typedEnum(c *call, v *value, _ any) error {
	values, types := c.get(v, "enum"), c.get(v, "type")
	if !v.is(object) || !values.is(list) || types == nil {
		return nil
	}
	allowed, plain := typeSet(0), ""
	switch {
	case types.is(text):
		allowed, plain = typeBits[types.str], types.str
	case types.is(list):
		for _, t := range types.items {
			if !t.is(text) {
				return nil
			}
			allowed |= typeBits[t.str]
		}
		plain = allowed.String()
	default:
		return nil
	}
	null := c.get(v, "nullable")
	if c.d.formats&oas2 != 0 {
		null = c.get(v, "x-nullable")
	}
	if null.is(boolean) && null.truth && c.d.formats&(oas2|oas3_0) != 0 {
		allowed |= tNull
	}
	for i, e := range values.items {
		e = c.follow(e)
		// A whole number is no "number" where "integer" is asked for as well,
		// and only then.
		ok := allowed.holds(e)
		if e.is(number) && allowed&tInteger == 0 {
			ok = allowed&tNumber != 0
		} else if e.integer() && allowed&tInteger != 0 {
			ok = true
		}
		if ok {
			continue
		}
		if err := c.at(e.show()+" of the enum must be "+strconv.Quote(plain), "enum", strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func unreferencedOptions(o options) (any, error) {
	if err := o.only("reusableObjectsLocation"); err != nil {
		return nil, err
	}
	v := o.get("reusableObjectsLocation")
	if !v.is(text) || !strings.HasPrefix(v.str, "#") {
		return nil, o.fault(v.or(o.value), "option \"reusableObjectsLocation\" is a JSON pointer such as #/components/schemas")
	}
	return v.str, nil
}

func unreferenced(c *call, v *value, opts any) error {
	if !v.is(object) {
		return nil
	}
	return c.unreferencedIn(v, opts.(string))
}

// unreferencedIn tells members of an object that no reference names whole.
func (c *call) unreferencedIn(v *value, where string) error {
	base, _ := pointerPath(strings.TrimPrefix(where, "#"))
	for _, name := range v.keys {
		if c.d.pointed[decodePointer(where)+"/"+name] {
			continue
		}
		if err := c.tell(append(slices.Clone(base), name), "nothing refers to "+strconv.Quote(name)); err != nil {
			return err
		}
	}
	return nil
}
