package lint

import (
	"encoding/json"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"

	"gatehouse/yamlx"
)

// reader makes values of nodes.
type reader struct {
	name  string
	count int
	first int32 // the number of values read before
	// faults are what a document may have and still be judged: keys that are
	// numbers, keys that stand twice.
	faults []keyFault
	open   map[*yamlx.Node]bool // anchors being written out
	json   bool
}

// keyFault is a mapping's key that JSON does not have.
type keyFault struct {
	v      *value
	text   string
	repeat bool
}

// A tooMuch is a fault that ends reading.
type tooMuch struct {
	node *yamlx.Node
	text string
}

// readValue reads the one document of a text.
func readValue(name string, data []byte) (root *value, faults []keyFault, err error) {
	root, faults, _, err = readValueFrom(name, data, 0)
	return root, faults, err
}

// readValueFrom numbers values on from those read before.
func readValueFrom(name string, data []byte, first int32) (root *value, faults []keyFault, last int32, err error) {
	nodes, err := yamlx.Parse(data)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("%s:%w", name, err)
	}
	if len(nodes) != 1 {
		return nil, nil, 0, fmt.Errorf("%s:1:1: holds %d documents; one is judged at a time", name, len(nodes))
	}
	if err := yamlx.CheckMerges(nodes[0]); err != nil {
		return nil, nil, 0, fmt.Errorf("%s:%w", name, err)
	}
	r := &reader{name: name, first: first, open: make(map[*yamlx.Node]bool), json: isJSON(data)}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case tooMuch:
			root, err = nil, fmt.Errorf("%s:%d:%d: %s", name, p.node.Line, p.node.Column, p.text)
		default:
			panic(p)
		}
	}()
	root = r.value(nodes[0], nil, "", nil, 0)
	return root, r.faults, first + int32(r.count), nil
}

func isJSON(data []byte) bool {
	for _, c := range data {
		switch c {
		case ' ', '\t', '\r', '\n', 0xef, 0xbb, 0xbf:
			continue
		}
		return c == '{' || c == '['
	}
	return false
}

func (r *reader) value(n *yamlx.Node, parent *value, key string, keyAt *yamlx.Node, depth int) *value {
	if r.count++; r.count > MaxValues {
		panic(tooMuch{n, fmt.Sprintf("holds more than %d values once aliases are written out", MaxValues)})
	}
	if depth > yamlx.MaxDepth {
		panic(tooMuch{n, fmt.Sprintf("nests deeper than %d levels", yamlx.MaxDepth)})
	}
	v := &value{id: r.first + int32(r.count), parent: parent, key: key, at: n, keyAt: keyAt}
	if n.Kind == yaml.AliasNode {
		to := yamlx.Follow(n)
		if to == nil || r.open[to] {
			panic(tooMuch{n, fmt.Sprintf("alias \"*%s\" stands within what it stands for", n.Value)})
		}
		r.open[to] = true
		defer delete(r.open, to)
		n = to
	}
	switch n.Kind {
	case yaml.MappingNode:
		r.object(v, n, depth)
	case yaml.SequenceNode:
		v.kind = list
		v.items = make([]*value, len(n.Content))
		for i, e := range n.Content {
			v.items[i] = r.value(e, v, strconv.Itoa(i), nil, depth+1)
		}
	default:
		r.scalar(v, n)
	}
	return v
}

func (r *reader) object(v *value, n *yamlx.Node, depth int) {
	pairs := yamlx.Pairs(n)
	v.kind = object
	v.keys = make([]string, 0, len(pairs)/2)
	v.items = make([]*value, 0, len(pairs)/2)
	if len(pairs)/2 >= indexFrom {
		v.index = make(map[string]int, len(pairs)/2)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := yamlx.Key(pairs[i])
		if !ok {
			panic(tooMuch{pairs[i], "a key is text; this one is a list or map"})
		}
		c := r.value(pairs[i+1], v, key, pairs[i], depth+1)
		if !r.json && !isTextKey(yamlx.Follow(pairs[i])) {
			r.faults = append(r.faults, keyFault{v: c, text: key})
		}
		if v.set(key, c) {
			r.faults = append(r.faults, keyFault{v: c, text: key, repeat: true})
		}
	}
}

// set adds a member; of two with one key the later counts.
func (v *value) set(key string, c *value) (twice bool) {
	for i, k := range v.keys {
		if v.index != nil {
			if at, ok := v.index[key]; ok {
				v.items[at] = c
				return true
			}
			break
		}
		if k == key {
			v.items[i] = c
			return true
		}
	}
	if v.index != nil {
		v.index[key] = len(v.keys)
	}
	v.keys = append(v.keys, key)
	v.items = append(v.items, c)
	return false
}

// isTextKey reports whether a key is text by the core schema and not a number,
// truth value or null that was meant as text.
func isTextKey(n *yamlx.Node) bool {
	raw, err := yamlx.Scalar(n)
	return err != nil || len(raw) > 0 && raw[0] == '"'
}

func (r *reader) scalar(v *value, n *yamlx.Node) {
	raw, err := yamlx.Scalar(n)
	if err != nil { // .nan and .inf, unknown tags: text is as near as JSON comes
		v.kind, v.str = text, n.Value
		return
	}
	switch raw[0] {
	case '"':
		v.kind = text
		if n.Kind == yaml.ScalarNode {
			v.str = n.Value
		} else {
			_ = json.Unmarshal(raw, &v.str)
		}
	case 'n':
		v.kind = null
	case 't', 'f':
		v.kind, v.truth = boolean, raw[0] == 't'
	default:
		v.kind = number
		v.num, _ = strconv.ParseFloat(string(raw), 64)
	}
}
