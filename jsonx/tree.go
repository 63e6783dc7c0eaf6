package jsonx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A DuplicateError is a key that stands twice in one object. RFC 8259 §4 leaves
// open which of the two counts, so neither does here.
type DuplicateError struct {
	Pointer string // of the second one (RFC 6901)
	Key     string
}

func (e *DuplicateError) Error() string { return fmt.Sprintf("key %q stands twice", e.Key) }

// Tree reads exactly one JSON value as map[string]any, []any, string,
// json.Number, bool or nil. It refuses duplicate keys, anything after the
// value, nesting beyond [MaxDepth], and text that [CheckText] refuses.
func Tree(data []byte) (any, error) {
	if err := errors.Join(CheckDepth(data), CheckText(data)); err != nil {
		return nil, err
	}
	t := treeReader{dec: json.NewDecoder(bytes.NewReader(data))}
	t.dec.UseNumber()
	v, err := t.value()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if _, err := t.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the value")
	}
	return v, nil
}

type treeReader struct {
	dec  *json.Decoder
	path []string
}

func (t *treeReader) value() (any, error) {
	tok, err := t.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		return t.object()
	case json.Delim('['):
		return t.array()
	}
	return tok, nil
}

func (t *treeReader) object() (any, error) {
	m := make(map[string]any)
	for t.dec.More() {
		tok, err := t.dec.Token()
		if err != nil {
			return nil, err
		}
		key := tok.(string) // the decoder lets nothing else through here
		t.path = append(t.path, key)
		if _, twice := m[key]; twice {
			return nil, &DuplicateError{Pointer: Pointer(t.path...), Key: key}
		}
		if m[key], err = t.value(); err != nil {
			return nil, err
		}
		t.path = t.path[:len(t.path)-1]
	}
	_, err := t.dec.Token()
	return m, err
}

func (t *treeReader) array() (any, error) {
	list := []any{}
	for t.dec.More() {
		t.path = append(t.path, strconv.Itoa(len(list)))
		v, err := t.value()
		if err != nil {
			return nil, err
		}
		list, t.path = append(list, v), t.path[:len(t.path)-1]
	}
	_, err := t.dec.Token()
	return list, err
}

// PointerParts splits a JSON Pointer into its parts, "~1" and "~0" undone.
func PointerParts(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := bytes.Split([]byte(pointer[1:]), []byte("/"))
	out := make([]string, len(parts))
	for i, p := range parts {
		p = bytes.ReplaceAll(p, []byte("~1"), []byte("/"))
		out[i] = string(bytes.ReplaceAll(p, []byte("~0"), []byte("~")))
	}
	return out
}
