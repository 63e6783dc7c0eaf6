package lint

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Path is a compiled JSONPath in the dialect of Spectral.
type Path struct {
	text  string
	steps []step
	// parents is how many "^" stand at the end, keyed whether "~" does.
	parents int
	keyed   bool
}

// A step narrows to some members of what came before, or, if deep, of
// anything below it.
type step struct {
	deep bool
	// all is "*"; else names, a filter or a slice tell.
	all    bool
	names  []string
	filter *filter
	slice  *slice
	last   bool // [(@.length-1)] and [-1:]
}

// A slice is [from:to:by]; negative numbers count from the end.
type slice struct {
	from, to int
	by       int
}

// maxPathSteps is how many steps a path has: what the walk keeps of a place is
// one bit for each.
const maxPathSteps = 60

// ParsePath compiles a path. An error tells what is wrong at which letter.
func ParsePath(text string) (*Path, error) {
	if len(text) > MaxPattern {
		return nil, fmt.Errorf("path is %d letters long; at most %d are read", len(text), MaxPattern)
	}
	p := &pathParser{in: strings.TrimSpace(text), path: &Path{text: text}}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p.path, nil
}

func (p *Path) String() string { return p.text }

type pathParser struct {
	in   string
	i    int
	path *Path
}

func (p *pathParser) fault(format string, args ...any) error {
	return fmt.Errorf("path %q, letter %d: %s", p.in, p.i+1, fmt.Sprintf(format, args...))
}

func (p *pathParser) parse() error {
	if !strings.HasPrefix(p.in, "$") {
		return p.fault("a path begins with \"$\"")
	}
	p.i = 1
	for p.i < len(p.in) {
		if strings.IndexByte("^~", p.in[p.i]) >= 0 {
			return p.modifiers()
		}
		if err := p.step(); err != nil {
			return err
		}
		if len(p.path.steps) > maxPathSteps {
			return p.fault("more than %d steps", maxPathSteps)
		}
	}
	return nil
}

func (p *pathParser) modifiers() error {
	for ; p.i < len(p.in); p.i++ {
		switch p.in[p.i] {
		case '^':
			if p.path.keyed {
				return p.fault("\"^\" stands before \"~\"")
			}
			p.path.parents++
		case '~':
			p.path.keyed = true
		default:
			return p.fault("behind \"^\" and \"~\" nothing follows; a filter with \"@parent\" does the same")
		}
	}
	return nil
}

func (p *pathParser) has(s string) bool {
	if strings.HasPrefix(p.in[p.i:], s) {
		p.i += len(s)
		return true
	}
	return false
}

func (p *pathParser) step() error {
	s := step{}
	switch {
	case p.has(".."):
		s.deep = true
	case p.has("."):
	case p.in[p.i] == '[':
	default:
		return p.fault("\".\" or \"[\" is expected, not %q", clip(p.in[p.i:]))
	}
	if p.i >= len(p.in) {
		if s.deep { // "$.." is everything below
			s.all = true
			p.path.steps = append(p.path.steps, s)
			return nil
		}
		return p.fault("a name is missing behind \".\"")
	}
	var err error
	switch c := p.in[p.i]; {
	case c == '[':
		p.i++
		err = p.bracket(&s)
	case c == '*':
		p.i++
		s.all = true
	case c == '@':
		err = p.typed(&s)
	case c == '^' || c == '~':
		s.all = true
	default:
		start := p.i
		for p.i < len(p.in) && strings.IndexByte(".[]^~()*", p.in[p.i]) < 0 {
			p.i++
		}
		name := strings.TrimSpace(p.in[start:p.i])
		if name == "" {
			return p.fault("a name is missing")
		}
		s.names = []string{name}
	}
	p.path.steps = append(p.path.steps, s)
	return err
}

// typed reads "@string()" and its like as a step.
func (p *pathParser) typed(s *step) error {
	end := strings.Index(p.in[p.i:], "()")
	if end < 0 {
		return p.fault("\"()\" is missing behind %q", clip(p.in[p.i:]))
	}
	f, err := parseFilter(p.in[p.i : p.i+end+2])
	if err != nil {
		return fmt.Errorf("path %q: %w", p.in, err)
	}
	s.filter = f
	p.i += end + 2
	return nil
}

func (p *pathParser) bracket(s *step) error {
	p.space()
	rest := p.in[p.i:]
	switch {
	case rest == "":
		return p.fault("\"]\" is missing")
	case strings.HasPrefix(rest, "?(") || strings.HasPrefix(rest, "?"):
		return p.filter(s)
	case rest[0] == '(':
		return p.script(s)
	case rest[0] == '*':
		p.i++
		s.all = true
	case rest[0] == '\'' || rest[0] == '"':
		return p.quotedNames(s)
	default:
		return p.bare(s)
	}
	return p.close()
}

func (p *pathParser) space() {
	for p.i < len(p.in) && (p.in[p.i] == ' ' || p.in[p.i] == '\t') {
		p.i++
	}
}

func (p *pathParser) close() error {
	p.space()
	if !p.has("]") {
		return p.fault("\"]\" is missing")
	}
	return nil
}

