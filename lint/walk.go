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
	found    map[visit]bool
	seen     map[visit]bool // nil where the way counts
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

// apply runs a path over a value, which is the document or a part of it.
func (d *Document) apply(p *Path, root *value, base []string, resolved bool, steps *int, emit func(match) error) error {
	w := &walk{d: d, path: p, resolved: resolved, steps: steps, emit: emit, found: make(map[visit]bool), at: slices.Clone(base)}
	if p.parents < 2 && !p.byPath() {
		w.seen = make(map[visit]bool)
	}
	w.env = env{root: root, resolved: resolved}
	if resolved {
		root = root.follow()
	}
	if len(p.steps) == 0 {
		return w.hit(visit{v: root}, base)
	}
	if !root.container() {
		return nil
	}
	own := root
	if len(base) > 0 {
		own = nil
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
	if w.seen != nil {
		if w.seen[at] {
			return nil
		}
		w.seen[at] = true
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
	if *w.steps--; *w.steps < 0 {
		return errTooMuch
	}
	v := c
	if w.resolved {
		v = c.follow()
	}
	next := visit{v: v, own: w.shadow(at, key), zone: at.zone}
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
func (w *walk) shadow(at visit, key string) *value {
	if !w.resolved || at.own == nil {
		return nil
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
	} else if w.found[at] {
		return nil
	}
	w.found[at] = true
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
