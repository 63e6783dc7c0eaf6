package definition

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse/jsonx"
	"gatehouse/yamlx"
)

// errItself is what is wrong with a reference that never ends.
var errItself = errors.New("leads only to itself")

// maxChain bounds how many references may follow one another.
const maxChain = 100

// target is where a reference leads, or why it leads nowhere.
type target struct {
	loc
	err error
}

// isReference is the text of a reference object, if n is one.
func (s *sources) isReference(n *yamlx.Node) (*yamlx.Node, bool) {
	if !yamlx.IsMap(n) {
		return nil, false
	}
	r := s.get(n, "$ref")
	return r, r != nil && r.Kind == yaml.ScalarNode
}

// resolve follows references until it meets something else.
func (s *sources) resolve(at loc) (loc, error) {
	for range maxChain {
		at.node = yamlx.Follow(at.node)
		r, ok := s.isReference(at.node)
		if !ok {
			return at, nil
		}
		t := s.lookup(at.file, yamlx.Text(r))
		if t.err != nil {
			return at, t.err
		}
		at = t.loc
	}
	return at, errItself
}

// lookup finds what a reference in a file names.
func (s *sources) lookup(file, ref string) target {
	key := file + "\x00" + ref
	if t, known := s.refs[key]; known {
		return t
	}
	t := s.find(file, ref)
	s.refs[key] = t
	return t
}

func (s *sources) find(file, ref string) target {
	base, fragment, _ := strings.Cut(ref, "#")
	name := file
	if base != "" {
		if n := s.byID(file, base); n != nil {
			return s.within(loc{file, n}, fragment)
		}
		var err error
		if name, err = s.fileOf(file, base); err != nil {
			return target{err: err}
		}
	}
	root := s.file(name)
	if root == nil {
		return target{err: fmt.Errorf("leads into the file %q, which cannot be read", name)}
	}
	return s.within(loc{name, root}, fragment)
}

// fileOf is the key of the file that a reference names.
func (s *sources) fileOf(file, base string) (string, error) {
	if _, given := s.files[base]; given {
		return base, nil
	}
	kind := RefKind(base)
	if kind == Relative && RefKind(file) == Remote { // relative to a URL that was fetched
		if from, err := url.Parse(file); err == nil {
			if to, err := from.Parse(base); err == nil {
				base, kind = to.String(), Remote
			}
		}
		if _, given := s.files[base]; given {
			return base, nil
		}
	}
	if kind != Relative {
		return "", fmt.Errorf("is %s reference, which is not followed: put the file beside the definition and refer to it by a relative path", kind)
	}
	if u, err := url.PathUnescape(base); err == nil {
		base = u
	}
	name := path.Join(path.Dir(file), base)
	if _, given := s.files[name]; !given {
		if strings.HasPrefix(name, "../") {
			return "", fmt.Errorf("leads to the file %q, which is missing, or lies outside of the folders that are read", name)
		}
		return "", fmt.Errorf("leads to the file %q, which is missing", name)
	}
	return name, nil
}

// A RefClass says where a reference's file lies.
type RefClass string

// The classes of references.
const (
	Relative RefClass = "a relative"
	Remote   RefClass = "a remote"
	Absolute RefClass = "an absolute"
)

// RefKind tells the class of the file part of a reference.
func RefKind(base string) RefClass {
	lower := strings.ToLower(base)
	switch {
	case strings.HasPrefix(lower, "file:"), strings.HasPrefix(base, "/") && !strings.HasPrefix(base, "//"), strings.Contains(base, "\\"),
		len(base) > 1 && base[1] == ':':
		return Absolute
	case strings.HasPrefix(base, "//"):
		return Remote
	}
	if u, err := url.Parse(base); err == nil && u.Scheme != "" {
		return Remote
	}
	return Relative
}

// within follows a fragment: a JSON Pointer (RFC 6901 §6) or an anchor.
func (s *sources) within(at loc, fragment string) target {
	if fragment == "" {
		return target{loc: at}
	}
	if !strings.HasPrefix(fragment, "/") {
		if n := s.byID(at.file, "#"+fragment); n != nil {
			return target{loc: loc{at.file, n}}
		}
		return target{err: fmt.Errorf("leads to the anchor %q, which is not in %q", fragment, at.file)}
	}
	if n := s.pointer(at.node, fragment); n != nil {
		return target{loc: loc{at.file, n}}
	}
	if plain, err := url.PathUnescape(fragment); err == nil {
		if n := s.pointer(at.node, plain); n != nil {
			return target{loc: loc{at.file, n}}
		}
	}
	return target{err: fmt.Errorf("leads nowhere: nothing is at %q in %q", fragment, at.file)}
}

func (s *sources) pointer(n *yamlx.Node, pointer string) *yamlx.Node {
	for i, part := range jsonx.PointerParts(pointer) {
		if n = yamlx.Follow(n); n == nil || i > maxChain {
			return nil
		}
		if n.Kind == yaml.SequenceNode {
			j, err := strconv.Atoi(part)
			if err != nil || j < 0 || j >= len(n.Content) {
				return nil
			}
			n = n.Content[j]
			continue
		}
		n = s.get(n, part)
	}
	return yamlx.Follow(n)
}

// byID finds a node of the file by its $id, $self, or "#" and its $anchor
// (JSON Schema 2020-12 §8.2).
func (s *sources) byID(file, id string) *yamlx.Node {
	m, known := s.ids[file]
	if !known {
		m = make(map[string]*yamlx.Node)
		s.ids[file] = m
		if root := s.file(file); root != nil {
			collectIDs(root, m)
			if self := yamlx.Text(s.get(root, "$self")); self != "" {
				m[self] = root
			}
		}
	}
	return m[id]
}

func collectIDs(n *yamlx.Node, m map[string]*yamlx.Node) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i].Value, n.Content[i+1]
			if v.Kind != yaml.ScalarNode || v.Value == "" {
				continue
			}
			switch k {
			case "$id":
				m[strings.TrimSuffix(v.Value, "#")] = n
			case "$anchor", "$dynamicAnchor":
				m["#"+v.Value] = n
			}
		}
	}
	for _, child := range n.Content {
		collectIDs(child, m)
	}
}
