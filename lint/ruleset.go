package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Ruleset is a set of rules, ready to run. It does not change and may be
// used from several goroutines.
type Ruleset struct {
	name  string
	rules []*rule
	// overrides are parts for certain files, which change severities.
	overrides []override
	parser    map[string]Severity // of keys that stand twice or are no text
}

// A Resolver gives the text of another ruleset that one extends, by its path
// from the folder of the first.
type Resolver func(name string) ([]byte, error)

// source is one file of rules.
type source struct {
	name    string
	root    *value
	aliases *aliases
	formats formatSet
	docs    string
	builtin bool
}

// reading reads a ruleset and all it extends.
type reading struct {
	resolve Resolver
	files   []*source // all that were read
	open    []string  // those being read, to find circles
	names   map[*value]string
}

// name is the file a value stands in.
func (r *reading) name(v *value) string {
	if v == nil {
		if len(r.open) > 0 {
			return r.open[len(r.open)-1]
		}
		return "ruleset"
	}
	for v.parent != nil {
		v = v.parent
	}
	return r.names[v]
}

// Parse reads a ruleset. What it extends is one of those built in
// ("spectral:oas") or asked of resolve, which may be nil. The first fault is
// the error, a *RulesetError where it has a place.
func Parse(name string, data []byte, resolve Resolver) (*Ruleset, error) {
	r := &reading{resolve: resolve, names: make(map[*value]string)}
	rules, src, err := r.file(path.Clean(name), data, choice{severity: "recommended"})
	if err != nil {
		return nil, err
	}
	out := &Ruleset{name: name}
	for _, name := range rules.order {
		out.rules = append(out.rules, rules.byName[name])
	}
	if out.overrides, err = r.overrides(src); err != nil {
		return nil, err
	}
	if out.parser, err = r.parserOptions(src.root.get("parserOptions")); err != nil {
		return nil, err
	}
	return out, out.prepare(r)
}

// parserOptions reads how bad it is when a document has what JSON has not.
func (r *reading) parserOptions(v *value) (map[string]Severity, error) {
	if v == nil {
		return nil, nil
	}
	out := make(map[string]Severity)
	for i, k := range v.keys {
		if k != duplicateKeys && k != incompatibleValues {
			return nil, r.fault(v.items[i], "\"parserOptions\": %q is not known: %s, %s", k, duplicateKeys, incompatibleValues)
		}
		s, err := r.severity(v.items[i])
		if err != nil {
			return nil, err
		}
		out[k] = s
	}
	return out, nil
}

// prepare compiles the paths of all rules.
func (s *Ruleset) prepare(r *reading) error {
	compiled := make(map[string]*Path)
	for _, rule := range s.rules {
		for _, g := range rule.givenText {
			paths, err := rule.aliases.expand(g)
			if err != nil {
				return r.fault(rule.at.get("given").or(rule.at), "rule %q: %s", rule.name, err)
			}
			for _, p := range paths {
				if compiled[p.text] == nil {
					if compiled[p.text], err = ParsePath(p.text); err != nil {
						return r.fault(rule.at.get("given").or(rule.at), "rule %q: %s", rule.name, err)
					}
				}
				rule.given = append(rule.given, givenPath{compiled[p.text], p.formats})
			}
		}
		if len(rule.given) > MaxGiven {
			return r.fault(rule.at, "rule %q has %d paths with its aliases written out; at most %d are followed", rule.name, len(rule.given), MaxGiven)
		}
	}
	return nil
}

// Name is the name the ruleset was read under.
func (s *Ruleset) Name() string { return s.name }

