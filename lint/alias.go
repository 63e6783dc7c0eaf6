package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// aliases are names for paths: "#Operation" begins a path with one.
type aliases struct {
	names map[string][]aliasTarget
}

// aliasTarget are the paths an alias stands for, in documents of some formats.
type aliasTarget struct {
	formats formatSet // 0: all
	given   []string
}

var aliasForm = regexp.MustCompile(`^#([A-Za-z0-9_-]+)`)

func (r *reading) aliases(v *value) (*aliases, error) {
	a := &aliases{names: make(map[string][]aliasTarget)}
	if v == nil {
		return a, nil
	}
	if !v.is(object) {
		return nil, r.fault(v, "\"aliases\" is an object of paths by name")
	}
	for i, name := range v.keys {
		m := v.items[i]
		if !m.is(object) {
			given, err := r.given(m)
			if err != nil {
				return nil, err
			}
			a.names[name] = []aliasTarget{{given: given}}
			continue
		}
		targets := m.get("targets")
		if !targets.is(list) {
			return nil, r.fault(m, "alias %q is a path, a list of paths, or an object with \"targets\"", name)
		}
		for _, t := range targets.items {
			formats, given := t.get("formats"), t.get("given")
			if formats == nil || given == nil {
				return nil, r.fault(t, "a target of alias %q has \"formats\" and \"given\"", name)
			}
			set, err := r.formatList(formats)
			if err != nil {
				return nil, err
			}
			paths, err := r.given(given)
			if err != nil {
				return nil, err
			}
			a.names[name] = append(a.names[name], aliasTarget{set, paths})
		}
	}
	for name := range a.names {
		if _, err := a.expand("#" + name); err != nil {
			return nil, r.fault(v.get(name), "%s", err)
		}
	}
	return a, nil
}

// expanded is a path with its aliases written out.
type expanded struct {
	text    string
	formats formatSet // 0: all
}

// expand writes the alias at the head of a path out.
func (a *aliases) expand(given string) ([]expanded, error) { return a.expandIn(given, 0, nil) }

func (a *aliases) expandIn(given string, formats formatSet, open []string) ([]expanded, error) {
	if !strings.HasPrefix(given, "#") {
		return []expanded{{given, formats}}, nil
	}
	m := aliasForm.FindStringSubmatch(given)
	if m == nil {
		return nil, fmt.Errorf("%q is neither a path nor an alias", given)
	}
	name := m[1]
	if slices.Contains(open, name) {
		return nil, fmt.Errorf("alias %q stands for itself: %s", name, strings.Join(append(open, name), " → "))
	}
	targets, ok := a.names[name]
	if !ok {
		return nil, fmt.Errorf("alias %q is not among the aliases of the ruleset", name)
	}
	open = append(slices.Clone(open), name)
	var out []expanded
	for _, t := range targets {
		set := formats
		if t.formats != 0 {
			if set = t.formats; formats != 0 {
				set &= formats
			}
			if set == 0 {
				continue
			}
		}
		for _, g := range t.given {
			more, err := a.expandIn(g+given[len(m[0]):], set, open)
			if err != nil {
				return nil, err
			}
			if out = append(out, more...); len(out) > MaxGiven {
				return nil, fmt.Errorf("alias %q stands for more than %d paths", name, MaxGiven)
			}
		}
	}
	return out, nil
}
