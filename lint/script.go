package lint

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A jsKind is what a value of a filter expression is.
type jsKind uint8

const (
	jsUndefined jsKind = iota
	jsNull
	jsBool
	jsNumber
	jsString
	jsValue  // an object or list of the document
	jsRegexp // a literal
	jsList   // of values of expressions
	jsType   // "constructor", which has a name
)

// js is a value of a filter expression.
type js struct {
	kind jsKind
	b    bool
	n    float64
	s    string
	v    *value
	re   *regexp.Regexp
	list []js
}

var undefined = js{}

func jsBoolean(b bool) js    { return js{kind: jsBool, b: b} }
func jsText(s string) js     { return js{kind: jsString, s: s} }
func jsNum(n float64) js     { return js{kind: jsNumber, n: n} }
func (x js) isNullish() bool { return x.kind <= jsNull }

// fromValue turns a value of the document into one of an expression.
func fromValue(v *value) js {
	switch {
	case v == nil:
		return undefined
	case v.kind == null:
		return js{kind: jsNull}
	case v.kind == boolean:
		return jsBoolean(v.truth)
	case v.kind == number:
		return jsNum(v.num)
	case v.kind == text:
		return jsText(v.str)
	}
	return js{kind: jsValue, v: v}
}

func (x js) truthy() bool {
	switch x.kind {
	case jsUndefined, jsNull:
		return false
	case jsBool:
		return x.b
	case jsNumber:
		return x.n != 0 && !math.IsNaN(x.n)
	case jsString:
		return x.s != ""
	}
	return true
}

func (x js) typeof() string {
	switch x.kind {
	case jsUndefined:
		return "undefined"
	case jsBool:
		return "boolean"
	case jsNumber:
		return "number"
	case jsString:
		return "string"
	case jsType:
		return "function"
	}
	return "object"
}

// text is x as JavaScript joins it to text.
func (x js) text() string {
	switch x.kind {
	case jsUndefined:
		return "undefined"
	case jsNull:
		return "null"
	case jsBool:
		return strconv.FormatBool(x.b)
	case jsNumber:
		return formatNumber(x.n)
	case jsString:
		return x.s
	case jsRegexp:
		return "/" + x.s + "/"
	case jsValue:
		if x.v.kind == list {
			parts := make([]string, 0, min(len(x.v.items), 100))
			for _, e := range x.v.items[:min(len(x.v.items), 100)] {
				if e.is(null) {
					parts = append(parts, "")
				} else {
					parts = append(parts, e.plain())
				}
			}
			return strings.Join(parts, ",")
		}
	case jsList:
		parts := make([]string, len(x.list))
		for i, e := range x.list {
			parts[i] = e.text()
		}
		return strings.Join(parts, ",")
	}
	return "[object Object]"
}

func (x js) toNumber() float64 {
	switch x.kind {
	case jsNull:
		return 0
	case jsBool:
		if x.b {
			return 1
		}
		return 0
	case jsNumber:
		return x.n
	case jsString:
		s := strings.TrimSpace(x.s)
		if s == "" {
			return 0
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "_pPxX") {
			return f
		}
	}
	return math.NaN()
}

func strictEqual(a, b js) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case jsBool:
		return a.b == b.b
	case jsNumber:
		return a.n == b.n
	case jsString, jsType:
		return a.s == b.s
	case jsValue:
		return a.v == b.v
	case jsRegexp, jsList:
		return false
	}
	return true
}

func looseEqual(a, b js) bool {
	if a.isNullish() || b.isNullish() {
		return a.isNullish() && b.isNullish()
	}
	if a.kind == b.kind {
		return strictEqual(a, b)
	}
	if a.kind == jsValue || b.kind == jsValue {
		return a.text() == b.text()
	}
	return a.toNumber() == b.toNumber()
}

// An env is what an expression is evaluated for: a place in the document.
type env struct {
	root     *value
	value    *value // nil for a key that is not there
	path     []string
	index    bool   // the last of path is an index
	parent   *value // of value
	resolved bool
}

func (e *env) child(v *value) *value {
	if e.resolved {
		return v.follow()
	}
	return v
}

// property is "@property": the key, a number for an index.
func (e *env) property(up int) js {
	i := len(e.path) - 1 - up
	if i < 0 {
		return js{kind: jsNull}
	}
	if k := e.path[i]; (up > 0 || e.index) && k != "" && k[0] >= '0' && k[0] <= '9' {
		if n, err := strconv.Atoi(k); err == nil {
			return jsNum(float64(n))
		}
	}
	return jsText(e.path[i])
}

// pathText is "@path", as in $['paths']['/pets'].
func (e *env) pathText() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, p := range e.path {
		if _, err := strconv.Atoi(p); err == nil {
			fmt.Fprintf(&b, "[%s]", p)
		} else {
			fmt.Fprintf(&b, "['%s']", p)
		}
	}
	return b.String()
}

