package lint

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// errTooMuch ends a run that looks at more places than are allowed.
var errTooMuch = errors.New("looks at too many places: the document nests references too often, or the rules are too many")

// A match is a place that a path selects.
type match struct {
	value *value // nil for a key that a "~" stands for: see text
	text  *value // the key, of a path that ends in "~"
	path  []string
	zone  uint8
}

// A walk applies one path to one document. Places that several references
// lead to are looked at once: what is found there is told where it stands.
type walk struct {
	d        *Document
	path     *Path
	resolved bool
	steps    *int // left
	emit     func(match) error
	notes    *notes
	once     bool // places are looked at once; not where the way counts
	at       []string
	above    []*value // the values from the root to here
	env      env
}

// A visit is what looking at a place again would find again: the place, what
// of the path is still to come, and how findings there would be placed.
type visit struct {
	v    *value
	own  *value // the place in the file, while no reference has been crossed
	mask uint64
	zone uint8
}

// notes keep which places a walk has seen. A place to which no reference was
// crossed is seen once anyhow. One behind a reference is kept by its number;
// what is left goes into maps.
type notes struct {
	epoch uint32
	seen  []note
	masks []uint64 // those met in this epoch; their places are the bits of a note
	found map[visit]bool
	odd   map[visit]bool
}

type note struct {
	epoch uint32
	masks [3]uint32 // by zone
	hit   uint8     // by zone
}

// begin forgets what the last walk has seen.
func (n *notes) begin(values int32) {
	n.epoch++
	n.masks = n.masks[:0]
	if len(n.seen) <= int(values) {
		n.seen = make([]note, values+1)
	}
	n.found, n.odd = nil, nil
}

func (n *notes) of(v *value) *note {
	k := &n.seen[v.id]
	if k.epoch != n.epoch {
		*k = note{epoch: n.epoch}
	}
	return k
}

// again reports whether a container was looked into before.
func (n *notes) again(at visit) bool {
	if at.own == at.v {
		return false
	}
	if at.own == nil {
		bit := -1
		for i, m := range n.masks {
			if m == at.mask {
				bit = i
			}
		}
		if bit < 0 && len(n.masks) < 32 {
			bit = len(n.masks)
			n.masks = append(n.masks, at.mask)
		}
		if bit >= 0 {
			k := n.of(at.v)
			before := k.masks[at.zone]&(1<<bit) != 0
			k.masks[at.zone] |= 1 << bit
			return before
		}
	}
	if n.odd == nil {
		n.odd = make(map[visit]bool)
	}
	before := n.odd[at]
	n.odd[at] = true
	return before
}

// hit reports whether a place was told before; above says that it is one
// around the place that was found.
func (n *notes) hit(at visit, above bool) bool {
	if at.own == at.v && !above {
		return false
	}
	if at.own == nil && !above && at.v.id > 0 {
		k := n.of(at.v)
		before := k.hit&(1<<at.zone) != 0
		k.hit |= 1 << at.zone
		return before
	}
	if n.found == nil {
		n.found = make(map[visit]bool)
	}
	before := n.found[at]
	n.found[at] = true
	return before
}

// apply runs a path over a value, which is the document or a part of it.
func (d *Document) apply(p *Path, root *value, base []string, resolved bool, steps *int, seen *notes, emit func(match) error) error {
	w := &walk{d: d, path: p, resolved: resolved, steps: steps, emit: emit, notes: seen, at: slices.Clone(base)}
	w.once = p.parents < 2 && !p.byPath()
	seen.begin(d.values)
	w.env = env{root: root, resolved: resolved}
	if resolved {
		root = root.follow()
	}
	own := root
	if len(base) > 0 || root != d.root {
		own = nil
	}
	if len(p.steps) == 0 {
		return w.hit(visit{v: root, own: own}, base)
	}
	if !root.container() {
		return nil
	}
	w.above = append(w.above, root)
	return w.below(visit{v: root, own: own, mask: 1})
}

func (p *Path) byPath() bool {
	for _, s := range p.steps {
		if s.filter != nil && s.filter.byPath {
			return true
		}
	}
	return false
}

