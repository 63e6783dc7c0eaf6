package rule

import (
	"path"
	"strings"

	"gatehouse/yamlx"
)

// A Place is where something stands in a definition's files.
type Place struct {
	File         string
	Line, Column int // from 1
}

// place is where an operation of an OpenAPI definition stands; other formats
// have no place that is known here.
func (s *Subject) place(method, at string) (Place, bool) {
	if s.places == nil {
		s.places = map[string]Place{}
		if files, err := s.contents(); err == nil && s.main() != "" {
			locate(s.places, files, s.main())
		}
	}
	p, ok := s.places[method+" "+at]
	return p, ok
}

// locate finds every operation of an OpenAPI definition. A path may lie in
// another file of it.
func locate(places map[string]Place, files map[string][]byte, main string) {
	docs, err := yamlx.Parse(files[main])
	if err != nil || len(docs) == 0 {
		return
	}
	roots := map[string]*yamlx.Node{main: docs[0]}
	pairs := yamlx.Pairs(yamlx.Get(docs[0], "paths"))
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := yamlx.Key(pairs[i])
		if !ok {
			continue
		}
		item, file := yamlx.Follow(pairs[i+1]), main
		if ref := yamlx.Text(yamlx.Get(item, "$ref")); ref != "" {
			item, file = follow(roots, files, main, ref)
		}
		if !yamlx.IsMap(item) {
			continue
		}
		methods := yamlx.Pairs(item)
		for j := 0; j+1 < len(methods); j += 2 {
			m, ok := yamlx.Key(methods[j])
			if key := strings.ToUpper(m) + " " + name; ok {
				places[key] = Place{file, max(1, methods[j].Line), max(1, methods[j].Column)}
			}
		}
	}
}

// follow is what a path's $ref leads to: a place in the same file, another
// file, or a place in one.
func follow(roots map[string]*yamlx.Node, files map[string][]byte, from, ref string) (*yamlx.Node, string) {
	name, pointer, _ := strings.Cut(ref, "#")
	file := from
	if name != "" {
		file = path.Join(path.Dir(from), name)
	}
	root, read := roots[file]
	if !read {
		if docs, err := yamlx.Parse(files[file]); err == nil && len(docs) > 0 {
			root = docs[0]
		}
		roots[file] = root
	}
	if root == nil || pointer == "" {
		return root, file
	}
	return yamlx.Find(root, pointer), file
}
