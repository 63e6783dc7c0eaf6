package lint

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

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
