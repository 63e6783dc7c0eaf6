package lint

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// linker finds what the references of one file lead to, in the way of
// Spectral: references that would make a value contain itself stay as they
// are, and one that leads nowhere is a finding.
type linker struct {
	d    *Document
	file string
	root *value
	// points has an edge from each reference to its place; stems from the
	// places above a reference to what it leads to, by which circles show.
	points, stems *graph
	paths         map[int][]string // of the nodes of points
	told          map[string]bool  // messages, each of which is told once
	across        []crossing
	asked         map[string]bool // files that are not given
	new           []string        // files that were read for this one
}

// A crossing is a reference to another file.
type crossing struct {
	place *value
	at    []string
	file  string
	to    []string
	text  string
}

// resolve sets the targets of all references, of the document and of the
// files that it leads to. Which circles there are within a file is seen; a
// circle through files is kept, and whoever walks values is bounded.
func (d *Document) resolve() error {
	d.pointed = make(map[string]bool)
	var linkers []*linker
	for queue := []string{d.name}; len(queue) > 0; queue = queue[1:] {
		l := &linker{d: d, file: queue[0], root: d.files[queue[0]], points: newGraph(), stems: newGraph(), paths: make(map[int][]string), told: make(map[string]bool)}
		linkers = append(linkers, l)
		if !l.root.container() {
			continue
		}
		var at []string
		if err := l.crawl(l.root, &at); err != nil {
			return err
		}
		if err := l.link(); err != nil {
			return err
		}
		queue = append(queue, l.new...)
	}
	for range linkers { // what leads through another crossing may come later
		for _, l := range linkers {
			l.cross(false)
		}
	}
	for _, l := range linkers {
		l.cross(true)
	}
	return nil
}

// cross sets the targets of references to other files.
func (l *linker) cross(last bool) {
	for _, c := range l.across {
		v := l.d.files[c.file]
		for _, p := range c.to {
			v = v.follow().get(p)
		}
		if v != nil && v != c.place {
			c.place.target, c.place.refTo, c.place.refFile = v, c.to, c.file
		} else if last {
			l.tell(c.at, fmt.Sprintf("%q does not exist", c.text))
		}
	}
}

// crawl notes every reference below a value. What stands beside or below a
// "$ref" is not looked at.
func (r *linker) crawl(v *value, at *[]string) error {
	if ref, ok := v.ref(); ok {
		return r.note(v, ref, *at)
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
		if err := r.crawl(c, at); err != nil {
			return err
		}
		*at = (*at)[:len(*at)-1]
	}
	return nil
}

func (r *linker) note(v *value, ref string, at []string) error {
	file, fragment := r.leads(ref)
	if file == r.d.name && file != r.file {
		r.d.pointed[decodePointer("#"+fragment)] = true
	}
	if known, err := r.read(file); err != nil {
		return err
	} else if !known {
		where, _, _ := strings.Cut(ref, "#")
		r.tell(at, fmt.Sprintf("reference leads to %q, which is not given here; nothing is fetched", where))
		return nil
	}
	to, ok := pointerPath(fragment)
	if !ok {
		r.tell(nil, fmt.Sprintf("reference %q is not a JSON pointer", ref))
		return nil
	}
	if file != r.file {
		r.across = append(r.across, crossing{v, slices.Clone(at), file, to, ref})
		return nil
	}
	if len(to) > 0 && len(to) <= len(at) && slices.Equal(to, at[:len(to)]) {
		return nil // to something around itself
	}
	pointer := "#" + fragment
	if r.file == r.d.name {
		r.d.pointed[decodePointer(pointer)] = true
	}
	from := r.points.node(pointerOf(at))
	target := r.points.node(pointer)
	r.paths[from] = slices.Clone(at)
	r.paths[target] = to
	r.points.edge(from, target)
	r.stem(at, to, pointer)
	return nil
}

