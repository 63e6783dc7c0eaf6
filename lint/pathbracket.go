package lint

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

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
