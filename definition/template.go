package definition

import (
	"fmt"
	"strings"
)

// maxPath bounds a path template, in bytes; no server takes longer requests.
const maxPath = 4096

// A template is a path as gateways route it: "/things/{id}", "/v1/{name}:cancel",
// "/files/{path+}".
type template struct {
	path string
	// shape is the path without the names of its parameters: two templates of
	// one shape match the same requests.
	shape  string
	params []string
	// split is what tells operations apart by more than the path: a query or a
	// fragment that stood in it, which no router looks at.
	split string
}

// parseTemplate reads a key of "paths", in any of the forms that are in use:
// a query or fragment behind it, "{path+}", "{path*}", "{*path}", "{+path}" for
// all that follows, "{id:[0-9]+}" with a pattern, "{name=shelves/*}" of Google.
func parseTemplate(key string) (template, error) {
	var t template
	if !strings.HasPrefix(key, "/") {
		return t, fmt.Errorf("path %q does not begin with \"/\"", key)
	}
	if len(key) > maxPath {
		return t, fmt.Errorf("path %q... is %d bytes long; at most %d", key[:60], len(key), maxPath)
	}
	if i := outside(key, "?#"); i >= 0 {
		key, t.split = key[:i], key[i:]
		if key == "" {
			key = "/"
		}
	}
	var path, shape strings.Builder
	for rest := key; rest != ""; {
		end := 1 + max(0, outside(rest[1:], "/"))
		if outside(rest[1:], "/") < 0 {
			end = len(rest)
		}
		segment := rest[1:end]
		rest = rest[end:]
		if err := t.segment(segment, rest == "", key, &path, &shape); err != nil {
			return t, err
		}
	}
	t.path, t.shape = path.String(), shape.String()
	return t, nil
}

// outside is the first index of a character of set that is not within braces.
func outside(s, set string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '{':
			depth++
		case s[i] == '}':
			depth--
		case depth <= 0 && strings.IndexByte(set, s[i]) >= 0:
			return i
		}
	}
	return -1
}

func (t *template) segment(text string, last bool, key string, path, shape *strings.Builder) error {
	switch {
	case dots(text):
		return fmt.Errorf("path %q has the segment %q, which no request carries", key, text)
	case text == "" && !last:
		return fmt.Errorf("path %q has an empty segment", key)
	}
	path.WriteByte('/')
	shape.WriteByte('/')
	whole := strings.HasPrefix(text, "{") && strings.IndexByte(text, '}') == len(text)-1
	for text != "" {
		open := strings.IndexAny(text, "{}")
		literal := text
		if open >= 0 {
			literal = text[:open]
		}
		if what := refusedIn(literal); what != "" {
			return fmt.Errorf("path %q has %s, which gateways refuse: servers read it in different ways", key, what)
		}
		if open < 0 {
			path.WriteString(text)
			shape.WriteString(escape(text))
			return nil
		}
		end := strings.IndexByte(text, '}')
		if text[open] == '}' || end < 0 || strings.Contains(text[open+1:end], "{") {
			return fmt.Errorf("path %q: braces do not match", key)
		}
		path.WriteString(text[:open])
		shape.WriteString(escape(text[:open]))
		if err := t.param(text[open+1:end], whole, last, key, path, shape); err != nil {
			return err
		}
		text = text[end+1:]
	}
	return nil
}

func (t *template) param(text string, whole, last bool, key string, path, shape *strings.Builder) error {
	if name, pattern, ok := strings.Cut(text, "="); ok { // google.api.http, {name=shelves/*}
		return t.google(name, pattern, whole, last, key, path, shape)
	}
	if strings.HasPrefix(text, "?") || strings.HasPrefix(text, "&") || strings.HasPrefix(text, "#") { // RFC 6570 §3.2.8: a query
		return nil
	}
	name, pattern, _ := strings.Cut(text, ":")
	bare := strings.Trim(strings.TrimLeft(name, ";./"), "*+ ")
	greedy := name != strings.Trim(name, "*+") || pattern == ".*" || pattern == ".+" || pattern == "path"
	if bare == "" && greedy {
		bare = "rest"
	}
	return t.add(bare, greedy, whole, last, key, path, shape)
}

func (t *template) add(name string, greedy, whole, last bool, key string, path, shape *strings.Builder) error {
	if name == "" {
		return fmt.Errorf("path %q has a parameter without a name", key)
	}
	for _, p := range t.params {
		if p == name {
			return fmt.Errorf("path %q has the parameter %q twice", key, name)
		}
	}
	t.params = append(t.params, name)
	if !greedy || !whole {
		path.WriteString("{" + name + "}")
		shape.WriteString("{}")
		return nil
	}
	if !last {
		return fmt.Errorf("path %q: {%s+} stands for all that follows, so it can only be last", key, name)
	}
	path.WriteString("{" + name + "+}")
	shape.WriteString("{+}")
	return nil
}

// google writes a parameter that stands for several segments as one parameter
// for each "*" and one with "+" for "**".
func (t *template) google(name, pattern string, whole, last bool, key string, path, shape *strings.Builder) error {
	segments, stars := strings.Split(pattern, "/"), 0
	for i, s := range segments {
		if i > 0 {
			path.WriteByte('/')
			shape.WriteByte('/')
		}
		if s != "*" && s != "**" {
			if s == "" || strings.ContainsAny(s, "*{}") {
				return fmt.Errorf("path %q: %q is not a pattern of segments", key, pattern)
			}
			path.WriteString(s)
			shape.WriteString(escape(s))
			continue
		}
		stars++
		param := name
		if stars > 1 {
			param = fmt.Sprintf("%s.%d", name, stars)
		}
		end := i == len(segments)-1
		if err := t.add(param, s == "**", whole || i > 0 && end, last && end, key, path, shape); err != nil {
			return err
		}
	}
	return nil
}

// escape brings literal text of a path to the one form that requests have, so
// that "/caf%C3%A9" and "/café" are seen to be one.
func escape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) {
			if v, err := unhex(text[i+1 : i+3]); err == nil {
				i, c = i+2, v
				if unreserved(c) {
					b.WriteByte(c)
				} else {
					b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
				}
				continue
			}
		}
		if unreserved(c) || strings.IndexByte("!$&'()*+,;=:@", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String()
}

// dots tells a segment that requests resolve before they are sent.
func dots(text string) bool { plain := escape(text); return plain == "." || plain == ".." }

// refusedIn says what literal text has that no request may carry through a
// gateway (package gateway/route), "" for nothing.
func refusedIn(text string) string {
	text = escape(text)
	for i := 0; i < len(text); i++ {
		if text[i] == ';' {
			return "a semicolon"
		}
		if text[i] != '%' {
			continue
		}
		v, _ := unhex(text[i+1 : i+3])
		switch {
		case v == '/' || v == '\\' || v < 0x20 || v == 0x7f:
			return "an encoded slash, a backslash or a control character"
		case v == ';':
			return "a semicolon"
		case v == '%' && i+5 <= len(text):
			if w, err := unhex(text[i+3 : i+5]); err == nil && (w < 0x20 || w == 0x7f || strings.IndexByte("./\\;%", w) >= 0) {
				return "an escape that is escaped again"
			}
		}
	}
	return ""
}

func unhex(s string) (byte, error) {
	var v byte
	_, err := fmt.Sscanf(s, "%02x", &v)
	return v, err
}

// unreserved: RFC 3986 §2.3.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
