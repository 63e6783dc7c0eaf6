package lint

import (
	"fmt"
	"strings"
)

// A rule is one rule of a ruleset, ready to run.
type rule struct {
	name        string
	description string
	message     string
	hasMessage  bool
	docs        string
	severity    Severity
	enabled     bool
	recommended bool
	resolved    bool
	formats     formatSet // 0: all
	hasFormats  bool
	givenText   []string
	aliases     *aliases // of the ruleset that gives the path
	given       []givenPath
	then        []then
	owner       *source
	at          *value
}

// givenPath is a path and the formats it is for.
type givenPath struct {
	path    *Path
	formats formatSet // 0: all
}

// A then says which part of what was found is judged, and how.
type then struct {
	field    string
	path     []string // of a plain field
	query    *Path    // of a field that is a path
	keys     bool     // "@key"
	name     string
	function function
	options  any
}

// definition reads a rule written out.
func (r *reading) definition(name string, v *value, owner *source) (*rule, error) {
	out := &rule{name: name, severity: Warn, recommended: true, resolved: true, owner: owner, at: v, aliases: owner.aliases}
	for _, k := range []string{"given", "then"} {
		if !v.has(k) {
			return nil, r.fault(v, "rule %q lacks %q", name, k)
		}
	}
	if err := r.amend(out, v, owner); err != nil {
		return nil, err
	}
	out.enabled = out.recommended
	return out, nil
}

// ruleKeys are the keys of a rule.
const ruleKeys = "description, documentationUrl, recommended, given, resolved, severity, message, tags, formats, then, type, extensions, enabled"

// amend sets what a definition tells, on a new rule or one that is extended.
func (r *reading) amend(out *rule, v *value, owner *source) error {
	for i, k := range v.keys {
		m := v.items[i]
		var err error
		switch k {
		case "description":
			err = r.text(m, k, &out.description)
		case "message":
			out.hasMessage = true
			err = r.text(m, k, &out.message)
		case "documentationUrl":
			err = r.text(m, k, &out.docs)
		case "recommended":
			err = r.truth(m, k, &out.recommended)
		case "resolved":
			err = r.truth(m, k, &out.resolved)
		case "enabled":
			err = r.truth(m, k, &out.enabled)
		case "severity":
			out.severity, err = r.severity(m)
		case "formats":
			out.hasFormats = true
			out.formats, err = r.formatList(m)
		case "given":
			out.aliases = owner.aliases
			out.givenText, err = r.given(m)
		case "then":
			out.then, err = r.thens(m)
		case "tags", "type", "extensions":
		default:
			err = r.fault(m, "rule %q: %q is not known: %s", out.name, k, ruleKeys)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) given(v *value) ([]string, error) {
	items := []*value{v}
	if v.is(list) {
		items = v.items
	}
	if len(items) == 0 || len(items) > MaxGiven {
		return nil, r.fault(v, "\"given\" has 1 to %d paths", MaxGiven)
	}
	var out []string
	for _, e := range items {
		if !e.is(text) || !strings.HasPrefix(e.str, "$") && !strings.HasPrefix(e.str, "#") {
			return nil, r.fault(e, "\"given\" is a path, as $.paths[*], or an alias, as #Operation; not %s", e.show())
		}
		if e.str[0] == '$' {
			if _, err := ParsePath(e.str); err != nil {
				return nil, r.fault(e, "\"given\": %s", err)
			}
		}
		out = append(out, e.str)
	}
	return out, nil
}

func (r *reading) thens(v *value) ([]then, error) {
	items := []*value{v}
	if v.is(list) {
		items = v.items
	}
	if len(items) == 0 || len(items) > 100 {
		return nil, r.fault(v, "\"then\" has 1 to 100 functions")
	}
	var out []then
	for _, e := range items {
		t, err := r.then(e)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (r *reading) then(v *value) (t then, err error) {
	if !v.is(object) {
		return t, r.fault(v, "\"then\" is an object with \"function\"")
	}
	for i, k := range v.keys {
		if k != "field" && k != "function" && k != "functionOptions" {
			return t, r.fault(v.items[i], "\"then\": %q is not known: field, function, functionOptions", k)
		}
	}
	if f := v.get("field"); f.is(text) {
		if err := t.setField(f.str); err != nil {
			return t, r.fault(f, "\"field\": %s", err)
		}
	} else if f != nil && !f.is(number) {
		return t, r.fault(f, "\"field\" is text")
	} else if f != nil {
		t.field, t.path = f.plain(), []string{f.plain()}
	}
	name := v.get("function")
	if !name.is(text) {
		return t, r.fault(name.or(v), "\"then\" lacks \"function\": %s", strings.Join(Functions(), ", "))
	}
	t.name = name.str
	if a, ok := functionAliases[t.name]; ok {
		t.name = a
	}
	f, known := functions[t.name]
	if !known {
		return t, r.fault(name, "function %q is not known: %s", name.str, strings.Join(Functions(), ", "))
	}
	t.function = f
	given := v.get("functionOptions")
	if f.options == nil {
		if given != nil && !given.is(null) && !(given.is(object) && len(given.keys) == 0) {
			return t, r.fault(given, "function %q takes no options", t.name)
		}
		return t, nil
	}
	o := options{given, t.name}
	if t.options, err = f.options(o); err != nil {
		at := given.or(v)
		if e, ok := err.(*optionError); ok && e.at != nil {
			at = e.at
		}
		return t, r.fault(at, "%s", err)
	}
	return t, nil
}

func (t *then) setField(field string) error {
	t.field = field
	switch {
	case field == "@key":
		t.keys = true
	case strings.HasPrefix(field, "$"):
		q, err := ParsePath(field)
		if err != nil {
			return err
		}
		t.query = q
	default:
		t.path = lodashPath(field)
	}
	return nil
}

func (r *reading) text(v *value, key string, into *string) error {
	if v.is(null) {
		*into = ""
		return nil
	}
	if !v.is(text) {
		return r.fault(v, "%q is text", key)
	}
	*into = v.str
	return nil
}

func (r *reading) truth(v *value, key string, into *bool) error {
	if !v.is(boolean) {
		return r.fault(v, "%q is true or false", key)
	}
	*into = v.truth
	return nil
}

func (r *reading) severity(v *value) (Severity, error) {
	switch {
	case v.is(number) && integral(v.num) && v.num >= 0 && v.num <= 3:
		return Severity(v.num), nil
	case v.is(text):
		s, err := ParseSeverity(v.str)
		if err != nil {
			return Off, r.fault(v, "%s", err)
		}
		return s, nil
	}
	return Off, r.fault(v, "%s is not a severity: error, warn, info, hint or off", v.show())
}

func (r *reading) formatList(v *value) (set formatSet, err error) {
	if !v.is(list) {
		return 0, r.fault(v, "\"formats\" is a list of formats")
	}
	for _, e := range v.items {
		f, ok := formatSet(0), false
		if e.is(text) {
			f, ok = parseFormat(e.str)
		}
		if !ok {
			return 0, r.fault(e, "format %s is not known: %s", e.show(), strings.Join(formatNames, ", "))
		}
		set |= f
	}
	return set, nil
}

// fault is an error at a place of the ruleset being read.
func (r *reading) fault(v *value, format string, args ...any) error {
	line, column := 1, 1
	if v != nil && v.at != nil {
		line, column = max(1, v.at.Line), max(1, v.at.Column)
	}
	return &RulesetError{File: r.name(v), Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
}

// A RulesetError is a fault of a ruleset and where it stands.
type RulesetError struct {
	File         string
	Line, Column int
	Text         string
}

func (e *RulesetError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}
