package gatehouse

import (
	"fmt"
	"regexp"
	"strconv"

	"gatehouse/jsonx"
)

// A Checker collects the faults of one document, each with the pointer to its
// field. Specs walk themselves with it.
type Checker struct {
	Object  string // "API payments/orders"
	pointer []string
	faults  *[]Fault
	tree    any // the document as written at this place, if known
}

// NewChecker begins a check of the document that object names.
func NewChecker(object string) *Checker {
	return &Checker{Object: object, faults: new([]Fault)}
}

// At is the checker one step further in: a field's name, or an index.
func (c *Checker) At(part any) *Checker {
	var p string
	switch part := part.(type) {
	case int:
		p = strconv.Itoa(part)
	case string:
		p = part
	default:
		p = fmt.Sprint(part)
	}
	return &Checker{
		Object: c.Object, pointer: append(c.pointer[:len(c.pointer):len(c.pointer)], p), faults: c.faults, tree: child(c.tree, p),
	}
}

func child(tree any, part string) any {
	switch t := tree.(type) {
	case map[string]any:
		return t[part]
	case []any:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(t) {
			return t[i]
		}
	}
	return nil
}

// Written reports whether the field stands in the document, so that a zero
// that was written can be told from one that was left out. It is false when
// the document is not at hand.
func (c *Checker) Written(field string) bool { return child(c.tree, field) != nil }

// Errorf records a fault at this place. The text says what is wrong, with the
// value as written in %q, and what would do.
func (c *Checker) Errorf(format string, args ...any) {
	*c.faults = append(*c.faults, Fault{Object: c.Object, Pointer: jsonx.Pointer(c.pointer...), Detail: fmt.Sprintf(format, args...)})
}

// Faults are all that was found.
func (c *Checker) Faults() []Fault { return *c.faults }

// OneOf reports value unless it is one of the allowed; "" passes when optional.
func (c *Checker) OneOf(value string, optional bool, allowed ...string) {
	if value == "" && optional {
		return
	}
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	c.Errorf("%q is not one of %s", value, list(allowed))
}

// Required reports an empty value.
func (c *Checker) Required(value string) {
	if value == "" {
		c.Errorf("is missing")
	}
}

var nameForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Name reports what cannot be a name.
func (c *Checker) Name(value string) {
	if !nameForm.MatchString(value) {
		c.Errorf("%q is not a name: lower-case letters, digits and \"-\", at most 63, beginning and ending with a letter or digit", value)
	}
}

func list(words []string) string {
	var s string
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			s += " or "
		default:
			s += ", "
		}
		s += strconv.Quote(w)
	}
	return s
}
