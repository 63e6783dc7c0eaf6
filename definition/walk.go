package definition

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse/yamlx"
)

// names are keys whose map has names chosen by the author, so that what stands
// under them is not read as a word of the specification.
var names = map[string]bool{
	"properties": true, "patternProperties": true, "definitions": true, "$defs": true, "schemas": true, "responses": true,
	"parameters": true, "examples": true, "requestBodies": true, "headers": true, "securitySchemes": true, "links": true,
	"callbacks": true, "pathItems": true, "dependentSchemas": true, "paths": true, "webhooks": true, "content": true,
	"encoding": true, "securityDefinitions": true, "channels": true, "messages": true, "mediaTypes": true,
}

// data are keys whose value is an instance, not a part of the specification:
// a "$ref" in it is text.
var data = map[string]bool{
	"example": true, "default": true, "enum": true, "const": true, "value": true, "dataValue": true, "mapping": true,
}

// eachRef calls fn for every reference in a file.
func (s *sources) eachRef(file string, root *yamlx.Node, fn func(holder loc, ref *yamlx.Node)) {
	s.refsIn(loc{file, root}, false, fn)
}

func (s *sources) refsIn(at loc, named bool, fn func(loc, *yamlx.Node)) {
	n := at.node
	if n.Kind == yaml.SequenceNode {
		for _, e := range n.Content {
			s.refsIn(loc{at.file, e}, false, fn)
		}
	}
	if n.Kind != yaml.MappingNode { // an alias: its anchor is walked where it stands
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i].Value, n.Content[i+1]
		switch {
		case k == "$ref" && v.Kind == yaml.ScalarNode:
			fn(at, v)
		case named:
			s.refsIn(loc{at.file, v}, false, fn)
		case data[k], strings.HasPrefix(k, "x-"), k == "examples" && v.Kind == yaml.SequenceNode:
		default:
			s.refsIn(loc{at.file, v}, names[k], fn)
		}
	}
}

// checkRefs reports every reference that leads nowhere or only to itself, in
// the main file and in every file that it reaches.
func (s *sources) checkRefs(main string) {
	seen, queue := map[string]bool{main: true}, []string{main}
	for len(queue) > 0 && len(s.faults) < maxFaults {
		file := queue[0]
		queue = queue[1:]
		root := s.file(file)
		if root == nil {
			continue
		}
		s.eachRef(file, root, func(holder loc, ref *yamlx.Node) {
			if len(s.faults) >= maxFaults {
				return
			}
			text := yamlx.Text(ref)
			t := s.lookup(file, text)
			if t.err == nil {
				_, t.err = s.resolveChain(holder)
			}
			if t.err != nil {
				s.fault(loc{file, ref}, "$ref %q %s", text, t.err)
			} else if !seen[t.file] {
				seen[t.file], queue = true, append(queue, t.file)
			}
		})
	}
}

// resolveChain is resolve that also sees through an allOf of one reference,
// which says no more than the reference does.
func (s *sources) resolveChain(at loc) (loc, error) {
	for range maxChain {
		at.node = yamlx.Follow(at.node)
		if all := s.get(at.node, "allOf"); all != nil && len(at.node.Content) == 2 && yamlx.IsList(all) && len(all.Content) == 1 {
			at.node = yamlx.Follow(all.Content[0])
		}
		if _, ok := s.isReference(at.node); !ok {
			return at, nil
		}
		t := s.lookup(at.file, yamlx.Text(s.get(at.node, "$ref")))
		if t.err != nil {
			return at, nil // told where that reference stands
		}
		at = t.loc
	}
	return at, errItself
}

// References lists what a definition refers to outside of itself: relative
// paths, absolute ones and URLs as written, without their fragments, in order
// and each once. It is how package bundle finds the files of a definition.
func References(name string, text []byte) []string {
	if sniff(name, text) == Protobuf {
		return protoImports(text)
	}
	if sniff(name, text) == GraphQL {
		return nil
	}
	docs, err := yamlx.Parse(text)
	if err != nil || len(docs) == 0 {
		return nil // Read tells why
	}
	s, seen := newSources(map[string][]byte{name: text}), make(map[string]bool)
	s.roots[name] = docs[0]
	var out []string
	s.eachRef(name, docs[0], func(_ loc, ref *yamlx.Node) {
		base, _, _ := strings.Cut(yamlx.Text(ref), "#")
		if base != "" && !seen[base] && s.byID(name, base) == nil {
			seen[base], out = true, append(out, base)
		}
	})
	return out
}
