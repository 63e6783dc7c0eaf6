package route

import (
	"slices"
	"strings"
)

// A site is the base paths of one host. Find tries the beginnings of a path that
// end where a segment ends, the longest first, and only those with as many
// segments as some base path has: mostly one or two.
type site[A any] struct {
	apis table[A]
	deep []int32 // how many base paths have that many segments; the last is not zero
}

// find returns the API of the longest base path that path begins with.
func (s *site[A]) find(path string) (api *A, size int) {
	depth, end := 0, 0
	for ; depth < len(s.deep)-1 && end < len(path); depth++ {
		for end++; end < len(path) && path[end] != '/'; end++ {
		}
	}
	for ; ; depth-- {
		if s.deep[depth] > 0 {
			if api = s.apis.get(path[:end]); api != nil {
				return api, end
			}
		}
		if depth == 0 {
			return nil, 0
		}
		end = max(0, strings.LastIndexByte(path[:end], '/'))
	}
}

// with returns a site in which api stands at path, or nothing when api is nil;
// nil when nothing is left. s may be nil.
func (s *site[A]) with(path string, api *A) *site[A] {
	if s == nil {
		s = new(site[A])
	}
	n := &site[A]{apis: s.apis.with(path, api), deep: slices.Clone(s.deep)}
	if n.apis.size == 0 {
		return nil
	}
	depth := strings.Count(path, "/")
	for len(n.deep) <= depth {
		n.deep = append(n.deep, 0)
	}
	n.deep[depth] += int32(n.apis.size - s.apis.size)
	for n.deep[len(n.deep)-1] == 0 {
		n.deep = n.deep[:len(n.deep)-1]
	}
	return n
}