// Rules are the names of the rules that are switched on.
func (s *Ruleset) Rules() []string {
	var names []string
	for _, r := range s.rules {
		if r.enabled && r.severity != Off {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return names
}

// choice is how a ruleset is extended: [name, all].
type choice struct {
	severity string // recommended, all, off
	explicit bool
}

// ruleList keeps rules in the order in which they came.
type ruleList struct {
	order  []string
	byName map[string]*rule
}

func (l *ruleList) put(r *rule) {
	if l.byName[r.name] == nil {
		l.order = append(l.order, r.name)
	}
	l.byName[r.name] = r
}

func (r *reading) file(name string, data []byte, how choice) (*ruleList, *source, error) {
	if i := slices.Index(r.open, name); i >= 0 {
		return nil, nil, fmt.Errorf("ruleset %q extends itself: %s", name, strings.Join(append(slices.Clone(r.open[i:]), name), " → "))
	}
	if len(r.files) >= MaxExtends {
		return nil, nil, fmt.Errorf("ruleset %q: more than %d files stand behind one ruleset", name, MaxExtends)
	}
	if len(data) > MaxRulesetBytes {
		return nil, nil, fmt.Errorf("ruleset %q is %d bytes long; at most %d are read", name, len(data), MaxRulesetBytes)
	}
	root, faults, err := readValue(name, data)
	if err != nil {
		return nil, nil, err
	}
	r.names[root] = name
	src := &source{name: name, root: root, builtin: strings.HasPrefix(name, "spectral:")}
	r.files = append(r.files, src)
	r.open = append(r.open, name)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	for _, f := range faults {
		if f.repeat {
			return nil, nil, r.fault(f.v, "key %q stands twice", f.text)
		}
	}
	if err := r.header(src); err != nil {
		return nil, nil, err
	}
	list, err := r.extended(src)
	if err != nil {
		return nil, nil, err
	}
	if err := r.own(src, list, how); err != nil {
		return nil, nil, err
	}
	if how.explicit {
		for _, rule := range list.byName {
			rule.enabled = how.severity == "all" || how.severity == "recommended" && rule.recommended
		}
	}
	return list, src, nil
}

// header reads what stands beside the rules.
func (r *reading) header(src *source) (err error) {
	if !src.root.is(object) {
		return r.fault(src.root, "a ruleset is an object with \"rules\" or \"extends\"")
	}
	if !src.root.has("rules") && !src.root.has("extends") && !src.root.has("overrides") {
		return r.fault(src.root, "a ruleset has \"rules\", \"extends\" or \"overrides\"")
	}
	for i, k := range src.root.keys {
		v := src.root.items[i]
		switch k {
		case "extends", "rules", "overrides", "aliases", "parserOptions", "description":
		case "formats":
			if src.formats, err = r.formatList(v); err != nil {
				return err
			}
		case "documentationUrl":
			if err := r.text(v, k, &src.docs); err != nil {
				return err
			}
		case "functions", "functionsDir", "except":
			return r.fault(v, "%q is not for rulesets here: no code of a ruleset is run; the functions there are: %s", k, strings.Join(Functions(), ", "))
		default:
			return r.fault(v, "%q is not known: extends, rules, aliases, formats, overrides, documentationUrl, parserOptions", k)
		}
	}
	src.aliases, err = r.aliases(src.root.get("aliases"))
	return err
}

// extended reads what a ruleset extends, in order.
func (r *reading) extended(src *source) (*ruleList, error) {
	all := &ruleList{byName: make(map[string]*rule)}
	v := src.root.get("extends")
	if v == nil {
		return all, nil
	}
	items := []*value{v}
	if v.is(list) {
		items = v.items
	}
	for _, e := range items {
		how, name := choice{severity: "recommended"}, e
		if e.is(list) {
			if len(e.items) != 2 || !e.items[0].is(text) || !e.items[1].is(text) {
				return nil, r.fault(e, "\"extends\" has names, or pairs such as [spectral:oas, all]")
			}
			name, how = e.items[0], choice{e.items[1].str, true}
			if !slices.Contains([]string{"all", "recommended", "off"}, how.severity) {
				return nil, r.fault(e.items[1], "%q is not known: all, recommended or off", how.severity)
			}
		}
		if !name.is(text) {
			return nil, r.fault(name, "\"extends\" has names of rulesets, or pairs such as [spectral:oas, all]")
		}
		more, err := r.extend(src, name, how)
		if err != nil {
			return nil, err
		}
		for _, n := range more.order {
			all.put(more.byName[n])
		}
	}
	return all, nil
}

func (r *reading) extend(src *source, at *value, how choice) (*ruleList, error) {
	name := at.str
	data, builtin := builtins[name]
	if !builtin {
		switch {
		case strings.HasPrefix(name, "spectral:"):
			return nil, r.fault(at, "ruleset %q is not built in; %s is", name, strings.Join(builtinNames(), ", "))
		case strings.Contains(name, "://"):
			return nil, r.fault(at, "ruleset %q is on the network and nothing is fetched: keep a copy beside the ruleset and name its path", name)
		case r.resolve == nil:
			return nil, r.fault(at, "ruleset %q is not given: only built-in rulesets can be extended here", name)
		case path.IsAbs(name):
			return nil, r.fault(at, "ruleset %q: a path is relative to the ruleset that extends it", name)
		}
		name = path.Join(path.Dir(src.name), name)
		if i := slices.Index(r.open, name); i >= 0 {
			return nil, r.fault(at, "ruleset %q extends itself: %s", name, strings.Join(append(slices.Clone(r.open[i:]), name), " → "))
		}
		var err error
		if data, err = r.resolve(name); err != nil {
			return nil, r.fault(at, "ruleset %q: %s", name, err)
		}
	}
	list, _, err := r.file(name, data, how)
	return list, err
}

// own applies the rules of a file to those it extends.
func (r *reading) own(src *source, all *ruleList, how choice) error {
	rules := src.root.get("rules")
	if rules == nil {
		return nil
	}
	if !rules.is(object) {
		return r.fault(rules, "\"rules\" is an object of rules by name")
	}
	for i, name := range rules.keys {
		v := rules.items[i]
		existing := all.byName[name]
		var err error
		switch {
		case v.is(object) && existing == nil:
			if existing, err = r.definition(name, v, src); err == nil {
				all.put(existing)
				if !existing.hasFormats && src.formats != 0 {
					existing.formats = src.formats
				}
			}
		case v.is(object):
			if err = r.amend(existing, v, src); err == nil {
				existing.enabled, existing.at = true, v
			}
		case existing == nil:
			err = r.fault(v, "rule %q is not one that is extended: to switch a rule, extend the ruleset that has it", name)
		default:
			err = r.toggle(existing, v)
		}
		if e, ok := err.(*RulesetError); ok && !strings.HasPrefix(e.Text, "rule ") {
			e.Text = fmt.Sprintf("rule %q: %s", name, e.Text)
		}
		if err != nil {
			return err
		}
		if src.docs != "" && existing.docs == "" {
			existing.docs = src.docs + "#" + name
		}
		if len(all.order) > MaxRules {
			return r.fault(v, "more than %d rules", MaxRules)
		}
	}
	return nil
}

// toggle switches an extended rule on or off or gives it another severity.
func (r *reading) toggle(rule *rule, v *value) error {
	if v.is(boolean) {
		rule.enabled = v.truth
		return nil
	}
	s, err := r.severity(v)
	if err != nil {
		return err
	}
	if s == Off {
		rule.enabled = false
		return nil
	}
	rule.severity, rule.enabled = s, true
	return nil
}
