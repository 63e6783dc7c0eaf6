package yamlx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// parseJSON reads one or more JSON values into nodes.
func parseJSON(data []byte) ([]*Node, error) {
	p := &jsonParser{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	p.dec.UseNumber()
	var docs []*Node
	for {
		n, err := p.value(0)
		if errors.Is(err, io.EOF) && len(docs) > 0 {
			return docs, nil
		}
		if err != nil {
			return docs, p.fault(err)
		}
		if docs = append(docs, n); len(docs) > MaxDocuments {
			return docs, at(n, "holds more than %d documents; at most that many are read", MaxDocuments)
		}
	}
}

type jsonParser struct {
	data  []byte
	dec   *json.Decoder
	nodes int
	// last, line and column are how far letters were counted, and the place
	// there: places are asked for in order.
	last, line, column int
}

// node makes a node at the decoder's next token.
func (p *jsonParser) node(kind yaml.Kind) *Node {
	i := int(p.dec.InputOffset())
	for i < len(p.data) && bytes.IndexByte([]byte(" \t\r\n,:"), p.data[i]) >= 0 {
		i++
	}
	for ; p.last < i; p.last++ {
		switch c := p.data[p.last]; {
		case c == '\n':
			p.line, p.column = p.line+1, 0
		case c&0xC0 != 0x80: // the first byte of a letter
			p.column++
		}
	}
	return &Node{Kind: kind, Line: p.line, Column: 1 + p.column}
}

func (p *jsonParser) value(depth int) (*Node, error) {
	n := p.node(yaml.ScalarNode)
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	if p.nodes++; p.nodes > MaxNodes {
		return nil, at(n, "holds too many values; at most %d are read from one file", MaxNodes)
	}
	if depth > MaxDepth {
		return nil, at(n, "nests deeper than %d levels; at most that many are read", MaxDepth)
	}
	switch t := tok.(type) {
	case json.Delim:
		return n, p.collection(n, t, depth)
	case string:
		n.Tag, n.Value, n.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(t)
	case nil:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, nil
}

func (p *jsonParser) collection(n *Node, open json.Delim, depth int) error {
	n.Kind, n.Tag, n.Style = yaml.SequenceNode, "!!seq", yaml.FlowStyle
	if open == '{' {
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	}
	for p.dec.More() {
		if open == '{' {
			key, err := p.value(depth + 1)
			if err != nil {
				return err
			}
			n.Content = append(n.Content, key)
		}
		child, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, child)
	}
	_, err := p.dec.Token()
	return err
}

func (p *jsonParser) fault(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	offset := int(p.dec.InputOffset())
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = int(s.Offset) - 1
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		offset, err = len(p.data), errors.New("it ends too early")
	}
	line, column := place(p.data, offset)
	return &Error{line, column, fmt.Sprintf("is not JSON: %s", err)}
}
