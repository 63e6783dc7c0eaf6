package lint

import (
	"slices"
	"strings"
)

// locate says in which file, and where in it, a place of the resolved document
// stands: a path through references leads to what they refer to. A reference
// with other keys beside it is a place of its own.
func (d *Document) locate(path []string, resolved bool) (file string, at []string) {
	if !resolved {
		return d.name, d.closest(path)
	}
	near := d.closestResolved(path)
	crossed, whole := d.crosses(near)
	switch {
	case !whole:
		return d.name, near
	case !crossed:
		return d.name, d.closest(path)
	}
	file, at = d.name, []string{}
	v := d.root
	for _, p := range path {
		at = append(at, escapeOdd(p))
		v = v.get(p)
		for range maxFollow {
			if v == nil || v.refFile == "" {
				break
			}
			at, file = at[:0], v.refFile
			for _, s := range v.refTo {
				at = append(at, escapeOdd(s))
			}
			v = lookup(d.files[file], v.refTo)
		}
	}
	return file, closest(d.files[file], at)
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

func (d *Document) lookup(path []string) *value { return lookup(d.root, path) }

func lookup(v *value, path []string) *value {
	for _, p := range path {
		if v = v.get(p); v == nil {
			return nil
		}
	}
	return v
}

// closest is the part of a path that exists in the file.
func (d *Document) closest(path []string) []string { return closest(d.root, path) }

func closest(v *value, path []string) []string {
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
	for i := range len(key) {
		if isOdd[key[i]] {
			return "\x00" + key
		}
	}
	return key
}

// isOdd tells the odd letters, and all that is not ASCII.
var isOdd = func() (odd [256]bool) {
	for i := range odd {
		odd[i] = i >= 0x80 || strings.IndexByte(oddLetters, byte(i)) >= 0
	}
	return odd
}()
