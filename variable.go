package gatehouse

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gatehouse/jsonx"
)

// variableUse is how a configuration names a variable of the environment.
var (
	variableUse  = regexp.MustCompile(`\$\{var:([^}]*)\}`)
	variableForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
)

// Bounds of an environment's variables.
const (
	maxVariables = 200
	maxVariable  = 4096 // bytes of a value
)

// checkVariables reports what is wrong with an environment's variables.
func (s *Environment) checkVariables(c *Checker) {
	if len(s.Variables) > maxVariables {
		c.Errorf("%d variables; at most %d", len(s.Variables), maxVariables)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		at, value := c.At(name), s.Variables[name]
		switch {
		case !variableForm.MatchString(name):
			at.Errorf("%q is not the name of a variable, such as \"ISSUER\"", name)
		case len(value) > maxVariable:
			at.Errorf("is %d bytes long; at most %d", len(value), maxVariable)
		case strings.ContainsAny(value, "\x00\r\n"):
			at.Errorf("holds a line break or NUL")
		case strings.Contains(value, "${"):
			at.Errorf("holds a reference: a variable is plain text; a policy names a secret itself")
		}
	}
}

// Variables are the names of the variables that a policy's configuration uses,
// in order, and whether each is the name of one.
func (u PolicyUse) Variables() (names []string, bad string) {
	if !bytes.Contains(u.Config, []byte("${var:")) {
		return nil, ""
	}
	for _, m := range variableUse.FindAllSubmatch(u.Config, -1) {
		name := string(m[1])
		if !variableForm.MatchString(name) && bad == "" {
			bad = name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		bad = "${var:"
	}
	slices.Sort(names)
	return slices.Compact(names), bad
}

// Resolve is the configuration with the values of variables in the place of
// their names, within texts. unset are the names that have no value; the
// configuration is then as it was.
func (u PolicyUse) Resolve(variables map[string]string) (config json.RawMessage, unset []string) {
	names, _ := u.Variables()
	for _, n := range names {
		if _, ok := variables[n]; !ok {
			unset = append(unset, n)
		}
	}
	if len(names) == 0 || len(unset) > 0 {
		return u.Config, unset
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(u.Config))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return u.Config, nil
	}
	text, err := jsonx.Canonical(resolved(value, variables))
	if err != nil {
		return u.Config, nil
	}
	return text, nil
}

func resolved(value any, variables map[string]string) any {
	switch v := value.(type) {
	case string:
		return variableUse.ReplaceAllStringFunc(v, func(use string) string { return variables[use[len("${var:"):len(use)-1]] })
	case map[string]any:
		for k, child := range v {
			v[k] = resolved(child, variables)
		}
	case []any:
		for i, child := range v {
			v[i] = resolved(child, variables)
		}
	}
	return value
}
