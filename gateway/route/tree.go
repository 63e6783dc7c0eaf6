package route

import (
	"slices"
	"strings"

	"gatehouse/policy"
)

// An Op is one operation to find: a method on a path template that begins with
// a slash, or "" for the base path itself.
type Op struct{ Method, Path string }

// A Tree finds the operation of one API. It is never changed after NewTree.
// At each segment an exact name comes before a pattern ("{name}.json",
// "{id}:cancel"; the one with more text first), a pattern before a parameter,
// a parameter before "{rest+}". Where the more specific way has no operation
// for the method, the less specific one is tried.
//
// All nodes lie in one piece of memory, a few cache lines for an API of ten
// operations, so that finding one among a hundred thousand waits seldom.
type Tree struct {
	code code
	lits [][]string // of patterns
}

// Match finds the operation for method on path, the part of the normalized
// path behind the base. It appends the values of the template's parameters,
// still encoded, to params and returns them with the index of the operation,
// or -1 and params unchanged when there is none. It does not allocate unless
// params must grow. Methods compare exactly; HEAD is not GET here.
func (t *Tree) Match(method, path string, params []policy.Param) (int, []policy.Param) {
	w := walk{tree: t, method: method, params: params}
	leaf := w.find(0, path)
	if leaf == 0 {
		return -1, params
	}
	name := t.code.num(leaf + leafNames)
	for i := len(params); i < len(w.params); i++ {
		w.params[i].Name = t.code.text(name)
		name += nameSize
	}
	return t.code.num(leaf + leafOp), w.params
}

// Allow lists the methods that path has, sorted, or nothing when no template
// matches it.
func (t *Tree) Allow(path string) []string {
	w := walk{tree: t, every: true}
	w.find(0, path)
	slices.Sort(w.seen)
	return slices.Compact(w.seen)
}

// A walk is one search through a tree. Each node is visited at most once, so
// its cost is bounded by the size of the tree whatever the path.
type walk struct {
	tree   *Tree
	method string
	params []policy.Param
	every  bool     // go on to the end, collecting methods in seen
	seen   []string // methods
}

// find searches below the node at n for rest, which is "" at the end or begins
// with a slash. It returns where the operation's leaf is, or 0.
func (w *walk) find(n int, rest string) (leaf int) {
	if rest == "" {
		return w.end(n)
	}
	end := 1
	for end < len(rest) && rest[end] != '/' {
		end++
	}
	seg, tail, c := rest[1:end], rest[end:], w.tree.code
	if kid := c.edge(n, seg); kid != 0 {
		if leaf = w.find(kid, tail); leaf != 0 {
			return leaf
		}
	}
	mark := len(w.params)
	if at, end := c.patterns(n); at < end {
		for ; at < end; at += patternSize {
			if w.pattern(w.tree.lits[c.num(at)], seg) {
				if leaf = w.find(c.num(at+4), tail); leaf != 0 {
					return leaf
				}
			}
			w.params = w.params[:mark]
		}
	}
	if kid := c.num(n + nodeAny); kid != 0 && seg != "" {
		w.params = append(w.params, policy.Param{Value: seg})
		if leaf = w.find(kid, tail); leaf != 0 {
			return leaf
		}
		w.params = w.params[:mark]
	}
	if kid := c.num(n + nodeRest); kid != 0 && len(rest) > 1 {
		w.params = append(w.params, policy.Param{Value: rest[1:]})
		if leaf = w.end(kid); leaf != 0 {
			return leaf
		}
		w.params = w.params[:mark]
	}
	return 0
}

func (w *walk) end(n int) (leaf int) {
	c := w.tree.code
	for at, end := c.leaves(n); at < end; at += leafSize {
		method := c.text(at + leafMethod)
		if w.every {
			w.seen = append(w.seen, method)
		} else if method == w.method {
			return at
		}
	}
	return 0
}

// pattern matches seg against text and parameters in turn; each parameter
// takes the fewest characters that do, at least one, and the last the rest.
func (w *walk) pattern(lits []string, seg string) bool {
	last := len(lits) - 1
	if !strings.HasPrefix(seg, lits[0]) {
		return false
	}
	seg = seg[len(lits[0]):]
	if !strings.HasSuffix(seg, lits[last]) {
		return false
	}
	seg = seg[:len(seg)-len(lits[last])]
	for _, lit := range lits[1:last] {
		if seg == "" {
			return false
		}
		at := strings.Index(seg[1:], lit)
		if at < 0 {
			return false
		}
		w.params = append(w.params, policy.Param{Value: seg[:1+at]})
		seg = seg[1+at+len(lit):]
	}
	if seg == "" {
		return false
	}
	w.params = append(w.params, policy.Param{Value: seg})
	return true
}
