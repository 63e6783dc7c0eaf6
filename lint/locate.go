package lint

import (
	"slices"
	"strings"
)

// locate says where in the file a place of the resolved document stands: a
// path through references leads to what they refer to. A reference with other
// keys beside it is a place of its own.
func (d *Document) locate(path []string, resolved bool) []string {
	if !resolved {
		return d.closest(path)
	}
	near := d.closestResolved(path)
	crossed, whole := d.crosses(near)
	switch {
	case !whole:
		return near
	case !crossed:
		return d.closest(path)
	}
	at, v := []string{}, d.root
	for _, p := range path {
		at = append(at, escapeOdd(p))
		v = v.get(p)
		for range maxFollow {
			if v == nil || v.refTo == nil {
				break
			}
			at = at[:0]
			for _, s := range v.refTo {
				at = append(at, escapeOdd(s))
			}
			v = d.lookup(v.refTo)
		}
	}
	return d.closest(at)
}

// crosses reports whether the path leads through a reference; whole is false
// for one that leaves the unresolved document otherwise.
func (d *Document) crosses(path []string) (crossed, whole bool) {
	v := d.root
	for _, p := range path {
		if !v.container() {
			return false, false
		}
		if c := v.get(p); c != nil {
			v = c
			continue
		}
		_, isRef := v.ref()
		return isRef, isRef
	}
	_, isRef := v.ref()
	return isRef && len(v.keys) == 1, true
}

func (d *Document) lookup(path []string) *value {
	v := d.root
	for _, p := range path {
		if v = v.get(p); v == nil {
			return nil
		}
	}
	return v
}

// closest is the part of a path that exists in the file.
func (d *Document) closest(path []string) []string {
	v := d.root
	for i, p := range path {
		if v = v.get(p); v == nil {
			return slices.Clone(path[:i])
		}
	}
	return slices.Clone(path)
}

func (d *Document) closestResolved(path []string) []string {
	v := d.root.follow()
	for i, p := range path {
		if v = v.get(p).follow(); v == nil {
			return slices.Clone(path[:i])
		}
	}
	return slices.Clone(path)
}

// oddLetters are those that Spectral percent-encodes in the pointers it keeps
// of references, and does not decode again.
const oddLetters = " \"#$%&+,:;<=>?@[\\]^`{|}"

// escapeOdd marks a key that Spectral does not find again behind a reference:
// the finding is then told at what stands around it.
func escapeOdd(key string) string {
	odd := strings.ContainsAny(key, oddLetters)
	for i := 0; i < len(key) && !odd; i++ {
		odd = key[i] >= 0x80
	}
	if odd {
		return "\x00" + key
	}
	return key
}