// below looks at the members of a container.
func (w *walk) below(at visit) error {
	if w.once && w.notes.again(at) {
		return nil
	}
	if len(w.at) > maxDepth {
		return nil
	}
	// Where all that may come next is one name each, those are looked up.
	if names, ok := w.path.only(at.mask); ok {
		for _, name := range names {
			if c := at.v.get(name); c != nil {
				if err := w.into(at, name, c); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i, c := range at.v.items {
		key := c.key
		if at.v.kind == object {
			key = at.v.keys[i]
		}
		if err := w.into(at, key, c); err != nil {
			return err
		}
	}
	return nil
}

// only are the names that the steps in a mask allow, if they allow names only.
func (p *Path) only(mask uint64) (names []string, ok bool) {
	for i := range p.steps {
		if mask&(1<<i) == 0 {
			continue
		}
		s := &p.steps[i]
		if s.deep || s.names == nil || names != nil {
			return nil, false
		}
		names = s.names
	}
	return names, names != nil
}

func (w *walk) into(at visit, key string, c *value) error {
	if *w.steps--; !w.once {
		*w.steps -= 4 * len(w.at) // every way there is gone, and looked at whole
	}
	if *w.steps < 0 {
		return errTooMuch
	}
	v := c
	if w.resolved {
		v = c.follow()
	}
	next := visit{v: v, own: w.shadow(at, key, c), zone: at.zone}
	w.at = append(w.at, key)
	defer func() { w.at = w.at[:len(w.at)-1] }()
	if len(w.at) <= 4 {
		next.zone = zoneOf(w.at)
	}
	hit := false
	for i := range w.path.steps {
		if at.mask&(1<<i) == 0 {
			continue
		}
		s := &w.path.steps[i]
		if s.deep {
			next.mask |= 1 << i
		}
		if !w.takes(s, at.v, key, v) {
			continue
		}
		if i+1 == len(w.path.steps) {
			hit = true
		} else {
			next.mask |= 1 << (i + 1)
		}
	}
	w.above = append(w.above, v)
	defer func() { w.above = w.above[:len(w.above)-1] }()
	if hit {
		if err := w.hit(next, w.at); err != nil {
			return err
		}
	}
	if next.mask != 0 && v.container() {
		return w.below(next)
	}
	return nil
}

// shadow is the place in the file that stands for a member until a reference
// is crossed: from there on the member itself does.
func (w *walk) shadow(at visit, key string, member *value) *value {
	if at.own == nil {
		return nil
	}
	if at.own == at.v {
		if _, isRef := member.ref(); !w.resolved || !isRef {
			return member
		}
	}
	c := at.own.get(key)
	if c == nil {
		return nil
	}
	if _, isRef := c.ref(); isRef && len(c.keys) == 1 && c.target != nil {
		return nil
	}
	return c
}

func (w *walk) takes(s *step, parent *value, key string, v *value) bool {
	switch {
	case s.all:
		return true
	case s.names != nil:
		return slices.Contains(s.names, key)
	case s.slice != nil:
		i, err := strconv.Atoi(key)
		return err == nil && parent.kind == list && s.slice.holds(i, len(parent.items))
	case s.filter != nil:
		w.env.value, w.env.parent, w.env.path, w.env.index = v, parent, w.at, parent.kind == list
		return s.filter.matches(&w.env)
	}
	return false
}

// hit tells a selected place once.
func (w *walk) hit(at visit, path []string) error {
	m := match{value: at.v, path: path, zone: at.zone}
	if n := w.path.parents; n > 0 {
		if n >= len(w.above) {
			return nil
		}
		m.path = path[:len(path)-n]
		m.value = w.above[len(w.above)-1-n]
		at.own = nil
		if w.resolved {
			file, path := w.d.locate(m.path, true)
			at.own = lookup(w.d.files[file], path)
		}
		at.v = m.value
	}
	at.mask = 0
	if w.path.keyed {
		if len(m.path) == 0 {
			return nil
		}
		m.text = &value{kind: text, str: m.path[len(m.path)-1]}
	} else if w.notes.hit(at, w.path.parents > 0) {
		return nil
	}
	m.path = slices.Clone(m.path)
	return w.emit(m)
}

// Zones of an OpenAPI document in which examples are judged otherwise.
const (
	zoneRequest uint8 = 1 + iota
	zoneResponse
)

// zoneOf is the zone of a path.
func zoneOf(path []string) uint8 {
	switch {
	case len(path) >= 2 && path[0] == "components" && path[1] == "requestBodies", len(path) >= 4 && path[0] == "paths" && path[3] == "requestBody":
		return zoneRequest
	case len(path) >= 2 && path[0] == "components" && path[1] == "responses", len(path) >= 4 && path[0] == "paths" && path[3] == "responses", len(path) > 0 && path[0] == "responses":
		return zoneResponse
	}
	return 0
}

// pathKey joins a path into a key of a map.
func pathKey(path []string) string { return strings.Join(path, "\x00") }
