package yamlx

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse/jsonx"
)

// maxExpanded bounds the values a document holds once aliases are expanded.
const maxExpanded = 250_000

// JSON writes a document's root as JSON. Faults, at most 20, are all told:
// duplicate keys, keys that are no text, numbers JSON has no form for, aliases
// that contain themselves or expand to more than 250,000 values.
func JSON(root *Node) (json.RawMessage, []*Error) {
	c := &converter{open: make(map[*Node]bool)}
	c.value(root, 0)
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return c.out, nil
}

type converter struct {
	out    []byte
	count  int
	open   map[*Node]bool // anchors being expanded
	faults []*Error
	stop   bool
}

func (c *converter) fault(n *Node, format string, args ...any) {
	c.faults = append(c.faults, at(n, format, args...))
	c.stop = c.stop || len(c.faults) >= 20
}

func (c *converter) value(n *Node, depth int) {
	if c.stop {
		return
	}
	if c.count++; c.count > maxExpanded {
		c.fault(n, "aliases expand to more than %d values", maxExpanded)
		c.stop = true
		return
	}
	if depth > jsonx.MaxDepth {
		c.fault(n, "nests deeper than %d levels", jsonx.MaxDepth)
		c.stop = true
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		if c.open[n.Alias] {
			c.fault(n, "alias \"*%s\" stands within what it stands for", n.Value)
			return
		}
		c.open[n.Alias] = true
		c.value(n.Alias, depth)
		delete(c.open, n.Alias)
	case yaml.MappingNode:
		c.mapping(n, depth)
	case yaml.SequenceNode:
		c.out = append(c.out, '[')
		for i, e := range n.Content {
			if i > 0 {
				c.out = append(c.out, ',')
			}
			c.value(e, depth+1)
		}
		c.out = append(c.out, ']')
	default:
		text, err := Scalar(n)
		if err != nil {
			c.fault(n, "%s", err)
		}
		c.out = append(c.out, text...)
	}
}

func (c *converter) mapping(n *Node, depth int) {
	c.out = append(c.out, '{')
	own := make(map[string]*Node, len(n.Content)/2)
	first := true
	entry := func(key string, v *Node) {
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		text, _ := jsonx.Marshal(key)
		c.out = append(append(c.out, text...), ':')
		c.value(v, depth+1)
	}
	var merges []*Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			merges = append(merges, v)
			continue
		}
		key, ok := Key(k)
		if !ok {
			c.fault(k, "a key is text; this one is a list or map")
			continue
		}
		if before, twice := own[key]; twice {
			c.fault(k, "key %q stands twice, first on line %d", key, before.Line)
			continue
		}
		own[key] = k
		entry(key, v)
	}
	seen := make(map[*Node]bool)
	for _, m := range merges {
		c.merge(m, own, seen, entry)
	}
	c.out = append(c.out, '}')
}

// merge adds what "<<" brings and the mapping does not have itself, from each
// merged mapping once.
func (c *converter) merge(m *Node, own map[string]*Node, seen map[*Node]bool, entry func(string, *Node)) {
	sources := []*Node{m}
	if m.Kind == yaml.SequenceNode {
		sources = m.Content
	}
	for _, s := range sources {
		if s = Follow(s); s == nil || s.Kind != yaml.MappingNode || c.open[s] {
			c.fault(m, "\"<<\" merges maps only")
			return
		}
		if c.count++; seen[s] {
			continue
		}
		seen[s], c.open[s] = true, true
		for i := 0; i+1 < len(s.Content) && !c.stop; i += 2 {
			k := s.Content[i]
			if isMerge(k) {
				c.merge(s.Content[i+1], own, seen, entry)
				continue
			}
			if key, ok := Key(k); ok && own[key] == nil {
				own[key] = k
				entry(key, s.Content[i+1])
			}
		}
		delete(c.open, s)
	}
}

func isMerge(k *Node) bool { return k.Kind == yaml.ScalarNode && k.Value == "<<" && k.Style == 0 }

// Follow is the node an alias stands for; other nodes are themselves.
func Follow(n *Node) *Node {
	for i := 0; n != nil && n.Kind == yaml.AliasNode; i++ {
		if i > 100 {
			return nil
		}
		n = n.Alias
	}
	return n
}

// Key is the text of a mapping's key.
func Key(k *Node) (string, bool) {
	if k = Follow(k); k == nil || k.Kind != yaml.ScalarNode {
		return "", false
	}
	return k.Value, true
}

var (
	intForm   = regexp.MustCompile(`^[-+]?[0-9]+$`)
	octForm   = regexp.MustCompile(`^0o[0-7]+$`)
	hexForm   = regexp.MustCompile(`^0x[0-9a-fA-F]+$`)
	floatForm = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	jsonForm  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// Scalar writes a scalar as JSON, by its tag if it has one, else, when it is
// not quoted, by the core schema of YAML 1.2.
func Scalar(n *Node) ([]byte, error) {
	v := n.Value
	switch {
	case n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!int" && n.Tag != "!!float" && n.Tag != "!!bool" && n.Tag != "!!null":
		if n.Tag != "!!str" && n.Tag != "!!binary" && n.Tag != "!!timestamp" && n.Tag != "!" {
			return nil, fmt.Errorf("tag %q is not known here", n.Tag)
		}
		return jsonx.Marshal(v)
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return jsonx.Marshal(v)
	}
	switch v {
	case "", "~", "null", "Null", "NULL":
		return []byte("null"), nil
	case "true", "True", "TRUE":
		return []byte("true"), nil
	case "false", "False", "FALSE":
		return []byte("false"), nil
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
		return nil, fmt.Errorf("%s is no number that JSON can hold", v)
	}
	return number(v)
}

func number(v string) ([]byte, error) {
	switch {
	case len(v) > 400:
	case jsonForm.MatchString(v):
		return []byte(v), nil
	case intForm.MatchString(v):
		sign := ""
		if strings.HasPrefix(v, "-") {
			sign = "-"
		}
		digits := strings.TrimLeft(strings.TrimLeft(v, "+-"), "0")
		if digits == "" {
			digits = "0"
		}
		return []byte(sign + digits), nil
	case octForm.MatchString(v), hexForm.MatchString(v):
		if i, err := strconv.ParseUint(v, 0, 64); err == nil {
			return strconv.AppendUint(nil, i, 10), nil
		}
	case floatForm.MatchString(v):
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s is no number that JSON can hold", v)
		}
		return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
	}
	return jsonx.Marshal(v)
}
