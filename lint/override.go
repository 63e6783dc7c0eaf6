package lint

import (
	"path"
	"regexp"
	"strings"
)

// An override gives rules other severities in certain files, or in certain
// places of them.
type override struct {
	file     *regexp.Regexp
	pointer  string // "" for the whole file
	severity map[string]Severity
}

// overrides reads the part of a ruleset that is for certain files. Here they
// switch rules and change severities; new rules belong under "rules".
func (r *reading) overrides(src *source) (out []override, err error) {
	v := src.root.get("overrides")
	if v == nil {
		return nil, nil
	}
	if !v.is(list) {
		return nil, r.fault(v, "\"overrides\" is a list of objects with \"files\" and \"rules\"")
	}
	for _, e := range v.items {
		files, rules := e.get("files"), e.get("rules")
		if !files.is(list) || !rules.is(object) {
			return nil, r.fault(e, "an override has \"files\" and \"rules\"")
		}
		for _, k := range e.keys {
			if k != "files" && k != "rules" && k != "formats" {
				return nil, r.fault(e.get(k), "an override has \"files\" and \"rules\"; %q belongs to the ruleset", k)
			}
		}
		severities := make(map[string]Severity)
		for i, name := range rules.keys {
			if rules.items[i].is(object) || rules.items[i].is(boolean) {
				return nil, r.fault(rules.items[i], "an override gives rule %q a severity; its definition belongs under \"rules\"", name)
			}
			if severities[name], err = r.severity(rules.items[i]); err != nil {
				return nil, err
			}
		}
		for _, f := range files.items {
			if !f.is(text) || len(f.str) > MaxPattern {
				return nil, r.fault(f, "\"files\" holds patterns such as \"legacy/**/*.yaml\" or \"api.yaml#/paths\"")
			}
			pattern, pointer, _ := strings.Cut(f.str, "#")
			re, err := globRegexp(path.Join(path.Dir(src.name), pattern))
			if err != nil {
				return nil, r.fault(f, "%s", err)
			}
			out = append(out, override{re, pointer, severities})
		}
	}
	return out, nil
}

// globRegexp makes "**", "*", "?" and "{a,b}" a regular expression.
func globRegexp(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^")
	depth := 0
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case strings.HasPrefix(glob[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			depth++
			b.WriteString("(?:")
		case c == '}' && depth > 0:
			depth--
			b.WriteString(")")
		case c == ',' && depth > 0:
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	b.WriteString(strings.Repeat(")", depth) + "$")
	return regexp.Compile(b.String())
}

// severity is the severity of a rule at a place of a file.
func (s *Ruleset) severity(r *rule, file string, at []string) Severity {
	severity, nearest := r.severity, -1
	pointer := ""
	for _, o := range s.overrides {
		to, ok := o.severity[r.name]
		if !ok || !o.file.MatchString(path.Clean(file)) {
			continue
		}
		if pointer == "" && len(at) > 0 {
			pointer = strings.TrimPrefix(pointerOf(at), "#")
		}
		if o.pointer != "" && pointer != o.pointer && !strings.HasPrefix(pointer, o.pointer+"/") {
			continue
		}
		if len(o.pointer) >= nearest {
			severity, nearest = to, len(o.pointer)
		}
	}
	return severity
}

// overridden reports whether an override switches a rule on in a file.
func (s *Ruleset) overridden(r *rule, file string) bool {
	for _, o := range s.overrides {
		if to, ok := o.severity[r.name]; ok && to != Off && o.file.MatchString(path.Clean(file)) {
			return true
		}
	}
	return false
}
