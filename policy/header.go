package policy

import "strings"

// A Header is a list of fields in the order they came. Names compare without
// regard to case (RFC 9110 §5.1). The zero value is an empty header.
type Header []Field

// A Field is one header field line.
type Field struct{ Name, Value string }

// Get returns the first value of name, or "".
func (h Header) Get(name string) string {
	for i := range h {
		if EqualName(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Count tells how many lines name has.
func (h Header) Count(name string) int {
	n := 0
	for i := range h {
		if EqualName(h[i].Name, name) {
			n++
		}
	}
	return n
}

// Values returns every value of name, in order.
func (h Header) Values(name string) []string {
	var v []string
	for i := range h {
		if EqualName(h[i].Name, name) {
			v = append(v, h[i].Value)
		}
	}
	return v
}

// Set makes value the only line of name.
func (h *Header) Set(name, value string) {
	for i := range *h {
		if EqualName((*h)[i].Name, name) {
			(*h)[i].Value = value
			rest := (*h)[i+1:]
			rest.Del(name)
			*h = (*h)[:i+1+len(rest)]
			return
		}
	}
	h.Add(name, value)
}

// Add appends a line.
func (h *Header) Add(name, value string) { *h = append(*h, Field{name, value}) }

// Del removes every line of name.
func (h *Header) Del(name string) {
	kept := (*h)[:0]
	for _, f := range *h {
		if !EqualName(f.Name, name) {
			kept = append(kept, f)
		}
	}
	clear((*h)[len(kept):])
	*h = kept
}

// EqualName compares field names; both are ASCII.
func EqualName(a, b string) bool {
	return len(a) == len(b) && (a == b || strings.EqualFold(a, b))
}
