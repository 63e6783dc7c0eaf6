package lint

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"gatehouse/yamlx"
)

// A kind is what a value is, in the terms of JSON.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

// A value is a place in a document. Values are made once and only read then,
// except for target, which is set while references are resolved.
type value struct {
	id      int32 // among the values of the document, from 1; 0 for one made later
	kind    kind
	truth   bool
	num     float64
	str     string
	keys    []string // of an object
	items   []*value // of an object or list
	index   map[string]int
	parent  *value
	key     string      // in the parent; the index, in a list
	at      *yamlx.Node // of the value
	keyAt   *yamlx.Node // of its key, nil in lists
	target  *value      // where the reference here leads, if this is one that was resolved
	refTo   []string    // the path of target as the reference writes it
	refFile string      // the file it leads into
}

// indexFrom is how many keys an object has before a map finds them faster
// than looking.
const indexFrom = 9

// get is the member of an object or list, or nil.
func (v *value) get(key string) *value {
	if v == nil {
		return nil
	}
	switch v.kind {
	case object:
		if v.index != nil {
			if i, ok := v.index[key]; ok {
				return v.items[i]
			}
			return nil
		}
		for i, k := range v.keys {
			if k == key {
				return v.items[i]
			}
		}
	case list:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v.items) && strconv.Itoa(i) == key {
			return v.items[i]
		}
	}
	return nil
}

func (v *value) has(key string) bool { return v.get(key) != nil }

// member is get with references followed.
func (v *value) member(key string) *value { return v.get(key).follow() }

// maxFollow bounds a chain of references.
const maxFollow = 100

// follow is what a value stands for once references are resolved.
func (v *value) follow() *value {
	for range maxFollow {
		if v == nil || v.target == nil {
			return v
		}
		v = v.target
	}
	return v
}

func (v *value) is(k kind) bool { return v != nil && v.kind == k }

func (v *value) container() bool { return v != nil && v.kind >= list }

// ref is the text of a reference object.
func (v *value) ref() (string, bool) {
	if v.is(object) {
		if r := v.get("$ref"); r.is(text) {
			return r.str, true
		}
	}
	return "", false
}

// path leads from the root to a value.
func (v *value) path() []string {
	var p []string
	for ; v.parent != nil; v = v.parent {
		p = append(p, v.key)
	}
	slices.Reverse(p)
	return p
}

// truthy is what JavaScript takes for true, as Spectral's functions do.
func (v *value) truthy() bool {
	switch {
	case v == nil:
		return false
	case v.kind == boolean:
		return v.truth
	case v.kind == number:
		return v.num != 0 && !math.IsNaN(v.num)
	case v.kind == text:
		return v.str != ""
	}
	return v.kind != null
}

// integer reports whether v is a whole number.
func (v *value) integer() bool { return v.is(number) && v.num == math.Trunc(v.num) }

// equal compares by content, references followed if resolved.
func (v *value) equal(w *value, resolved bool, depth int) bool {
	if resolved {
		v, w = v.follow(), w.follow()
	}
	if v == w {
		return true
	}
	if v == nil || w == nil || v.kind != w.kind || depth > maxDepth {
		return false
	}
	switch v.kind {
	case boolean:
		return v.truth == w.truth
	case number:
		return v.num == w.num
	case text:
		return v.str == w.str
	case list:
		return slices.EqualFunc(v.items, w.items, func(a, b *value) bool { return a.equal(b, resolved, depth+1) })
	case object:
		if len(v.keys) != len(w.keys) {
			return false
		}
		for i, k := range v.keys {
			if o := w.get(k); o == nil || !v.items[i].equal(o, resolved, depth+1) {
				return false
			}
		}
	}
	return true
}

// maxDepth bounds how deep values are compared and printed; documents nest
// less deeply, but resolved references may make more of them.
const maxDepth = 500

// show prints a value for a message: scalars as JSON, the rest by its kind.
func (v *value) show() string {
	switch {
	case v == nil:
		return "undefined"
	case v.kind == list:
		return "Array[]"
	case v.kind == object:
		return "Object{}"
	case v.kind == text:
		b, _ := json.Marshal(v.str)
		return string(b)
	}
	return v.plain()
}

// plain is the text of a value as a template shows it.
func (v *value) plain() string {
	switch {
	case v == nil:
		return "undefined"
	case v.kind == null:
		return "null"
	case v.kind == boolean:
		return strconv.FormatBool(v.truth)
	case v.kind == number:
		return formatNumber(v.num)
	case v.kind == text:
		return v.str
	case v.kind == list:
		return "Array[]"
	}
	return "Object{}"
}

// formatNumber writes a number as JavaScript does: no point where none is needed.
func formatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		if f > 0 {
			return "Infinity"
		}
		return "-Infinity"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
