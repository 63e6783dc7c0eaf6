package lint

import (
	"fmt"
	"math"
	"strings"
)

// An expr is a compiled filter expression. It yields false for ok where
// JavaScript would throw.
type expr func(e *env) (x js, ok bool)

// maxExprDepth bounds how deep an expression nests.
const maxExprDepth = 50

// A filter is what stands in "[?(…)]".
type filter struct {
	test expr
	// byPath says that the expression looks at more than the value, its key
	// and its parent: the way there counts.
	byPath bool
}

func (f *filter) matches(e *env) bool {
	x, ok := f.test(e)
	return ok && x.truthy()
}

// parseFilter compiles a filter expression of the JavaScript that Spectral
// allows there: the places "@…", literals, operators, members and the methods
// of text, lists and regular expressions. There is nothing else to call.
func parseFilter(text string) (*filter, error) {
	p := &exprParser{in: text, filter: &filter{}}
	e, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.in) {
		return nil, p.fault("%q is not expected here", clip(p.in[p.i:]))
	}
	p.filter.test = e
	return p.filter, nil
}

type exprParser struct {
	in     string
	i      int
	depth  int
	filter *filter
}

func (p *exprParser) fault(format string, args ...any) error {
	return fmt.Errorf("filter \"%s\", letter %d: %s", p.in, p.i+1, fmt.Sprintf(format, args...))
}

func clip(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

func (p *exprParser) space() {
	for p.i < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.i]) >= 0 {
		p.i++
	}
}

func (p *exprParser) take(s string) bool {
	p.space()
	if !strings.HasPrefix(p.in[p.i:], s) {
		return false
	}
	if isWord(s[0]) && p.i+len(s) < len(p.in) && isWord(p.in[p.i+len(s)]) {
		return false
	}
	p.i += len(s)
	return true
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// binaries are the operators between two values by how tightly they bind.
var binaries = [][]string{
	{"||", "??"}, {"&&"}, {"===", "!==", "==", "!=", "~="}, {"<=", ">=", "<", ">", "in"}, {"+", "-"}, {"*", "/", "%"},
}

func (p *exprParser) binary(level int) (expr, error) {
	if p.depth++; p.depth > maxExprDepth*len(binaries) {
		return nil, p.fault("nests too deep")
	}
	defer func() { p.depth-- }()
	if level == len(binaries) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		op := ""
		for _, o := range binaries[level] {
			if p.take(o) {
				op = o
				break
			}
		}
		if op == "" {
			break
		}
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		if left, err = p.join(op, left, right); err != nil {
			return nil, err
		}
	}
	if level == 0 && p.take("?") {
		return p.choice(left)
	}
	return left, nil
}

func (p *exprParser) choice(test expr) (expr, error) {
	yes, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if !p.take(":") {
		return nil, p.fault("\":\" is missing")
	}
	no, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	return func(e *env) (js, bool) {
		x, ok := test(e)
		if !ok {
			return x, false
		}
		if x.truthy() {
			return yes(e)
		}
		return no(e)
	}, nil
}

func (p *exprParser) join(op string, left, right expr) (expr, error) {
	switch op {
	case "||", "&&", "??":
		return func(e *env) (js, bool) {
			x, ok := left(e)
			if !ok || op == "&&" && !x.truthy() || op == "||" && x.truthy() || op == "??" && !x.isNullish() {
				return x, ok
			}
			return right(e)
		}, nil
	}
	f := operators[op]
	return func(e *env) (js, bool) {
		x, ok := left(e)
		if !ok {
			return x, false
		}
		y, ok := right(e)
		if !ok {
			return y, false
		}
		return f(x, y)
	}, nil
}

func compare(f func(int) bool) func(x, y js) (js, bool) {
	return func(x, y js) (js, bool) {
		if x.kind == jsString && y.kind == jsString {
			return jsBoolean(f(strings.Compare(x.s, y.s))), true
		}
		a, b := x.toNumber(), y.toNumber()
		switch {
		case math.IsNaN(a) || math.IsNaN(b):
			return jsBoolean(false), true
		case a < b:
			return jsBoolean(f(-1)), true
		case a > b:
			return jsBoolean(f(1)), true
		}
		return jsBoolean(f(0)), true
	}
}

func calculate(f func(a, b float64) float64) func(x, y js) (js, bool) {
	return func(x, y js) (js, bool) { return jsNum(f(x.toNumber(), y.toNumber())), true }
}

var operators = map[string]func(x, y js) (js, bool){
	"===": func(x, y js) (js, bool) { return jsBoolean(strictEqual(x, y)), true },
	"!==": func(x, y js) (js, bool) { return jsBoolean(!strictEqual(x, y)), true },
	"==":  func(x, y js) (js, bool) { return jsBoolean(looseEqual(x, y)), true },
	"!=":  func(x, y js) (js, bool) { return jsBoolean(!looseEqual(x, y)), true },
	"<":   compare(func(c int) bool { return c < 0 }),
	">":   compare(func(c int) bool { return c > 0 }),
	"<=":  compare(func(c int) bool { return c <= 0 }),
	">=":  compare(func(c int) bool { return c >= 0 }),
	"-":   calculate(func(a, b float64) float64 { return a - b }),
	"*":   calculate(func(a, b float64) float64 { return a * b }),
	"/":   calculate(func(a, b float64) float64 { return a / b }),
	"%":   calculate(math.Mod),
	"+": func(x, y js) (js, bool) {
		if x.kind == jsString || y.kind == jsString {
			return jsText(x.text() + y.text()), true
		}
		return jsNum(x.toNumber() + y.toNumber()), true
	},
	"in": func(x, y js) (js, bool) {
		if y.kind == jsValue && y.v.kind == object {
			return jsBoolean(y.v.has(x.text())), true
		}
		i, ok := indexOf(y, []js{x})
		return jsBoolean(i >= 0), ok
	},
	"~=": func(x, y js) (js, bool) {
		re, ok := regexpOf([]js{y})
		return jsBoolean(ok && re.MatchString(x.text())), ok
	},
}
