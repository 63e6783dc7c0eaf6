package route

import (
	"fmt"
	"strings"
)

// A segment of a template: literal text, or text around parameters.
type segment struct {
	text  string   // of a literal
	lits  []string // of a pattern: lits[0] {names[0]} lits[1] …; nil for a literal
	names []string
	rest  bool // "{name+}": this and all further segments
}

// bare tells that the segment is a parameter and nothing else.
func (s *segment) bare() bool {
	return len(s.names) == 1 && s.lits[0] == "" && s.lits[1] == ""
}

// parse reads a path template such as "/things/{id}.json" or "/files/{path+}".
// Text outside of braces is brought to the form that Normalize gives requests.
func parse(template string) ([]segment, error) {
	if template != "" && template[0] != '/' {
		return nil, fmt.Errorf("path %q does not begin with a slash", template)
	}
	var segs []segment
	for rest := template; rest != ""; {
		end := 1
		for open := false; end < len(rest) && (open || rest[end] != '/'); end++ {
			switch rest[end] {
			case '{':
				open = true
			case '}':
				open = false
			}
		}
		s, err := parseSegment(rest[1:end])
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", template, err)
		}
		if rest = rest[end:]; s.rest && rest != "" {
			return nil, fmt.Errorf("path %q: {%s+} is not the last segment", template, s.names[0])
		}
		segs = append(segs, s)
	}
	return segs, nil
}

func parseSegment(text string) (segment, error) {
	if !strings.ContainsAny(text, "{}") {
		return segment{text: literal(text)}, nil
	}
	var s segment
	for {
		before, after, found := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			return s, fmt.Errorf("%q closes a brace that is not open", text)
		}
		s.lits = append(s.lits, literal(before))
		if !found {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed || strings.Contains(name, "{") {
			return s, fmt.Errorf("%q has a brace that is not closed", text)
		}
		s.names, text = append(s.names, name), behind
	}
	if name, ok := strings.CutSuffix(s.names[0], "+"); ok && s.bare() {
		s.names[0], s.rest = name, true
	}
	return s, nil
}

// literal writes text of a template as requests carry it.
func literal(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		v, ok := unhex(text, i+1)
		switch {
		case c == '%' && ok && unreserved(v):
			b.WriteByte(v)
			i += 2
		case c == '%' && ok:
			b.WriteString(strings.ToUpper(text[i : i+3]))
			i += 2
		case class[c] == plain || class[c] == semicolon:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

// weight orders patterns: the one with more literal text is tried first.
func (s *segment) weight() int {
	n := 0
	for _, l := range s.lits {
		n += len(l)
	}
	return n
}

// Params are the names of the parameters of a template, in order; nil when the
// template does not parse.
func Params(template string) []string {
	segs, err := parse(template)
	if err != nil {
		return nil
	}
	var names []string
	for i := range segs {
		names = append(names, segs[i].names...)
	}
	return names
}
