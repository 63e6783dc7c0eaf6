package route

import "strings"

// An Index finds the API that a request is for by host and base path. It is
// never changed: Insert and Remove return a new index that shares everything
// but the nodes on the way, so that one API among ten thousand is swapped in
// microseconds while requests go on reading the index they began with. The
// zero value is empty. A is what stands for an API to the caller.
type Index[A any] struct {
	exact trie[*base[A]] // by host
	wild  trie[*base[A]] // by what follows "*" in "*.example.com"
	any   *base[A]       // every host
}

// A base is a node of the tree of base paths, one level a segment.
type base[A any] struct {
	kids trie[*base[A]]
	api  *A
}

// Any is the host of an API that answers on every host.
const Any = ""

// Find returns the API with the most specific host and, there, the longest
// base path that path begins with at the border of a segment; size is the
// length of that base path. An exact host comes before a wildcard, a longer
// wildcard before a shorter one. host is in lower case without a port, path is
// normalized.
func (x *Index[A]) Find(host, path string) (api *A, size int) {
	if site, ok := x.exact.get(host); ok {
		if api, size = site.find(path); api != nil {
			return api, size
		}
	}
	if x.wild.size > 0 {
		for i := 1; i < len(host); i++ { // "*" stands for one character or more
			if host[i] != '.' {
				continue
			}
			if site, ok := x.wild.get(host[i:]); ok {
				if api, size = site.find(path); api != nil {
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

func (b *base[A]) find(path string) (api *A, size int) {
	api = b.api
	for at := 0; at < len(path) && b.kids.size > 0; {
		end := at + 1
		for end < len(path) && path[end] != '/' {
			end++
		}
		kid, ok := b.kids.get(path[at+1 : end])
		if !ok {
			break
		}
		b, at = kid, end
		if b.api != nil {
			api, size = b.api, end
		}
	}
	return api, size
}

// At returns the API that owns exactly this host and base path, or nil.
func (x *Index[A]) At(host, path string) *A {
	b := x.site(host)
	for rest := path; b != nil && rest != ""; {
		var seg string
		seg, rest = cut(rest)
		b, _ = b.kids.get(seg)
	}
	if b == nil {
		return nil
	}
	return b.api
}

// Insert returns an index in which api owns path on host, in place of whoever
// owned it. A host is exact, "*.example.com", or Any; path is a base path
// without a slash at its end, "" for the root.
func (x *Index[A]) Insert(host, path string, api *A) *Index[A] {
	return x.with(host, x.site(host).set(path, api))
}

// Remove returns an index in which nobody owns path on host.
func (x *Index[A]) Remove(host, path string) *Index[A] {
	return x.with(host, x.site(host).set(path, nil))
}

func (x *Index[A]) site(host string) *base[A] {
	if host == Any {
		return x.any
	}
	hosts := x.exact
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		hosts, host = x.wild, suffix
	}
	b, _ := hosts.get(host)
	return b
}

func (x *Index[A]) with(host string, b *base[A]) *Index[A] {
	n := *x
	if host == Any {
		n.any = b
		return &n
	}
	hosts := &n.exact
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		hosts, host = &n.wild, suffix
	}
	if b == nil {
		*hosts = hosts.del(host)
	} else {
		*hosts = hosts.set(host, b)
	}
	return &n
}

// set returns a copy of the node with api at path below it, or nil when
// nothing is left; the receiver may be nil.
func (b *base[A]) set(path string, api *A) *base[A] {
	var n base[A]
	if b != nil {
		n = *b
	}
	if path == "" {
		n.api = api
	} else {
		seg, rest := cut(path)
		kid, _ := n.kids.get(seg)
		if kid = kid.set(rest, api); kid != nil {
			n.kids = n.kids.set(seg, kid)
		} else {
			n.kids = n.kids.del(seg)
		}
	}
	if n.api == nil && n.kids.size == 0 {
		return nil
	}
	return &n
}

// cut splits "/a/b" into "a" and "/b".
func cut(path string) (seg, rest string) {
	if i := strings.IndexByte(path[1:], '/'); i >= 0 {
		return path[1 : 1+i], path[1+i:]
	}
	return path[1:], ""
}
