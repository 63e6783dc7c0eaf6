// Package template is text with placeholders, as header values and rewritten
// paths are written: "user {subject} of {application}", "/v2/orders/{id}".
//
// It knows braces, references to secrets and what to do with them, not which
// placeholders there are: whoever parses says that. It escapes nothing; whoever
// writes the text somewhere knows what that place bears.
package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/policy"
)

// A Value finds what a placeholder stands for; "" when the exchange lacks it.
type Value func(x *policy.Exchange) string

// A Lookup finds the value of the placeholder of a name, or says which names
// there are.
type Lookup func(name string) (Value, error)

// A Template is parsed text. The zero value is empty text.
type Template struct{ parts []part }

// A part is a literal, a reference to a secret, or a placeholder.
type part struct {
	text      string
	reference bool
	value     Value
}

// Parse reads text. "{name}" is a placeholder, "${env:NAME}" and its like are
// references, "{{" and "}}" stand for single braces.
func Parse(text string, lookup Lookup) (Template, error) {
	var t Template
	var literal strings.Builder
	end := func(p part) {
		if literal.Len() > 0 {
			t.parts = append(t.parts, part{text: literal.String()})
			literal.Reset()
		}
		if p.text != "" {
			t.parts = append(t.parts, p)
		}
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			i += 2
		case strings.HasPrefix(rest, "${"), rest[0] == '{':
			p, n, err := placeholder(rest, lookup)
			if err != nil {
				return Template{}, err
			}
			end(p)
			i += n
		case rest[0] == '}':
			return Template{}, errors.New(`"}" ends nothing; "}}" stands for a brace`)
		default:
			literal.WriteByte(rest[0])
			i++
		}
	}
	end(part{})
	return t, nil
}

// placeholder reads the one that rest begins with, and how long it is.
func placeholder(rest string, lookup Lookup) (part, int, error) {
	stop := strings.IndexByte(rest, '}')
	if stop < 0 {
		return part{}, 0, errors.New(`"{" has no end; "{{" stands for a brace`)
	}
	if rest[0] == '$' {
		if kind, name, ok := strings.Cut(rest[2:stop], ":"); !ok || kind == "" || name == "" {
			return part{}, 0, fmt.Errorf("%q is no reference such as \"${env:NAME}\" or \"${file:path}\"", rest[:stop+1])
		}
		return part{text: rest[:stop+1], reference: true}, stop + 1, nil
	}
	name := rest[1:stop]
	value, err := lookup(name)
	if err != nil {
		return part{}, 0, err
	}
	return part{text: "{" + name + "}", value: value}, stop + 1, nil
}

// References tells whether the template refers to secrets.
func (t Template) References() bool {
	for _, p := range t.parts {
		if p.reference {
			return true
		}
	}
	return false
}

// Constant tells whether the template is the same text always, and there is any.
func (t Template) Constant() bool {
	return len(t.parts) > 0 && !slices.ContainsFunc(t.parts, func(p part) bool { return p.reference || p.value != nil })
}

// Literals yields each piece of text that is always the same.
func (t Template) Literals(yield func(string) bool) {
	for _, p := range t.parts {
		if !p.reference && p.value == nil && !yield(p.text) {
			return
		}
	}
}

// Resolve replaces references by what secret finds for them.
func (t Template) Resolve(secret func(ref string) (string, error)) (Template, error) {
	out := make([]part, 0, len(t.parts))
	for _, p := range t.parts {
		if p.reference {
			v, err := secret(p.text)
			if err != nil {
				return Template{}, fmt.Errorf("resolving %q: %w", p.text, err)
			}
			p = part{text: v}
		}
		if n := len(out); n > 0 && p.value == nil && out[n-1].value == nil {
			out[n-1].text += p.text
			continue
		}
		out = append(out, p)
	}
	return Template{out}, nil
}

// Escape passes the text between placeholders through f, once and for all.
func (t Template) Escape(f func(string) string) (Template, error) {
	out := slices.Clone(t.parts)
	for i := range out {
		if out[i].reference {
			return Template{}, fmt.Errorf("%q is not resolved", out[i].text)
		}
		if out[i].value == nil {
			out[i].text = f(out[i].text)
		}
	}
	return Template{out}, nil
}

// Text writes the template for x, each placeholder's value passed through
// escape when that is not nil. References must have been resolved.
func (t Template) Text(x *policy.Exchange, escape func(string) string) string {
	switch {
	case len(t.parts) == 0:
		return ""
	case len(t.parts) == 1 && t.parts[0].value == nil:
		return t.parts[0].text
	}
	var b strings.Builder
	for _, p := range t.parts {
		switch {
		case p.value == nil:
			b.WriteString(p.text)
		case escape == nil:
			b.WriteString(p.value(x))
		default:
			b.WriteString(escape(p.value(x)))
		}
	}
	return b.String()
}