// stem notes the places between a reference and where its path parts from
// that of its target. They are written as Spectral writes them, unescaped.
func (r *linker) stem(at, to []string, pointer string) {
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

// read reads a file that a reference leads to, if it is given. A fault of its
// text is one of the document.
func (r *linker) read(file string) (known bool, err error) {
	if r.d.files[file] != nil {
		return true, nil
	}
	if r.asked == nil {
		r.asked = make(map[string]bool)
	}
	if r.asked[file] {
		return false, nil
	}
	r.asked[file] = true
	data, err := r.d.get(file)
	if err != nil {
		return false, nil
	}
	if len(r.d.files) >= MaxFiles {
		return false, fmt.Errorf("%s: more than %d files belong to one document", r.d.name, MaxFiles)
	}
	if err := r.d.add(file, data); err != nil {
		return false, err
	}
	r.new = append(r.new, file)
	return true, nil
}

// leads says to which file a reference leads, and the part behind "#".
func (r *linker) leads(ref string) (file, fragment string) {
	file, fragment, _ = strings.Cut(ref, "#")
	switch {
	case file == "":
		return r.file, fragment
	case strings.Contains(file, "://") || path.IsAbs(file):
		return file, fragment
	}
	return path.Join(path.Dir(r.file), file), fragment
}

func (r *linker) tell(at []string, message string) {
	if r.told[message] {
		return
	}
	r.told[message] = true
	p := append(slices.Clone(at), "$ref")
	r.d.own = append(r.d.own, ownFault{Finding: r.d.finding("invalid-ref", Error, r.file, p, message)})
}

// maxReach bounds how often references are followed to find circles.
const maxReach = 50_000_000

// link sets targets in the order in which they depend on one another.
func (r *linker) link() error {
	circles := r.circles()
	dependants := r.points.reaching(r.points.in)
	for _, id := range r.points.order() {
		from := dependants.behind(id)
		if len(from) == 0 {
			continue
		}
		if dependants.steps+circles.steps() > maxReach {
			return fmt.Errorf("%s: references refer to one another too often", r.file)
		}
		to := r.paths[id]
		v := r.root
		for _, p := range to {
			v = v.follow().get(p)
		}
		v = v.follow()
		circles.of(r.points.names[id])
		for _, dep := range from {
			at := r.paths[dep]
			if circles.hold(at) {
				continue
			}
			place := r.root
			for _, p := range at {
				place = place.follow().get(p)
			}
			if v == nil {
				r.tell(at, fmt.Sprintf("%q does not exist", r.points.names[id]))
			}
			if place == nil || place == v {
				continue
			}
			place.refTo, place.refFile = to, r.file
			if v != nil {
				place.target = v
			}
		}
	}
	return nil
}

// circles knows the places that contain a reference to a target, directly or
// through others, from within the target: what stands below them must not be
// replaced by it.
type circles struct {
	stems  *graph
	walker *walker
	at     map[string][]int // nodes of stems by their path
	some   bool             // of the target asked for last
}

func (r *linker) circles() *circles {
	c := &circles{stems: r.stems, walker: r.stems.reaching(r.stems.out), at: make(map[string][]int)}
	for id, name := range r.stems.names {
		if parts, ok := pointerPath(strings.TrimPrefix(name, "#")); ok {
			k := strings.Join(parts, "\x00")
			c.at[k] = append(c.at[k], id)
		}
	}
	return c
}

func (c *circles) steps() int { return c.walker.steps }

// of says for which target hold is asked.
func (c *circles) of(pointer string) {
	id, known := c.stems.ids[pointer]
	c.some = known && len(c.walker.behind(id)) > 0
	if c.some {
		c.walker.mark[id] = 0 // itself does not count
	}
}

// hold reports whether one of the places is above a path, or is it.
func (c *circles) hold(at []string) bool {
	for i := range at {
		if !c.some {
			break
		}
		for _, id := range c.at[strings.Join(at[:i+1], "\x00")] {
			if c.walker.mark[id] == c.walker.epoch {
				return true
			}
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