// member is x.name or x[name]; asking undefined or null for one fails, as it
// does in JavaScript, and makes the whole filter false.
func (e *env) member(x js, name string) (js, bool) {
	switch x.kind {
	case jsUndefined, jsNull:
		return undefined, false
	case jsValue:
		if c := x.v.get(name); c != nil {
			return fromValue(e.child(c)), true
		}
		if name == "length" && x.v.kind == list {
			return jsNum(float64(len(x.v.items))), true
		}
	case jsString:
		if name == "length" {
			return jsNum(float64(utf16Length(x.s))), true
		}
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(x.s) {
			return jsText(x.s[i : i+1]), true
		}
	case jsList:
		if name == "length" {
			return jsNum(float64(len(x.list))), true
		}
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(x.list) {
			return x.list[i], true
		}
	case jsType:
		if name == "name" {
			return jsText(x.s), true
		}
	}
	if name == "constructor" {
		return js{kind: jsType, s: x.typeName()}, true
	}
	return undefined, true
}

func (x js) typeName() string {
	switch x.kind {
	case jsBool:
		return "Boolean"
	case jsNumber:
		return "Number"
	case jsString:
		return "String"
	case jsRegexp:
		return "RegExp"
	case jsList:
		return "Array"
	case jsValue:
		if x.v.kind == list {
			return "Array"
		}
	}
	return "Object"
}

func utf16Length(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xffff {
			n++
		}
	}
	return n
}

// jsMethods are the methods an expression may call.
var jsMethods = map[string]func(x js, args []js) (js, bool){
	"match": func(x js, args []js) (js, bool) {
		re, ok := regexpOf(args)
		if !ok || x.isNullish() {
			return undefined, false
		}
		m := re.FindStringSubmatch(x.text())
		if m == nil {
			return js{kind: jsNull}, true
		}
		l := js{kind: jsList}
		for _, s := range m {
			l.list = append(l.list, jsText(s))
		}
		return l, true
	},
	"test": func(x js, args []js) (js, bool) {
		if x.kind != jsRegexp || len(args) == 0 {
			return undefined, false
		}
		return jsBoolean(x.re.MatchString(args[0].text())), true
	},
	"search": func(x js, args []js) (js, bool) {
		re, ok := regexpOf(args)
		if !ok || x.kind != jsString {
			return undefined, false
		}
		if at := re.FindStringIndex(x.s); at != nil {
			return jsNum(float64(utf16Length(x.s[:at[0]]))), true
		}
		return jsNum(-1), true
	},
	"includes":    func(x js, args []js) (js, bool) { i, ok := indexOf(x, args); return jsBoolean(i >= 0), ok },
	"indexOf":     func(x js, args []js) (js, bool) { i, ok := indexOf(x, args); return jsNum(float64(i)), ok },
	"startsWith":  onText(func(s string, args []js) js { return jsBoolean(strings.HasPrefix(s, first(args).text())) }),
	"endsWith":    onText(func(s string, args []js) js { return jsBoolean(strings.HasSuffix(s, first(args).text())) }),
	"toLowerCase": onText(func(s string, _ []js) js { return jsText(strings.ToLower(s)) }),
	"toUpperCase": onText(func(s string, _ []js) js { return jsText(strings.ToUpper(s)) }),
	"trim":        onText(func(s string, _ []js) js { return jsText(strings.TrimSpace(s)) }),
	"toString":    func(x js, _ []js) (js, bool) { return jsText(x.text()), !x.isNullish() },
	"slice":       onText(sliceText),
	"substring":   onText(sliceText),
	"hasOwnProperty": func(x js, args []js) (js, bool) {
		return jsBoolean(x.kind == jsValue && len(args) > 0 && x.v.has(args[0].text())), !x.isNullish()
	},
}

func first(args []js) js {
	if len(args) == 0 {
		return undefined
	}
	return args[0]
}

func onText(f func(s string, args []js) js) func(x js, args []js) (js, bool) {
	return func(x js, args []js) (js, bool) {
		if x.kind != jsString {
			return undefined, false
		}
		return f(x.s, args), true
	}
}

func sliceText(s string, args []js) js {
	r := []rune(s)
	at := func(i, otherwise int) int {
		if i >= len(args) || args[i].kind != jsNumber {
			return otherwise
		}
		n := int(max(-1e6, min(1e6, args[i].n)))
		if n < 0 {
			n += len(r)
		}
		return max(0, min(n, len(r)))
	}
	from, to := at(0, 0), at(1, len(r))
	if from >= to {
		return jsText("")
	}
	return jsText(string(r[from:to]))
}

func regexpOf(args []js) (*regexp.Regexp, bool) {
	switch x := first(args); x.kind {
	case jsRegexp:
		return x.re, true
	case jsString:
		re, err := compileRegexp(x.s, "")
		return re, err == nil
	}
	return nil, false
}

func indexOf(x js, args []js) (int, bool) {
	switch want := first(args); x.kind {
	case jsString:
		return strings.Index(x.s, want.text()), true
	case jsList:
		for i, e := range x.list {
			if strictEqual(e, want) {
				return i, true
			}
		}
		return -1, true
	case jsValue:
		if x.v.kind == list {
			for i, e := range x.v.items {
				if strictEqual(fromValue(e), want) {
					return i, true
				}
			}
			return -1, true
		}
	}
	return -1, false
}
