package lint

import (
	"strconv"
	"strings"
)

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
		quote := "'"
		if isIndex(p) {
			quote = ""
		}
		b.WriteString("[")
		b.WriteString(quote)
		b.WriteString(p)
		b.WriteString(quote)
		b.WriteString("]")
	}
	return b.String()
}

// isIndex reports whether a step of a path is a number. Nearly none is, and their
// first letter tells without an error that has to be made.
func isIndex(p string) bool {
	if p == "" || p[0] > '9' {
		return false
	}
	_, err := strconv.Atoi(p)
	return err == nil
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