// filter finds the end of "?(…)]": the bracket that no text, regular
// expression or other bracket holds.
func (p *pathParser) filter(s *step) error {
	p.i++
	start, depth := p.i, 0
	for ; p.i < len(p.in); p.i++ {
		switch c := p.in[p.i]; c {
		case '\'', '"', '`':
			p.skip(c)
		case '/':
			if p.regexpHere(start) {
				p.skip(c)
			}
		case '(', '[':
			depth++
		case ')':
			depth--
		case ']':
			if depth == 0 {
				f, err := parseFilter(strings.TrimSpace(p.in[start:p.i]))
				if err != nil {
					return fmt.Errorf("path %q: %w", p.in, err)
				}
				s.filter = f
				p.i++
				return nil
			}
			depth--
		}
	}
	return p.fault("\"]\" is missing")
}

// skip moves to the end of a text or regular expression.
func (p *pathParser) skip(quote byte) {
	class := false
	for p.i++; p.i < len(p.in); p.i++ {
		switch c := p.in[p.i]; {
		case c == '\\':
			p.i++
		case quote == '/' && c == '[':
			class = true
		case quote == '/' && c == ']':
			class = false
		case c == quote && !class:
			return
		}
	}
}

// regexpHere reports whether a "/" begins a regular expression: one does
// where a value is expected.
func (p *pathParser) regexpHere(start int) bool {
	before := strings.TrimRight(p.in[start:p.i], " \t")
	return before == "" || strings.IndexByte("(,=!&|?:[~+-*<>", before[len(before)-1]) >= 0
}

// script reads [(@.length-1)], the one script that nimma knows too.
func (p *pathParser) script(s *step) error {
	end := strings.Index(p.in[p.i:], ")]")
	if end < 0 {
		return p.fault("\")]\" is missing")
	}
	inner := strings.ReplaceAll(p.in[p.i+1:p.i+end], " ", "")
	rest, ok := strings.CutPrefix(inner, "@.length-")
	n, err := strconv.Atoi(rest)
	if !ok || err != nil || n < 1 {
		return p.fault("the script %q is not known; (@.length-1) is", inner)
	}
	p.i += end + 2
	s.slice = &slice{from: -n, to: 1 - n, by: 1}
	if n == 1 {
		s.slice.to = math.MaxInt32
	}
	return nil
}

func (p *pathParser) quotedNames(s *step) error {
	for {
		p.space()
		if p.i >= len(p.in) || p.in[p.i] != '\'' && p.in[p.i] != '"' {
			start := p.i
			for p.i < len(p.in) && strings.IndexByte(",]", p.in[p.i]) < 0 {
				p.i++
			}
			s.names = append(s.names, strings.TrimSpace(p.in[start:p.i]))
		} else {
			quote, start := p.in[p.i], p.i+1
			p.skip(quote)
			if p.i >= len(p.in) {
				return p.fault("a name has no end")
			}
			s.names = append(s.names, unescape(p.in[start:p.i]))
			p.i++
		}
		if p.space(); !p.has(",") {
			return p.close()
		}
	}
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// bare reads [0], [-1:], [a,b] and [get,put].
func (p *pathParser) bare(s *step) error {
	end := strings.IndexByte(p.in[p.i:], ']')
	if end < 0 {
		return p.fault("\"]\" is missing")
	}
	inner := strings.TrimSpace(p.in[p.i : p.i+end])
	if inner == "" {
		return p.fault("nothing stands between \"[\" and \"]\"")
	}
	if strings.Contains(inner, ":") && strings.Trim(inner, "-0123456789: ") == "" {
		sl, err := parseSlice(inner)
		if err != nil {
			return p.fault("%s", err)
		}
		s.slice = sl
	} else {
		for name := range strings.SplitSeq(inner, ",") {
			name = strings.TrimSpace(name)
			if name == "" || strings.ContainsAny(name, "?()'\"") {
				return p.fault("%q is not a name; in quotes it is", name)
			}
			s.names = append(s.names, strings.Trim(name, "'\""))
		}
		if n, err := strconv.Atoi(inner); err == nil && n < 0 {
			s.names, s.slice = nil, &slice{from: n, to: n + 1, by: 1}
			if n == -1 {
				s.slice.to = math.MaxInt32
			}
		}
	}
	p.i += end + 1
	return nil
}

func parseSlice(text string) (*slice, error) {
	s := &slice{from: 0, to: math.MaxInt32, by: 1}
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return nil, fmt.Errorf("%q has more than three numbers", text)
	}
	for i, into := range []*int{&s.from, &s.to, &s.by}[:len(parts)] {
		if parts[i] = strings.TrimSpace(parts[i]); parts[i] == "" {
			continue
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", parts[i])
		}
		*into = n
	}
	if s.by <= 0 {
		return nil, fmt.Errorf("steps of %d; they go forward, by 1 or more", s.by)
	}
	return s, nil
}

// holds reports whether the slice takes the index of a list of so many.
func (s *slice) holds(i, length int) bool {
	from, to := s.from, s.to
	if from < 0 {
		from = max(0, length+from)
	}
	if to < 0 {
		to = length + to
	}
	return i >= from && i < to && (i-from)%s.by == 0
}

// lodashPath splits the field of a rule: "info.contact", "tags[0].name".
func lodashPath(field string) []string {
	var parts []string
	for i := 0; i < len(field); {
		switch {
		case field[i] == '.':
			i++
		case field[i] == '[':
			end := strings.IndexByte(field[i:], ']')
			if end < 0 {
				return append(parts, field[i:])
			}
			parts = append(parts, strings.Trim(field[i+1:i+end], "'\""))
			i += end + 1
		default:
			end := strings.IndexAny(field[i:], ".[")
			if end < 0 {
				end = len(field) - i
			}
			parts = append(parts, field[i:i+end])
			i += end
		}
	}
	return parts
}
