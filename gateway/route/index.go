package route

import "strings"

// An Index finds the API that a request is for by host and base path. It is
// never changed: Insert and Remove return a new index that shares all but the
// part of a host's base paths that is touched, so that one API among ten
// thousand is swapped in microseconds while requests go on reading the index they
// began with. The zero value is empty. A is what stands for an API to the caller.
type Index[A any] struct {
	exact trie[*site[A]] // by host
	wild  trie[*site[A]] // by what follows "*" in "*.example.com"
	any   *site[A]       // every host
}

// Any is the host of an API that answers on every host.
const Any = ""

// Find returns the API with the most specific host and, there, the longest
// base path that path begins with at the border of a segment; size is the
// length of that base path. An exact host comes before a wildcard, a longer
// wildcard before a shorter one. host is in lower case without a port, path is
// normalized.
func (x *Index[A]) Find(host, path string) (api *A, size int) {
	if s, ok := x.exact.get(host); ok {
		if api, size = s.find(path); api != nil {
			return api, size
		}
	}
	if x.wild.size > 0 {
		for i := 1; i < len(host); i++ { // "*" stands for one character or more
			if host[i] != '.' {
				continue
			}
			if s, ok := x.wild.get(host[i:]); ok {
				if api, size = s.find(path); api != nil {
					return api, size
				}
			}
		}
	}
	if x.any != nil {
		return x.any.find(path)
	}
	return nil, 0
}

// At returns the API that owns exactly this host and base path, or nil.
func (x *Index[A]) At(host, path string) *A {
	if s := x.site(host); s != nil {
		return s.apis.get(path)
	}
	return nil
}

// Insert returns an index in which api owns path on host, in place of whoever
// owned it. A host is exact, "*.example.com", or Any; path is a base path
// without a slash at its end, "" for the root.
func (x *Index[A]) Insert(host, path string, api *A) *Index[A] {
	return x.with(host, x.site(host).with(path, api))
}

// Remove returns an index in which nobody owns path on host.
func (x *Index[A]) Remove(host, path string) *Index[A] {
	return x.with(host, x.site(host).with(path, nil))
}

func (x *Index[A]) site(host string) *site[A] {
	if host == Any {
		return x.any
	}
	hosts := x.exact
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		hosts, host = x.wild, suffix
	}
	s, _ := hosts.get(host)
	return s
}

func (x *Index[A]) with(host string, s *site[A]) *Index[A] {
	n := *x
	if host == Any {
		n.any = s
		return &n
	}
	hosts := &n.exact
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		hosts, host = &n.wild, suffix
	}
	if s == nil {
		*hosts = hosts.del(host)
	} else {
		*hosts = hosts.set(host, s)
	}
	return &n
}
