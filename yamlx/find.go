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
func Entry(n *Node, key string) (k, v *Node) { return entry(n, key, nil) }

// entry looks into each merged mapping once: "<<" may name the same one over
// and over, or one that merges itself.
func entry(n *Node, key string, seen map[*Node]bool) (*Node, *Node) {
	if n = Follow(n); n == nil || n.Kind != yaml.MappingNode || seen[n] {
		return nil, nil
	}
	merges := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			merges = true
		} else if text, ok := Key(n.Content[i]); ok && text == key {
			return n.Content[i], Follow(n.Content[i+1])
		}
	}
	if !merges {
		return nil, nil
	}
	if seen == nil {
		seen = make(map[*Node]bool)
	}
	seen[n] = true
	for _, s := range merged(n) {
		if k, v := entry(s, key, seen); v != nil {
			return k, v
		}
		seen[Follow(s)] = true
	}
	return nil, nil
}

// merged are what the "<<" of a mapping name, in order.
func merged(n *Node) (sources []*Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		if s := Follow(n.Content[i+1]); s != nil && s.Kind == yaml.SequenceNode {
			sources = append(sources, s.Content...)
		} else {
			sources = append(sources, n.Content[i+1])
		}
	}
	return sources
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
	gatherPairs(n, make(map[string]bool), make(map[*Node]bool), &out)
	return out
}

func gatherPairs(n *Node, have map[string]bool, seen map[*Node]bool, out *[]*Node) {
	if n = Follow(n); n == nil || n.Kind != yaml.MappingNode || seen[n] {
		return
	}
	seen[n] = true
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k, ok := Key(n.Content[i]); ok && !isMerge(n.Content[i]) && !have[k] {
			have[k] = true
			*out = append(*out, n.Content[i], n.Content[i+1])
		}
	}
	for _, s := range merged(n) {
		gatherPairs(s, have, seen, out)
	}
}

// CheckMerges refuses a document whose "<<" bring more than 250,000 values in
// all: whoever looks a key up goes through them.
func CheckMerges(root *Node) error {
	left := maxExpanded
	return checkMerges(root, &left)
}

func checkMerges(n *Node, left *int) error {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			if weighMerges(n, make(map[*Node]bool), left); *left < 0 {
				return at(n.Content[i], "\"<<\" brings more than %d values in all", maxExpanded)
			}
			break
		}
	}
	for _, child := range n.Content {
		if err := checkMerges(child, left); err != nil {
			return err
		}
	}
	return nil
}

func weighMerges(n *Node, seen map[*Node]bool, left *int) {
	if n = Follow(n); n == nil || n.Kind != yaml.MappingNode || seen[n] || *left < 0 {
		return
	}
	seen[n] = true
	*left -= 1 + len(n.Content)/2
	for _, s := range merged(n) {
		*left--
		weighMerges(s, seen, left)
	}
}
