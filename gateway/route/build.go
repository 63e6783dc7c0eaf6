package route

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// A node is one of a tree that is being built.
type node struct {
	kids map[string]*node // literal children
	pats []pattern
	any  *node // a parameter on its own
	rest *node // "{rest+}"; has only leaves
	leaf []leaf
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

// NewTree builds the tree of ops. Two operations that no request could tell
// apart are an error that names both.
func NewTree(ops []Op) (*Tree, error) {
	var root node
	for i, o := range ops {
		segs, err := parse(o.Path)
		if err != nil {
			return nil, err
		}
		n, names := &root, []string(nil)
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
	w := writer{words: map[string]int{}}
	w.write(&root)
	return &Tree{code: code(w.out), lits: slices.Clip(w.lits)}, nil
}

func (n *node) child(s *segment) *node {
	switch {
	case s.rest:
		return use(&n.rest)
	case s.lits == nil:
		kid := n.kids[s.text]
		if kid == nil {
			if n.kids == nil {
				n.kids = make(map[string]*node)
			}
			kid = new(node)
			n.kids[s.text] = kid
		}
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

// A writer turns nodes into code.
type writer struct {
	out   []byte
	lits  [][]string
	words map[string]int // where methods and names are in out
}

func (w *writer) set(at, v int) { binary.LittleEndian.PutUint32(w.out[at:], uint32(v)) }

// add writes text and returns where it is.
func (w *writer) add(text string) int {
	at := len(w.out)
	w.out = append(w.out, text...)
	return at
}

// word has the place and the length of text written at some place; text itself is
// written once.
func (w *writer) word(at int, text string) {
	place, ok := w.words[text]
	if !ok {
		place = w.add(text)
		w.words[text] = place
	}
	w.set(at, place)
	w.set(at+4, len(text))
}

// write writes n, what is below it behind it, and returns where it is.
func (w *writer) write(n *node) (at int) {
	texts := slices.Sorted(maps.Keys(n.kids))
	at = len(w.out)
	w.out = append(w.out, make([]byte, nodeSize+len(texts)*edgeSize+len(n.pats)*patternSize+len(n.leaf)*leafSize)...)
	w.set(at+nodeEdges, len(texts))
	w.set(at+nodePatterns, len(n.pats))
	w.set(at+nodeLeaves, len(n.leaf))
	edges := at + nodeSize
	pats := edges + len(texts)*edgeSize
	leaves := pats + len(n.pats)*patternSize
	for i, text := range texts {
		w.set(edges+i*edgeSize, w.add(text))
		w.set(edges+i*edgeSize+4, len(text))
	}
	for i := range n.leaf {
		w.leaf(leaves+i*leafSize, &n.leaf[i])
	}
	for i, text := range texts {
		w.set(edges+i*edgeSize+edgeChild, w.write(n.kids[text]))
	}
	for i, p := range n.pats {
		w.set(pats+i*patternSize, len(w.lits))
		w.lits = append(w.lits, p.lits)
		w.set(pats+i*patternSize+4, w.write(p.down))
	}
	if n.any != nil {
		w.set(at+nodeAny, w.write(n.any))
	}
	if n.rest != nil {
		w.set(at+nodeRest, w.write(n.rest))
	}
	return at
}

func (w *writer) leaf(at int, l *leaf) {
	w.word(at+leafMethod, l.method)
	w.set(at+leafOp, l.op)
	names := len(w.out)
	w.set(at+leafNames, names)
	w.out = append(w.out, make([]byte, len(l.names)*nameSize)...)
	for i, name := range l.names {
		w.word(names+i*nameSize, name)
	}
}
