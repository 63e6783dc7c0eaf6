package bundle

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse"
	"gatehouse/yamlx"
)

// Format lays a text out in the one way "gatehouse fmt" does: two spaces, the
// keys apiVersion, kind, metadata, spec in this order, team before name.
// Comments and the order within spec stay. Formatting twice changes nothing; a
// text that holds anything but documents of Gatehouse comes back as it was.
func Format(text []byte) ([]byte, error) {
	docs, err := yamlx.Parse(text)
	if err != nil {
		e := err.(*yamlx.Error)
		return nil, gatehouse.InvalidFaults([]gatehouse.Fault{{Line: e.Line, Column: e.Column, Detail: e.Text}})
	}
	if len(docs) == 0 || slices.ContainsFunc(docs, func(n *yamlx.Node) bool { return !isDocument(n) }) {
		return text, nil
	}
	first := bytes.TrimLeft(text, " \t\r\n\xef\xbb\xbf")
	if first[0] == '{' {
		return formatJSON(docs)
	}
	return formatYAML(text, docs)
}

func formatYAML(text []byte, docs []*yamlx.Node) ([]byte, error) {
	var b bytes.Buffer
	for i, root := range docs {
		arrange(root)
		out, err := dump(root)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString("---\n")
		}
		b.Write(out)
	}
	again, err := yamlx.Parse(b.Bytes())
	if err != nil || len(again) != len(docs) {
		return text, nil // rather no layout than another meaning
	}
	for i := range docs {
		was, faults := yamlx.JSON(docs[i])
		if faults == nil && !sameNode(again[i], was) {
			return text, nil
		}
	}
	return b.Bytes(), nil
}

func sameNode(n *yamlx.Node, object json.RawMessage) bool {
	back, faults := yamlx.JSON(n)
	return faults == nil && len(Compare(back, object)) == 0
}

// arrange orders the keys of a document and its metadata.
func arrange(root *yamlx.Node) {
	head := root.HeadComment
	if len(root.Content) > 0 && head == "" { // a comment above stays above
		head, root.Content[0].HeadComment = root.Content[0].HeadComment, ""
	}
	sortKeys(root, []string{"apiVersion", "kind", "metadata", "spec"})
	sortKeys(yamlx.Get(root, "metadata"), []string{"team", "name", "labels", "annotations", "protected"})
	if len(root.Content) > 0 && head != "" {
		root.HeadComment = ""
		if own := root.Content[0].HeadComment; own != "" {
			head += "\n" + own
		}
		root.Content[0].HeadComment = head
	}
}

func sortKeys(n *yamlx.Node, first []string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	pairs := slices.Collect(slices.Chunk(n.Content, 2))
	rank := func(p []*yamlx.Node) int {
		if i := slices.Index(first, p[0].Value); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(pairs, func(a, b []*yamlx.Node) int { return rank(a) - rank(b) })
	n.Content = slices.Concat(pairs...)
}

func formatJSON(docs []*yamlx.Node) ([]byte, error) {
	var b bytes.Buffer
	for _, root := range docs {
		arrange(root)
		var line bytes.Buffer
		if err := writeJSON(&line, root); err != nil {
			return nil, err
		}
		if err := json.Indent(&b, line.Bytes(), "", "  "); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// writeJSON writes a node with its keys in their order.
func writeJSON(b *bytes.Buffer, n *yamlx.Node) error {
	if n.Kind == yaml.ScalarNode {
		text, err := yamlx.Scalar(n)
		b.Write(text)
		return err
	}
	brackets := "[]"
	if n.Kind == yaml.MappingNode {
		brackets = "{}"
	}
	b.WriteByte(brackets[0])
	for i, e := range n.Content {
		switch {
		case i > 0 && (n.Kind != yaml.MappingNode || i%2 == 0):
			b.WriteByte(',')
		case i > 0:
			b.WriteByte(':')
		}
		if err := writeJSON(b, e); err != nil {
			return err
		}
	}
	b.WriteByte(brackets[1])
	return nil
}

// title makes words of a name: "pet-store" to "Pet store".
func title(name string) string {
	words := strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}
