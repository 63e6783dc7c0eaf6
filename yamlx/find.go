package yamlx

import (
	"strconv"

	"go.yaml.in/yaml/v4"

	"gatehouse/jsonx"
)

// Get is the value of a key in a mapping, merged keys included, or nil. Aliases
// are followed.
func Get(n *Node, key string) *Node {
	_, v := Entry(n, key)
	return v
}

// Entry is a key and its value in a mapping, or nil.
func Entry(n *Node, key string) (k, v *Node) { return entry(n, key, 0) }

func entry(n *Node, key string, depth int) (*Node, *Node) {
	if n = Follow(n); n == nil || n.Kind != yaml.MappingNode || depth > 20 {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if text, ok := Key(n.Content[i]); ok && text == key && !isMerge(n.Content[i]) {
			return n.Content[i], Follow(n.Content[i+1])
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		sources := []*Node{n.Content[i+1]}
		if s := Follow(n.Content[i+1]); s != nil && s.Kind == yaml.SequenceNode {
			sources = s.Content
		}
		for _, s := range sources {
			if k, v := entry(s, key, depth+1); v != nil {
				return k, v
			}
		}
	}
	return nil, nil
}

// Text is the text of a scalar, "" for anything else.
func Text(n *Node) string {
	if n = Follow(n); n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// IsMap and IsList report the kind of value; nil is neither.
func IsMap(n *Node) bool { n = Follow(n); return n != nil && n.Kind == yaml.MappingNode }

// IsList reports whether n is a list.
func IsList(n *Node) bool { n = Follow(n); return n != nil && n.Kind == yaml.SequenceNode }

// Find is the node a JSON Pointer leads to, or nil.
func Find(root *Node, pointer string) *Node {
	n, whole := find(root, pointer)
	if !whole {
		return nil
	}
	return n
}

// Locate is the line and column of what a JSON Pointer names: its key, or its
// value in a list; of the nearest thing around it when it is not there.
func Locate(root *Node, pointer string) (line, column int) {
	n := Follow(root)
	line, column = root.Line, root.Column
	for _, part := range jsonx.PointerParts(pointer) {
		k, v := step(n, part)
		if v == nil {
			break
		}
		n, line, column = v, k.Line, k.Column
	}
	return max(1, line), max(1, column)
}

func find(root *Node, pointer string) (*Node, bool) {
	n := Follow(root)
	for _, part := range jsonx.PointerParts(pointer) {
		_, v := step(n, part)
		if v == nil {
			return n, false
		}
		n = v
	}
	return n, true
}

func step(n *Node, part string) (k, v *Node) {
	if IsMap(n) {
		return Entry(n, part)
	}
	if i, err := strconv.Atoi(part); err == nil && IsList(n) && i >= 0 && i < len(n.Content) {
		return n.Content[i], Follow(n.Content[i])
	}
	return nil, nil
}

// Pairs are the keys and values of a mapping in turn, what "<<" brings
// included, behind the mapping's own.
func Pairs(n *Node) []*Node {
	if n = Follow(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	plain := true
	for i := 0; i+1 < len(n.Content); i += 2 {
		plain = plain && !isMerge(n.Content[i])
	}
	if plain {
		return n.Content
	}
	var out []*Node
	seen := make(map[string]bool)
	gatherPairs(n, seen, &out, 0)
	return out
}

func gatherPairs(n *Node, seen map[string]bool, out *[]*Node, depth int) {
	if n = Follow(n); n == nil || n.Kind != yaml.MappingNode || depth > 20 || len(*out) > maxExpanded {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k, ok := Key(n.Content[i]); ok && !isMerge(n.Content[i]) && !seen[k] {
			seen[k] = true
			*out = append(*out, n.Content[i], n.Content[i+1])
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		sources := []*Node{n.Content[i+1]}
		if s := Follow(n.Content[i+1]); s != nil && s.Kind == yaml.SequenceNode {
			sources = s.Content[:min(len(s.Content), 20)]
		}
		for _, s := range sources {
			gatherPairs(s, seen, out, depth+5)
		}
	}
}
