package rewrite

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/policy/template"
)

// maxPath bounds paths and values in a configuration.
const maxPath = 4 << 10

// Normal tells whether path is in the one normalized form: it begins with "/",
// has neither empty nor dot segments (a "/" at the end is fine), no encoded
// slash, backslash or NUL, and no escape where none is needed (RFC 3986 §6.2.2).
func Normal(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	rest := path[1:]
	for rest != "" {
		segment, after, more := strings.Cut(rest, "/")
		if segment == "" || segment == "." || segment == ".." || !normalSegment(segment) {
			return false
		}
		if rest = after; !more {
			break
		}
	}
	return true
}

func normalSegment(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			if !pchar(s[i]) {
				return false
			}
			continue
		}
		if i+2 >= len(s) || !hex(s[i+1]) || !hex(s[i+2]) {
			return false
		}
		switch c := unhex(s[i+1])<<4 | unhex(s[i+2]); {
		case c == '/' || c == '\\' || c == 0 || unreserved(c):
			return false
		}
		i += 2
	}
	return true
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// pchar without escapes, RFC 3986 §3.3.
func pchar(c byte) bool { return unreserved(c) || strings.IndexByte("!$&'()*+,;=:@", c) >= 0 }

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// checkPrefix reports what cannot be a path's beginning; "" can.
func checkPrefix(p string) error {
	switch {
	case p == "":
		return nil
	case len(p) > maxPath:
		return fmt.Errorf("%d bytes are more than %d", len(p), maxPath)
	case p[len(p)-1] == '/':
		return fmt.Errorf(`%q ends with "/"; %q would do`, p, strings.TrimRight(p, "/"))
	case !Normal(p):
		return fmt.Errorf(`%q is not a normalized path such as "/internal/v3"`, p)
	}
	return nil
}

// parsePath reads a template whose literals, with a plain segment for each
// parameter, make a normalized path.
func parsePath(text string, params *params) (template.Template, error) {
	if len(text) > maxPath {
		return template.Template{}, fmt.Errorf("%d bytes are more than %d", len(text), maxPath)
	}
	t, err := parse(text, params)
	if err != nil {
		return t, err
	}
	if t.References() {
		return t, errors.New("a reference to a secret has no place in a path")
	}
	if !Normal(t.Text(nil, func(string) string { return "x" })) {
		return t, fmt.Errorf(`%q does not make a normalized path such as "/v2/orders/{id}"`, text)
	}
	return t, nil
}

// params are the path parameters there are, nil when that is unknown, and those
// that are asked for.
type params struct{ has, asked []string }

// parse reads a template whose placeholders are path parameters. Values are
// found by name when there is an exchange.
func parse(text string, params *params) (template.Template, error) {
	return template.Parse(text, func(name string) (template.Value, error) {
		if name == "" || params.has != nil && !slices.Contains(params.has, name) {
			return nil, fmt.Errorf(`"{%s}" is no path parameter of the operation, which has %q`, name, params.has)
		}
		if !slices.Contains(params.asked, name) {
			params.asked = append(params.asked, name)
		}
		return template.Param(name), nil
	})
}
