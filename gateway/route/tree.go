package route

import (
	"fmt"
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
type Tree struct{ root node }

type node struct {
	few  []edge           // literal children; when there are many, they are in many
	many map[string]*node // instead
	pats []pattern
	any  *node // a parameter on its own
	rest *node // "{rest+}"; has only leaves
	leaf []leaf
}

type edge struct {
	text string
	down *node
}

type pattern struct {
	lits []string
	down *node
}

// A leaf is an operation; names are those of its template's parameters.
type leaf struct {
	method string
	op     int
	names  []string
}

// few is how many literal children are searched one by one.
const few = 12

// NewTree builds the tree of ops. Two operations that no request could tell
// apart are an error that names both.
func NewTree(ops []Op) (*Tree, error) {
	t := new(Tree)
	for i, o := range ops {
		segs, err := parse(o.Path)
		if err != nil {
			return nil, err
		}
		n, names := &t.root, []string(nil)
		for j := range segs {
			n = n.child(&segs[j])
			names = append(names, segs[j].names...)
		}
		for _, l := range n.leaf {
			if l.method == o.Method {
				return nil, fmt.Errorf("%s %s and %s %s are one route", o.Method, ops[l.op].Path, o.Method, o.Path)
			}
		}
		n.leaf = append(n.leaf, leaf{method: o.Method, op: i, names: names})
	}
	t.root.settle()
	return t, nil
}

func (n *node) child(s *segment) *node {
	switch {
	case s.rest:
		return use(&n.rest)
	case s.lits == nil:
		for i := range n.few {
			if n.few[i].text == s.text {
				return n.few[i].down
			}
		}
		if kid := n.many[s.text]; kid != nil {
			return kid
		}
		kid := new(node)
		if n.many == nil && len(n.few) < few {
			n.few = append(n.few, edge{s.text, kid})
			return kid
		}
		if n.many == nil {
			n.many = make(map[string]*node)
			for _, e := range n.few {
				n.many[e.text] = e.down
			}
			n.few = nil
		}
		n.many[s.text] = kid
		return kid
	case s.bare():
		return use(&n.any)
	}
	for i := range n.pats {
		if slices.Equal(n.pats[i].lits, s.lits) {
			return n.pats[i].down
		}
	}
	p := pattern{lits: s.lits, down: new(node)}
	at := 0
	for at < len(n.pats) && (&segment{lits: n.pats[at].lits}).weight() >= s.weight() {
		at++
	}
	n.pats = slices.Insert(n.pats, at, p)
	return p.down
}

func use(n **node) *node {
	if *n == nil {
		*n = new(node)
	}
	return *n
}

// settle gives back the room that growing slices left.
func (n *node) settle() {
	n.few, n.pats, n.leaf = slices.Clip(n.few), slices.Clip(n.pats), slices.Clip(n.leaf)
	for _, e := range n.few {
		e.down.settle()
	}
	for _, kid := range n.many {
		kid.settle()
	}
	for _, p := range n.pats {
		p.down.settle()
	}
	for _, kid := range []*node{n.any, n.rest} {
		if kid != nil {
			kid.settle()
		}
	}
}

// Match finds the operation for method on path, the part of the normalized
// path behind the base. It appends the values of the template's parameters,
// still encoded, to params and returns them with the index of the operation,
// or -1 and params unchanged when there is none. It does not allocate unless
// params must grow. Methods compare exactly; HEAD is not GET here.
func (t *Tree) Match(method, path string, params []policy.Param) (int, []policy.Param) {
	w := walk{method: method, params: params}
	l := w.find(&t.root, path)
	if l == nil {
		return -1, params
	}
	values := w.params[len(params):]
	for i := range values {
		values[i].Name = l.names[i]
	}
	return l.op, w.params
}

// Allow lists the methods that path has, sorted, or nothing when no template
// matches it.
func (t *Tree) Allow(path string) []string {
	w := walk{every: true}
	w.find(&t.root, path)
	slices.Sort(w.seen)
	return slices.Compact(w.seen)
}

// A walk is one search through a tree. Each node is visited at most once, so
// its cost is bounded by the size of the tree whatever the path.
type walk struct {
	method string
	params []policy.Param
	every  bool     // go on to the end, collecting methods in seen
	seen   []string // methods
}

// find searches below n for rest, which is "" at the end or begins with a slash.
func (w *walk) find(n *node, rest string) *leaf {
	if rest == "" {
		return w.end(n)
	}
	end := 1
	for end < len(rest) && rest[end] != '/' {
		end++
	}
	seg, tail := rest[1:end], rest[end:]
	for i := range n.few {
		if n.few[i].text == seg {
			if l := w.find(n.few[i].down, tail); l != nil {
				return l
			}
			break
		}
	}
	if n.many != nil {
		if kid := n.many[seg]; kid != nil {
			if l := w.find(kid, tail); l != nil {
				return l
			}
		}
	}
	mark := len(w.params)
	for i := range n.pats {
		if w.pattern(n.pats[i].lits, seg) {
			if l := w.find(n.pats[i].down, tail); l != nil {
				return l
			}
		}
		w.params = w.params[:mark]
	}
	if n.any != nil && seg != "" {
		w.params = append(w.params, policy.Param{Value: seg})
		if l := w.find(n.any, tail); l != nil {
			return l
		}
		w.params = w.params[:mark]
	}
	if n.rest != nil && len(rest) > 1 {
		w.params = append(w.params, policy.Param{Value: rest[1:]})
		if l := w.end(n.rest); l != nil {
			return l
		}
		w.params = w.params[:mark]
	}
	return nil
}

func (w *walk) end(n *node) *leaf {
	for i := range n.leaf {
		if w.every {
			w.seen = append(w.seen, n.leaf[i].method)
		} else if n.leaf[i].method == w.method {
			return &n.leaf[i]
		}
	}
	return nil
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
