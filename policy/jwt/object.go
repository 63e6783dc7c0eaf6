package jwt

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var (
	errJSON  = errors.New("are not JSON")
	errTwice = errors.New("have a name twice")
	errMany  = errors.New("have too many values, or nest too deeply")
)

// readObject reads JSON (RFC 8259) that is one object, in UTF-8, with every name
// there once at every depth, and within bounds. Numbers stay as they are written.
// What it accepts and makes of it is what encoding/json does, name by name, in a
// third of the time; a fuzz test holds the two equal.
func readObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("are not UTF-8")
	}
	r := reader{data: data, left: maxMembers}
	r.space()
	if r.peek() != '{' {
		return nil, errors.New("are not one JSON object")
	}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.at != len(data) {
		return nil, errors.New("are not one JSON object")
	}
	return v.(map[string]any), nil
}

// A reader is at a place in a text; left is how many values it may still meet.
type reader struct {
	data []byte
	at   int
	left int
}

// peek is the byte that comes, 0 at the end.
func (r *reader) peek() byte {
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

func (r *reader) space() {
	for r.at < len(r.data) && (r.data[r.at] == ' ' || r.data[r.at] == '\n' || r.data[r.at] == '\t' || r.data[r.at] == '\r') {
		r.at++
	}
}

func (r *reader) value(depth int) (any, error) {
	if r.left--; r.left < 0 || depth > maxDepth {
		return nil, errMany
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return true, r.word("true")
	case c == 'f':
		return false, r.word("false")
	case c == 'n':
		return nil, r.word("null")
	}
	return nil, errJSON
}

func (r *reader) word(w string) error {
	if len(r.data)-r.at < len(w) || string(r.data[r.at:r.at+len(w)]) != w {
		return errJSON
	}
	r.at += len(w)
	return nil
}

func (r *reader) object(depth int) (any, error) {
	m := make(map[string]any, 8)
	for first := true; ; first = false {
		more, err := r.next('}', first)
		if !more {
			return m, err
		}
		if r.peek() != '"' {
			return nil, errJSON
		}
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		if _, twice := m[name]; twice {
			return nil, errTwice
		}
		if r.space(); r.peek() != ':' {
			return nil, errJSON
		}
		r.at++
		r.space()
		if m[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
}

func (r *reader) list(depth int) (any, error) {
	list := []any{}
	for first := true; ; first = false {
		more, err := r.next(']', first)
		if !more {
			return list, err
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// next moves to the next member of a list or object, past what opens it or parts
// it from the one before; false at its end, or with an error.
func (r *reader) next(end byte, first bool) (bool, error) {
	if first {
		r.at++
	}
	r.space()
	switch c := r.peek(); {
	case c == end:
		r.at++
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, errJSON
	}
	r.at++
	r.space()
	return true, nil
}

// text reads a string. One with escapes is left to encoding/json.
func (r *reader) text() (string, error) {
	start, plain := r.at, true
	for r.at++; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			if plain {
				return string(r.data[start+1 : r.at-1]), nil
			}
			var s string
			if json.Unmarshal(r.data[start:r.at], &s) != nil {
				return "", errJSON
			}
			return s, nil
		case c == '\\':
			plain = false
			r.at++
		case c < ' ':
			return "", errJSON
		}
	}
	return "", errJSON
}

// number reads a number as it is written (RFC 8259 §6).
func (r *reader) number() (any, error) {
	start := r.at
	if r.peek() == '-' {
		r.at++
	}
	if r.peek() == '0' {
		r.at++
	} else if !r.digits() {
		return nil, errJSON
	}
	if r.peek() == '.' {
		if r.at++; !r.digits() {
			return nil, errJSON
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.at++
		if c := r.peek(); c == '+' || c == '-' {
			r.at++
		}
		if !r.digits() {
			return nil, errJSON
		}
	}
	return json.Number(r.data[start:r.at]), nil
}

func (r *reader) digits() bool {
	start := r.at
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.at++
	}
	return r.at > start
}
