package lint

import (
	"fmt"
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
