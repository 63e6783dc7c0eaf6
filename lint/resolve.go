package lint

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// resolver finds what references lead to, in the way of Spectral: references
// that would make a value contain itself stay as they are, and so does a
// reference that leads out of the document, which is a finding.
type resolver struct {
	d *Document
	// points has an edge from each reference to its place; stems from the
	// places above a reference to what it leads to, by which circles show.
	points, stems *graph
	paths         map[int][]string // of the nodes of points
	told          map[string]bool  // messages, each of which is told once
	outside       []Finding
}

// resolve sets the targets of all references of the document.
func (d *Document) resolve() {
	r := &resolver{d: d, points: newGraph(), stems: newGraph(), paths: make(map[int][]string), told: make(map[string]bool)}
	d.pointed = make(map[string]bool)
	if d.root.container() {
		var at []string
		r.crawl(d.root, &at)
		r.link()
	}
	d.own = append(d.own, r.outside...)
}

// crawl notes every reference below a value. What stands beside or below a
// "$ref" is not looked at.
func (r *resolver) crawl(v *value, at *[]string) {
	if ref, ok := v.ref(); ok {
		r.note(v, ref, *at)
		return
	}
	for i, c := range v.items {
		if !c.container() {
			continue
		}
		key := c.key
		if v.kind == object {
			key = v.keys[i]
		}
		*at = append(*at, key)
		r.crawl(c, at)
		*at = (*at)[:len(*at)-1]
	}
}

func (r *resolver) note(v *value, ref string, at []string) {
	fragment, local := r.local(ref)
	if !local {
		where, _, _ := strings.Cut(ref, "#")
		r.tell(at, fmt.Sprintf("reference leads to %q, which is not given here; nothing is fetched", where))
		return
	}
	to, ok := pointerPath(fragment)
	if !ok {
		r.tell(nil, fmt.Sprintf("reference %q is not a JSON pointer", ref))
		return
	}
	if len(to) > 0 && len(to) <= len(at) && slices.Equal(to, at[:len(to)]) {
		return // to something around itself
	}
	pointer := "#" + fragment
	r.d.pointed[decodePointer(pointer)] = true
	from := r.points.node(pointerOf(at))
	target := r.points.node(pointer)
	r.paths[from] = slices.Clone(at)
	r.paths[target] = to
	r.points.edge(from, target)
	r.stem(at, to, pointer)
}

// stem notes the places between a reference and where its path parts from
// that of its target. They are written as Spectral writes them, unescaped.
func (r *resolver) stem(at, to []string, pointer string) {
	target := r.stems.node(pointer)
	own := pointerOf(at)
	stem, tail := "#", ""
	for i, part := range at {
		if i < len(to) && part == to[i] {
			stem += "/" + part
			continue
		}
		tail += "/" + part
		if dep := stem + tail; dep != own && dep != pointer {
			r.stems.edge(r.stems.node(dep), target)
		}
	}
}

// local is the part of a reference after "#", if it leads into the document.
func (r *resolver) local(ref string) (fragment string, ok bool) {
	if strings.HasPrefix(ref, "#") {
		fragment = ref[1:]
	} else {
		file, rest, _ := strings.Cut(ref, "#")
		if strings.Contains(file, "://") || file == "" || path.Clean(file) != path.Base(r.d.name) {
			return "", false
		}
		fragment = rest
	}
	return fragment, true
}

func (r *resolver) tell(at []string, message string) {
	if r.told[message] {
		return
	}
	r.told[message] = true
	p := append(slices.Clone(at), "$ref")
	r.outside = append(r.outside, r.d.finding("invalid-ref", Error, p, message))
}

// link sets targets in the order in which they depend on one another.
func (r *resolver) link() {
	for _, id := range r.points.order() {
		from := r.points.dependants(id)
		if len(from) == 0 {
			continue
		}
		to := r.paths[id]
		v := r.d.root
		for _, p := range to {
			v = v.follow().get(p)
		}
		if v != nil {
			v = v.follow()
		}
		circles := r.circles(r.points.names[id])
		for _, dep := range from {
			at := r.paths[dep]
			if circles.above(at) {
				continue
			}
			place := r.d.root
			for _, p := range at {
				place = place.follow().get(p)
			}
			if v == nil {
				r.tell(at, fmt.Sprintf("%q does not exist", r.points.names[id]))
			}
			if place == nil || place == v {
				continue
			}
			place.refTo = to
			if v != nil {
				place.target = v
			}
		}
	}
}

// places are paths, for asking whether one is above another.
type places map[string]bool

// circles are the places that contain a reference to the target, directly or
// through others, from within the target: what stands below them must not be
// replaced by it.
func (r *resolver) circles(pointer string) places {
	id, ok := r.stems.ids[pointer]
	if !ok {
		return nil
	}
	reach := r.stems.dependencies(id)
	if len(reach) == 0 {
		return nil
	}
	p := make(places, len(reach))
	for _, n := range reach {
		if parts, ok := pointerPath(strings.TrimPrefix(r.stems.names[n], "#")); ok {
			p[strings.Join(parts, "\x00")] = true
		}
	}
	return p
}

func (p places) above(at []string) bool {
	if len(p) == 0 {
		return false
	}
	for i := range at {
		if p[strings.Join(at[:i+1], "\x00")] {
			return true
		}
	}
	return false
}

// pointerPath splits the fragment of a reference: percent signs and tildes are
// undone.
func pointerPath(fragment string) ([]string, bool) {
	if fragment == "" {
		return nil, true
	}
	if fragment[0] != '/' {
		return nil, false
	}
	if fragment == "/" {
		return nil, true
	}
	parts := strings.Split(fragment[1:], "/")
	for i, p := range parts {
		parts[i] = decodePointer(p)
	}
	return parts, true
}

func decodePointer(p string) string {
	if strings.Contains(p, "%") {
		if u, err := url.PathUnescape(p); err == nil {
			p = u
		}
	}
	if strings.Contains(p, "~") {
		p = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return p
}

// pointerOf writes a path as a JSON Pointer behind "#".
func pointerOf(at []string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, p := range at {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(p, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
