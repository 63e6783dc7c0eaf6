package lint

import (
	"fmt"
	"math"
	"slices"
	"strconv"
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

func (p *exprParser) unary() (expr, error) {
	p.space()
	for _, op := range []string{"!", "-", "+", "typeof", "void"} {
		if !p.take(op) {
			continue
		}
		if p.depth++; p.depth > maxExprDepth*len(binaries) {
			return nil, p.fault("nests too deep")
		}
		arg, err := p.unary()
		p.depth--
		if err != nil {
			return nil, err
		}
		return func(e *env) (js, bool) {
			x, ok := arg(e)
			switch {
			case !ok:
				return x, false
			case op == "!":
				return jsBoolean(!x.truthy()), true
			case op == "-":
				return jsNum(-x.toNumber()), true
			case op == "+":
				return jsNum(x.toNumber()), true
			case op == "typeof":
				return jsText(x.typeof()), true
			}
			return undefined, true
		}, nil
	}
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	return p.postfix(x)
}

// postfix reads ".name", "?.name", "[…]" and "(…)" behind a value.
func (p *exprParser) postfix(x expr) (expr, error) {
	for {
		switch {
		case p.take("?."):
			name := p.word()
			if name == "" {
				return nil, p.fault("a name is missing")
			}
			whole := x
			x = func(e *env) (js, bool) {
				v, ok := whole(e)
				if !ok || v.isNullish() {
					return undefined, ok
				}
				return e.member(v, name)
			}
		case p.take("."):
			name := p.word()
			if name == "" {
				return nil, p.fault("a name is missing")
			}
			if p.take("(") {
				args, err := p.list(")")
				if err != nil {
					return nil, err
				}
				if x, err = p.call(x, name, args); err != nil {
					return nil, err
				}
				continue
			}
			whole := x
			x = func(e *env) (js, bool) {
				v, ok := whole(e)
				if !ok {
					return v, false
				}
				return e.member(v, name)
			}
		case p.take("["):
			key, err := p.binary(0)
			if err != nil {
				return nil, err
			}
			if !p.take("]") {
				return nil, p.fault("\"]\" is missing")
			}
			whole := x
			x = func(e *env) (js, bool) {
				v, ok := whole(e)
				if !ok {
					return v, false
				}
				k, ok := key(e)
				if !ok {
					return k, false
				}
				return e.member(v, k.text())
			}
		default:
			return x, nil
		}
	}
}

func (p *exprParser) call(x expr, name string, args []expr) (expr, error) {
	method, ok := jsMethods[name]
	if !ok {
		var known []string
		for n := range jsMethods {
			known = append(known, n)
		}
		slices.Sort(known)
		return nil, p.fault("%q is not a method here: %s", name, strings.Join(known, ", "))
	}
	return func(e *env) (js, bool) {
		v, ok := x(e)
		if !ok {
			return v, false
		}
		// A number that a key is may be asked as text, as in @property.match(…).
		if v.kind == jsNumber && name != "toString" {
			v = jsText(v.text())
		}
		got := make([]js, len(args))
		for i, a := range args {
			if got[i], ok = a(e); !ok {
				return undefined, false
			}
		}
		return method(v, got)
	}, nil
}

func (p *exprParser) list(end string) (list []expr, err error) {
	for !p.take(end) {
		if len(list) > 0 && !p.take(",") {
			return nil, p.fault("%q is missing", end)
		}
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if list = append(list, x); len(list) > 200 {
			return nil, p.fault("a list is longer than 200")
		}
	}
	return list, nil
}

func (p *exprParser) word() string {
	p.space()
	start := p.i
	for p.i < len(p.in) && (isWord(p.in[p.i]) || p.in[p.i] >= 0x80) {
		p.i++
	}
	return p.in[start:p.i]
}

func constant(x js) expr { return func(*env) (js, bool) { return x, true } }

func (p *exprParser) primary() (expr, error) {
	p.space()
	if p.i >= len(p.in) {
		return nil, p.fault("it ends too early")
	}
	switch c := p.in[p.i]; {
	case c == '(':
		p.i++
		x, err := p.binary(0)
		if err == nil && !p.take(")") {
			err = p.fault("\")\" is missing")
		}
		return x, err
	case c == '[':
		p.i++
		items, err := p.list("]")
		if err != nil {
			return nil, err
		}
		return func(e *env) (js, bool) {
			l := js{kind: jsList}
			for _, i := range items {
				x, ok := i(e)
				if !ok {
					return x, false
				}
				l.list = append(l.list, x)
			}
			return l, true
		}, nil
	case c == '@':
		p.i++
		return p.place(p.word())
	case c == '"' || c == '\'' || c == '`':
		return p.quoted(c)
	case c == '/':
		return p.regexp()
	case c >= '0' && c <= '9' || c == '.':
		start := p.i
		for p.i < len(p.in) && (isWord(p.in[p.i]) || p.in[p.i] == '.') {
			p.i++
		}
		n, err := strconv.ParseFloat(p.in[start:p.i], 64)
		if err != nil {
			return nil, p.fault("%q is not a number", p.in[start:p.i])
		}
		return constant(jsNum(n)), nil
	}
	switch w := p.word(); w {
	case "true", "false":
		return constant(jsBoolean(w == "true")), nil
	case "null":
		return constant(js{kind: jsNull}), nil
	case "undefined":
		return constant(undefined), nil
	case "index":
		return p.place("property")
	case "":
		return nil, p.fault("%q is not expected here", clip(p.in[p.i:]))
	default:
		return nil, p.fault("%q is not known: a filter looks at \"@\", \"@property\", \"@parent\" and the like", w)
	}
}

// place is what "@name" stands for.
func (p *exprParser) place(name string) (expr, error) {
	typed := func(is func(x js) bool) (expr, error) {
		if p.take("(") && !p.take(")") {
			return nil, p.fault("\")\" is missing")
		}
		return func(e *env) (js, bool) { return jsBoolean(is(fromValue(e.value))), true }, nil
	}
	switch name {
	case "":
		return func(e *env) (js, bool) { return fromValue(e.value), true }, nil
	case "property":
		return func(e *env) (js, bool) { return e.property(0), true }, nil
	case "parentProperty":
		p.filter.byPath = true
		return func(e *env) (js, bool) { return e.property(1), true }, nil
	case "parent":
		return func(e *env) (js, bool) { return fromValue(e.parent), true }, nil
	case "root":
		return func(e *env) (js, bool) { return fromValue(e.root), true }, nil
	case "path":
		p.filter.byPath = true
		return func(e *env) (js, bool) { return jsText(e.pathText()), true }, nil
	case "string", "number", "boolean", "undefined":
		return typed(func(x js) bool { return x.typeof() == name })
	case "null":
		return typed(func(x js) bool { return x.kind == jsNull })
	case "array":
		return typed(func(x js) bool { return x.kind == jsValue && x.v.kind == list })
	case "object":
		return typed(func(x js) bool { return x.kind == jsValue })
	case "scalar":
		return typed(func(x js) bool { return x.kind != jsValue })
	case "integer":
		return typed(func(x js) bool { return x.kind == jsNumber && x.n == math.Trunc(x.n) })
	}
	return nil, p.fault("\"@%s\" is not known: @, @property, @parent, @parentProperty, @path, @root, @string(), @number(), @boolean(), @integer(), @array(), @object(), @scalar() and @null() are", name)
}

func (p *exprParser) quoted(q byte) (expr, error) {
	var b strings.Builder
	for p.i++; p.i < len(p.in); p.i++ {
		c := p.in[p.i]
		switch {
		case c == q:
			p.i++
			return constant(jsText(b.String())), nil
		case c == '\\' && p.i+1 < len(p.in):
			p.i++
			if r, ok := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r'}[p.in[p.i]]; ok {
				b.WriteByte(r)
			} else {
				b.WriteByte(p.in[p.i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return nil, p.fault("a text has no end")
}

func (p *exprParser) regexp() (expr, error) {
	end, class := p.i+1, false
	for ; end < len(p.in); end++ {
		switch c := p.in[end]; {
		case c == '\\':
			end++
			continue
		case c == '[':
			class = true
		case c == ']':
			class = false
		}
		if p.in[end] == '/' && !class {
			break
		}
	}
	if end >= len(p.in) {
		return nil, p.fault("a regular expression has no end")
	}
	source := p.in[p.i+1 : end]
	p.i = end + 1
	start := p.i
	for p.i < len(p.in) && p.in[p.i] >= 'a' && p.in[p.i] <= 'z' {
		p.i++
	}
	re, err := compileRegexp(source, p.in[start:p.i])
	if err != nil {
		return nil, p.fault("%s", err)
	}
	return constant(js{kind: jsRegexp, re: re, s: source}), nil
}
