// Package yamlx is the one way YAML is read here. YAML is only a syntax: text
// becomes nodes that know their line and column, and nodes become JSON, which
// everything else reads strictly.
//
// Values resolve by the core schema of YAML 1.2 (§10.3.2): "yes" and 2027-06-30
// are text. JSON files are read as JSON. Size, nodes, depth and the expansion of
// aliases are bounded before memory is spent.
package yamlx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds of what is read.
const (
	MaxBytes     = 20 << 20  // of one file
	MaxNodes     = 1_200_000 // values and keys in one file
	MaxDepth     = 250       // of nesting in one file
	MaxDocuments = 50_000    // in one file
)

// A Node is a value with its place in the text.
type Node = yaml.Node

// An Error is a fault of the text, at a place counted from 1.
type Error struct {
	Line, Column int
	Text         string
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Text) }

func at(n *Node, format string, args ...any) *Error {
	return &Error{Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...)}
}

// Parse reads all documents of a text, JSON or YAML, empty ones left out. An
// error is an *Error; the documents before it are returned as well.
func Parse(data []byte) ([]*Node, error) {
	if len(data) > MaxBytes {
		return nil, &Error{1, 1, fmt.Sprintf("is %d bytes long; at most %d (20 MB) are read", len(data), MaxBytes)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // UTF-8 byte order mark
	if i := invalid(data); i >= 0 {
		line, column := place(data, i)
		return nil, &Error{line, column, strange(data)}
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		nodes, err := parseJSON(data)
		if err == nil {
			return nodes, nil
		}
		if deep, ok := errors.AsType[*Error](err); ok && strings.Contains(deep.Text, "at most") {
			return nodes, err // a bound; YAML has the same
		}
		if y, yerr := parseYAML(data); yerr == nil { // a flow mapping of YAML
			return y, nil
		}
		return nodes, err
	}
	return parseYAML(data)
}

// strange says what bytes are that are no text of UTF-8.
func strange(data []byte) string {
	for _, k := range []struct{ head, text string }{
		{"\x1f\x8b", "is compressed by gzip: unpack it first"},
		{"PK\x03\x04", "is a ZIP archive: unpack it first"},
		{"\xff\xfe", "is UTF-16 text: save it as UTF-8"},
		{"\xfe\xff", "is UTF-16 text: save it as UTF-8"},
	} {
		if bytes.HasPrefix(data, []byte(k.head)) {
			return k.text
		}
	}
	if bytes.IndexByte(data[:min(len(data), 4)], 0) >= 0 {
		return "is UTF-16 text: save it as UTF-8"
	}
	return "is not UTF-8 text"
}

// invalid is the index of the first byte that is not UTF-8 or is a NUL, or -1.
func invalid(data []byte) int {
	nul := bytes.IndexByte(data, 0)
	if utf8.Valid(data) {
		return nul
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || i == nul {
			return i
		}
		i += n
	}
	return nul
}

// place turns an offset into line and column.
func place(data []byte, offset int) (int, int) {
	offset = min(max(offset, 0), len(data))
	head := data[:offset]
	line := 1 + bytes.Count(head, []byte("\n"))
	return line, 1 + utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:])
}

func parseYAML(data []byte) ([]*Node, error) {
	if err := weigh(data); err != nil {
		return nil, err
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, &Error{1, 1, err.Error()}
	}
	var docs []*Node
	for {
		doc := new(Node)
		err := load(loader, doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, syntax(err)
		}
		if len(docs) == MaxDocuments {
			return docs, &Error{doc.Line, doc.Column, fmt.Sprintf("holds more than %d documents", MaxDocuments)}
		}
		root := doc
		if doc.Kind == yaml.DocumentNode {
			if len(doc.Content) == 0 {
				continue
			}
			root = doc.Content[0]
		}
		if root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 {
			continue // nothing between two "---"
		}
		if err := checkDepth(root, 0); err != nil {
			return docs, err
		}
		docs = append(docs, root)
	}
}

// load keeps a panic of the parser, should it have one, from ending the
// process: strangers send what is read here.
func load(l *yaml.Loader, into *Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unreadable: %v", p)
		}
	}()
	return l.Load(into)
}

// weigh refuses text that may hold too many nodes or nest too deeply, before
// any is made: a node is much larger than the two bytes that ask for it.
func weigh(data []byte) error {
	marks, depth := 0, 0
	for i, c := range data {
		switch c {
		case '[', '{':
			if depth++; depth > 10_000 {
				line, column := place(data, i)
				return &Error{line, column, fmt.Sprintf("nests deeper than %d levels; at most that many are read", MaxDepth)}
			}
			marks++
		case ']', '}':
			depth = max(0, depth-1)
		case '\n', ',', ':', '?':
			marks++
		case '-':
			if i+1 < len(data) && data[i+1] <= ' ' {
				marks++
			}
		}
		if marks > 2*MaxNodes {
			line, column := place(data, i)
			return &Error{line, column, fmt.Sprintf("holds too many values; at most %d are read from one file", MaxNodes)}
		}
	}
	return nil
}

func checkDepth(n *Node, depth int) error {
	if depth > MaxDepth {
		return at(n, "nests deeper than %d levels; at most that many are read", MaxDepth)
	}
	for _, child := range n.Content {
		if err := checkDepth(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// syntax turns an error of the library into one with a place.
func syntax(err error) *Error {
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		m, text := le.Mark, le.Message
		if m.Line == 0 {
			m = le.ContextMark
		}
		if text == "" {
			text = le.Error()
		}
		return &Error{max(1, m.Line), max(1, m.Column+1), "is not YAML: " + text}
	}
	return &Error{1, 1, "is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
}
