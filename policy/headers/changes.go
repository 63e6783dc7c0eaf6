package headers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/policy"
	"gatehouse/policy/template"
)

// maxChanges and maxValue bound one half of a use.
const (
	maxChanges = 100
	maxValue   = 8 << 10
)

// changes is one half, compiled.
type changes struct {
	remove   []string
	set, add []field
}

type field struct {
	at, name string // at: where it stands, as the user wrote it
	value    template.Template
}

func (c *changes) empty() bool { return len(c.remove)+len(c.set)+len(c.add) == 0 }

// compile checks one half; at is its name as the user wrote it.
func compile(at string, c Changes, secrets bool) (changes, error) {
	var out changes
	if n := len(c.Remove) + len(c.Set) + len(c.Add); n > maxChanges {
		return out, fmt.Errorf("%s: %d changes are more than %d", at, n, maxChanges)
	}
	for i, name := range c.Remove {
		if err := checkName(name); err != nil {
			return out, fmt.Errorf("%s.remove[%d]: %w", at, i, err)
		}
	}
	out.remove = c.Remove
	var err error
	if out.set, err = fields(at+".set", c.Set, secrets); err != nil {
		return out, err
	}
	out.add, err = fields(at+".add", c.Add, secrets)
	return out, err
}

// fields compiles a map in the order of its names, so that every gateway writes
// the same.
func fields(at string, m map[string]string, secrets bool) ([]field, error) {
	var out []field
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at := at + "." + name
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		for _, other := range out {
			if policy.EqualName(other.name, name) {
				return nil, fmt.Errorf("%s: is there twice, also as %q; letter case does not count in names", at, other.name)
			}
		}
		t, err := checkValue(m[name], secrets)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		if secrets && credential(name) && t.Constant() {
			return nil, fmt.Errorf("%s: secrets do not stand in files, and that field carries one: write a reference, ${env:NAME} or ${file:path}", at)
		}
		out = append(out, field{at, name, t})
	}
	return out, nil
}

// credential tells whether a field of requests carries a secret, by its name.
func credential(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{"authorization", "cookie", "secret", "password", "token", "api-key", "apikey", "access-key"} {
		if name == end || strings.HasSuffix(name, "-"+end) {
			return true
		}
	}
	return false
}

func checkName(name string) error {
	switch {
	case len(name) > 100 || !policy.IsToken(name):
		return fmt.Errorf("%q cannot be a header name; letters, digits and \"-\" would do", name)
	case policy.Framing(name):
		return fmt.Errorf("%q frames the message or its connection; the gateway alone writes it", name)
	case policy.Identity(name):
		return fmt.Errorf("%q is a statement of the gateway's own; another name would do", name)
	}
	return nil
}

func checkValue(text string, secrets bool) (template.Template, error) {
	if len(text) > maxValue {
		return template.Template{}, fmt.Errorf("%d bytes are more than %d", len(text), maxValue)
	}
	if !policy.IsValue(strings.Trim(text, " \t")) {
		return template.Template{}, errors.New("the value has a character that no header may hold, such as a line break") // not repeated: it may be a secret
	}
	t, err := template.Parse(text, template.Exchange)
	if err == nil && !secrets && t.References() {
		err = errors.New("a reference to a secret has no place in what callers see")
	}
	return t, err
}

// resolve replaces references by secrets.
func (c *changes) resolve(secret func(string) (string, error)) error {
	for _, list := range [][]field{c.set, c.add} {
		for i := range list {
			t, err := list[i].value.Resolve(secret)
			if err != nil {
				return fmt.Errorf("%s: %w", list[i].at, err)
			}
			for text := range t.Literals {
				if !policy.IsValue(strings.Trim(text, " \t")) {
					return fmt.Errorf("%s: what the reference stands for has a character that no header may hold", list[i].at)
				}
			}
			list[i].value = t
		}
	}
	return nil
}

func (c *changes) apply(x *policy.Exchange, h *policy.Header) {
	for _, name := range c.remove {
		h.Del(name)
	}
	for i := range c.set {
		f := &c.set[i]
		if v := f.text(x); v != "" {
			h.Set(f.name, v)
		} else {
			h.Del(f.name)
		}
	}
	for i := range c.add {
		f := &c.add[i]
		if v := f.text(x); v != "" {
			h.Add(f.name, v)
		}
	}
}

// text is the value for x, or "" when it could not stand in a header.
func (f *field) text(x *policy.Exchange) string {
	v := strings.Trim(f.value.Text(x, nil), " \t")
	if !policy.IsValue(v) {
		return ""
	}
	return v
}
