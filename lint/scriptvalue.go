package lint

import (
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
